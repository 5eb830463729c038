/**
 * kill -9 of `produce --resume` in the course of one import, at points that
 * chance chooses: while it starts, and after any number of entries. The next run
 * goes on with other batches, and the last one comes to the end.
 */
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {killPoints, type SeededRandom} from '../faults/support/seed.js';
import {startRedis} from '../support/redis-server.js';
import {startStreamlog} from '../support/run-cli.js';
import {type Numbers, readNumbers, writeNumbered} from './numbered.js';

const STREAM = 'events';

export interface ProduceKills {
  kills: number;
  lines: number;
  exactlyOnce: boolean;
}

/** What was in the stream in the end, and how many runs were killed before they had come to their own. */
export async function killProduce(
  random: SeededRandom,
  {kills, lines, exactlyOnce}: ProduceKills,
): Promise<Numbers & {killed: number}> {
  const server = await startRedis();
  const file = join(server.directory, 'input');
  const start = () => {
    const batch = ['--batch', String(random.integer(1, 500)), '--max-inflight', String(random.integer(1, 4_000))];
    const args = ['produce', '-q', '-s', STREAM, '--file', file, '--resume', ...batch];
    return startStreamlog([...args, ...(exactlyOnce ? ['--exactly-once'] : [])], {server, limitMs: 600_000});
  };
  writeNumbered(file, lines);
  try {
    let killed = 0;
    for (const {afterDone, delayMs} of killPoints(random, {kills, things: lines, maxDelayMs: 3})) {
      const run = start();
      const isEnding = run.finished.then(() => true);
      if (random.chance(0.2)) await sleep(random.integer(0, 150));
      else {
        while ((await server.redis.xlen(STREAM)) < afterDone && !(await Promise.race([isEnding, sleep(0)])));
        await sleep(delayMs);
      }
      run.process.kill('SIGKILL');
      const {code, signal, stderr} = await run.finished;
      if (signal === 'SIGKILL') killed++;
      else if (code !== 0) throw new Error(`a run ended with ${code}\n${stderr}`);
    }
    const {code, stderr} = await start().finished;
    if (code !== 0) throw new Error(`the last run ended with ${code}\n${stderr}`);
    return {...(await readNumbers(server, STREAM, lines)), killed};
  } finally {
    await server.stop();
  }
}
