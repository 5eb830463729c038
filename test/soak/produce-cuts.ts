/**
 * One `produce --exactly-once` whose connections are cut again and again, at
 * bytes that chance chooses: in the middle of a call, of a reply, or between.
 */
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {startProxy} from '../faults/support/proxy.js';
import type {SeededRandom} from '../faults/support/seed.js';
import {startRedis} from '../support/redis-server.js';
import {startStreamlog} from '../support/run-cli.js';
import {type Numbers, readNumbers, writeNumbered} from './numbered.js';

const STREAM = 'events';

export interface ProduceCuts {
  lines: number;
  /** About so many entries are added between two cuts. */
  entriesPerCut: number;
}

export async function cutProduce(
  random: SeededRandom,
  {lines, entriesPerCut}: ProduceCuts,
): Promise<Numbers & {cuts: number}> {
  const server = await startRedis();
  const proxy = await startProxy(server);
  const file = join(server.directory, 'input');
  writeNumbered(file, lines);
  const run = startStreamlog(['produce', '-q', '-s', STREAM, '--file', file, '--exactly-once', '--url', proxy.url], {
    limitMs: 1_500_000,
  });
  try {
    const isEnding = run.finished.then(() => true);
    let cuts = 0;
    for (let next = 0; ; cuts++) {
      next += random.integer(1, 2 * entriesPerCut);
      while ((await server.redis.xlen(STREAM)) < next && !(await Promise.race([isEnding, sleep(0)])));
      if (run.process.exitCode !== null) break;
      // In the middle of a reply, or at once, with an end or a reset; whether a limit is ever reached is no matter.
      if (random.chance(0.4)) proxy.limitReplies(random.integer(1, 200)).catch(() => {});
      else if (random.chance(0.5)) proxy.reset();
      else proxy.cut();
    }
    const {code, stderr} = await run.finished;
    if (code !== 0) throw new Error(`it ended with ${code}\n${stderr}`);
    return {...(await readNumbers(server, STREAM, lines)), cuts};
  } finally {
    run.process.kill('SIGKILL');
    await proxy.stop();
    await server.stop();
  }
}
