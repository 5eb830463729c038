/**
 * Failovers of 1 master + 2 replicas + 3 sentinels and of a 3 + 3 Cluster under
 * load: prints a table, and STREAMLOG_RUNS (1) runs of each row. With
 * `--exactly-once --durability replicas:1` nothing is lost and nothing is there
 * twice, ever. Some 40 minutes with 20 runs.
 */
import {expect, it} from 'vitest';
import {clusterTopology, type Failover, failover, sentinelTopology} from './failovers.js';

const RUNS = Number(process.env.STREAMLOG_RUNS ?? 1);
const SAFE = ['--exactly-once', '--durability', 'replicas:1'];
/** STREAMLOG_SAFE=1: only the rows that promise everything. */
const WAYS = process.env.STREAMLOG_SAFE === '1' ? [SAFE] : [SAFE, ['--exactly-once'], []];
const ROWS = [
  ...['FAILOVER', 'kill -9', 'SIGSTOP'].map((event) => ({on: 'sentinel', event})),
  ...['FAILOVER', 'kill -9', 'SIGSTOP', 'slot moves', 'a node added'].map((event) => ({on: 'cluster', event})),
].flatMap((row) => WAYS.map((args) => ({...row, args})));

it.each(ROWS)('$on, $event, $args', async ({on, event, args}) => {
  const found: Failover[] = [];
  for (let run = 0; run < RUNS; run++) {
    const topology = on === 'sentinel' ? await sentinelTopology() : await clusterTopology();
    try {
      found.push(await failover(topology, event, args));
    } finally {
      await topology.stop();
    }
    process.stderr.write(line(on, args, found.at(-1)!));
  }
  const bad = found.filter(({lost, twice, disorder, notConsumed}) => lost + twice + disorder + notConsumed > 0);
  if (args === SAFE) expect(bad).toEqual([]);
});

const line = (on: string, args: readonly string[], found: Failover): string => {
  const {event, fed, reported, inStream, lost, twice, disorder, notConsumed, gapMs, code, stderr} = found;
  const way = args.join(' ') || 'plain';
  const counts = `fed ${fed} told ${reported} there ${inStream} lost ${lost} twice ${twice} disorder ${disorder} not consumed ${notConsumed}`;
  return `| ${on} | ${event} | ${way} | ${counts} | gap ${gapMs} ms | ${code} |\n${stderr.replace(/^/gm, '    ')}\n`;
};
