/**
 * kill -9 of `import` at points that chance chooses, from its start to the moment in which the stream gets its name, and again
 * while it goes on. After each kill the stream is whole or not there, and the run that is let go makes it whole.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {SeededRandom} from '../faults/support/seed.js';
import {longSection} from '../support/handmade-section.js';
import {startRedis} from '../support/redis-server.js';
import {startStreamlog} from '../support/run-cli.js';
import {type FullInfo, fullInfo} from '../support/stream-facts.js';

const STREAM = 'orders';
/** In a row, before a run is let go. */
const MOST_IN_A_ROW = 4;

export interface ImportKills {
  kills: number;
  entries: number;
  program?: string;
}

/** What was found of the stream when it should have been whole or absent, and how many runs were killed before their end. */
export async function killImport(
  random: SeededRandom,
  {kills, entries, program}: ImportKills,
): Promise<{killed: number; resumed: number; whole: boolean; left: number}> {
  const server = await startRedis({program});
  const file = join(server.directory, 'orders.ndjson');
  writeFileSync(file, longSection(STREAM, entries));
  const start = () => startStreamlog(['import', file], {server, limitMs: 600_000});
  const run = async (): Promise<string> => {
    const {code, stdout, stderr} = await start().finished;
    if (code !== 0) throw new Error(`a run ended with ${code}\n${stderr}`);
    return JSON.parse(stdout).state;
  };
  const found = {killed: 0, resumed: 0, whole: true, left: 0};
  try {
    const startedMs = performance.now();
    await run();
    const tookMs = performance.now() - startedMs;
    const expected = await fullInfo(server.redis, STREAM);
    const isWhole = (info: FullInfo): boolean => JSON.stringify(info) === JSON.stringify(expected);
    while (found.killed < kills) {
      await server.redis.flushall();
      for (let row = random.integer(1, MOST_IN_A_ROW); row > 0; row--) {
        const running = start();
        await Promise.race([running.finished, sleep(random.integer(0, Math.ceil(tookMs)))]);
        running.process.kill('SIGKILL');
        if ((await running.finished).signal === 'SIGKILL') found.killed++;
        if ((await server.redis.exists(STREAM)) === 1 && !isWhole(await fullInfo(server.redis, STREAM)))
          found.whole = false;
      }
      if ((await run()) === 'resumed') found.resumed++;
      if (!isWhole(await fullInfo(server.redis, STREAM))) found.whole = false;
      found.left += (await server.redis.dbsize()) - 1;
    }
    return found;
  } finally {
    await server.stop();
  }
}
