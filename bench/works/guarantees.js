// What the guarantees of consume cost: the executable beside itself with less of them.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {compare} from '../measure/rounds.js';

const MODES = {
  'acknowledged when written': [],
  '--ack none, all stays pending': ['--ack', 'none'],
  '--no-ack, at-most-once': ['--no-ack'],
};

export const about = 'what the guarantees of consume cost';

export async function measure(bench) {
  const {server, streamlog, directory, events} = bench;
  const stream = server.newName('guarded');
  await server.fill(stream, 'flat', events);
  const contestants = Object.entries(MODES).map(([name, flags]) => ({
    name,
    async run() {
      const group = server.newName('g');
      const words = ['consume', '-s', stream, '-g', group, '--batch', '1000', '--exit', ...flags];
      const {ms} = await run([streamlog, ...words], {to: join(directory, 'records'), env: {STREAMLOG_URL: server.url}});
      if (flags.includes('none')) await server.expectPending(stream, group, events);
      else await server.expectConsumed(stream, group);
      await server.redis.xgroup('DESTROY', stream, group);
      return (events / ms) * 1_000;
    },
  }));
  const title = `consume --batch 1000 into a file: ${events.toLocaleString('en-US')} events`;
  const [reference] = Object.keys(MODES);
  const table = await compare({title, unit: 'events/s', reference, contestants, ...bench.turns});
  await server.redis.unlink(stream);
  return {tables: [table], goals: []};
}
