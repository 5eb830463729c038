/**
 * kill -9 of `export --file F --resume`, again and again, wherever it is: while it starts, while it takes up what is there, in the
 * middle of a line, and at its end. The stream stays as it is, so that the file has to come to what Redis knows of it.
 */
import {existsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {SeededRandom} from '../faults/support/seed.js';
import {fullOf, linesOfFile, withoutTimes} from '../support/exported.js';
import {type RedisServer, startRedis, until} from '../support/redis-server.js';
import {startShell} from '../support/run-cli.js';
import {fullInfo} from '../support/stream-facts.js';

const STREAM = 'orders';

export interface ExportKills {
  /** Words of a shell that start streamlog. */
  command: string;
  /** Of the file, which says how it is compressed. */
  file: string;
  entries: number;
  valueBytes: number;
  kills: number;
}

export interface KilledExport {
  /** What the file has, and what Redis knows. */
  found: unknown;
  expected: unknown;
  /** Kills that left more behind than the ones before. */
  advanced: number;
}

export async function killExport(
  random: SeededRandom,
  {command, file, entries, valueBytes, kills}: ExportKills,
): Promise<KilledExport> {
  const server = await startRedis();
  try {
    await fill(server, entries, valueBytes);
    const path = join(server.directory, file);
    const part = `${path}.part`;
    const sizeOf = (): number => (existsSync(part) ? statSync(part).size : 0);
    const start = () =>
      startShell(`exec ${command} export ${STREAM} --file ${path} --resume --rate ${Math.ceil(entries / 2)}/s`, {
        server,
        limitMs: 300_000,
      });
    let advanced = 0;
    for (let killed = 0; killed < kills && !existsSync(path); killed++) {
      const before = sizeOf();
      const run = start();
      if (random.chance(0.7)) {
        const more = random.integer(1, 40_000);
        await until(
          () => (sizeOf() !== before && sizeOf() >= before + more) || run.process.exitCode !== null,
          'it has gone on',
        );
      } else await sleep(random.integer(0, 300));
      run.process.kill('SIGKILL');
      await run.finished;
      if (sizeOf() > before) advanced++;
    }
    const {code, stderr} = await start().finished;
    if (code !== 0) throw new Error(`the last run ended with ${code}\n${stderr}`);
    const expected = withoutTimes(await fullInfo(server.redis, STREAM));
    return {found: withoutTimes(fullOf(await linesOfFile(path))), expected, advanced};
  } finally {
    await server.stop();
  }
}

/** Two groups, one behind, and some entries that are pending and gone. */
async function fill({redis}: RedisServer, entries: number, valueBytes: number): Promise<void> {
  await redis.eval(
    `local value = string.rep('x', tonumber(ARGV[2]))
     for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], n .. '-0', 'n', n, 'value', value) end
     for _, group in ipairs({'g', 'h'}) do
       redis.call('XGROUP', 'CREATE', KEYS[1], group, '0')
       redis.call('XREADGROUP', 'GROUP', group, 'w' .. group, 'COUNT', math.floor(ARGV[1] / 2), 'STREAMS', KEYS[1], '>')
     end
     for n = 1, tonumber(ARGV[1]), 7 do redis.call('XDEL', KEYS[1], n .. '-0') end
     for n = 1, tonumber(ARGV[1]), 3 do redis.call('XACK', KEYS[1], 'g', n .. '-0') end`,
    1,
    STREAM,
    entries,
    valueBytes,
  );
}
