/**
 * kill -9 of `produce --follow` while its log is written and rotated by logrotate: while it starts, while it adds, while it
 * waits, and while it goes from one file to the next. What is written and rotated meanwhile it has to find when it is back.
 */
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {SeededRandom} from '../faults/support/seed.js';
import {startRedis, until} from '../support/redis-server.js';
import {startShell} from '../support/run-cli.js';
import {type Numbers, readNumbers} from './numbered.js';
import {RotatedLog, type Rotation} from './rotated-log.js';

const STREAM = 'events';
/** Where chance has had fewer, the others come while it is down. */
const LEAST_ROTATIONS = 4;

export interface FollowKills {
  /** Words of a shell that start streamlog. */
  command: string;
  rotation: Rotation;
  kills: number;
  exactlyOnce: boolean;
}

/** What was in the stream in the end, and how many lines and rotations there were. */
export async function killFollower(
  random: SeededRandom,
  {command, rotation, kills, exactlyOnce}: FollowKills,
): Promise<Numbers & {lines: number; rotations: number}> {
  const server = await startRedis();
  const directory = join(server.directory, 'log');
  mkdirSync(directory, {mode: 0o755});
  const log = new RotatedLog(directory, rotation, random);
  const start = () => {
    const batch = ['--batch', String(random.integer(1, 200)), '--max-inflight', String(random.integer(1, 2_000))];
    const args = ['produce', '-q', '-s', STREAM, '--follow', log.path, ...batch];
    const words = [...args, ...(exactlyOnce ? ['--exactly-once'] : [])].join(' ');
    return startShell(`exec ${command} ${words}`, {server, limitMs: 300_000});
  };
  const write = async (): Promise<void> => {
    for (let steps = random.integer(1, 4); steps > 0; steps--) {
      log.write(random.integer(1, random.chance(0.2) ? 3_000 : 60));
      if (random.chance(0.3)) await log.rotate();
      if (random.chance(0.5)) await sleep(random.integer(0, 30));
    }
  };
  try {
    // A first run begins with the log as it finds it.
    const first = start();
    const checkpoint = `${log.path}.checkpoint`;
    await until(() => existsSync(checkpoint) && readFileSync(checkpoint, 'utf8').includes('"file"'), 'it has begun');
    first.process.kill('SIGKILL');
    await first.finished;
    for (let killed = 0; killed < kills; killed++) {
      const run = start();
      await write();
      // A renamed file is left after a second.
      await sleep(random.integer(0, random.chance(0.2) ? 1_500 : 250));
      if (random.chance(0.5)) await write();
      run.process.kill('SIGKILL');
      const {signal, stderr} = await run.finished;
      if (signal !== 'SIGKILL' || stderr !== '') throw new Error(`a run ended with ${signal}\n${stderr}`);
      if (random.chance(0.4)) await write();
    }
    for (; log.rotations < LEAST_ROTATIONS; log.write(1)) await log.rotate();
    const run = start();
    log.write(1);
    log.close();
    const {lines, rotations} = log;
    const isThere = async (): Promise<boolean> => {
      const [newest] = await server.redis.xrevrange(STREAM, '+', '-', 'COUNT', 1);
      return Number(newest?.[1][1]) === lines - 1 || run.process.exitCode !== null;
    };
    await until(isThere, `line ${lines - 1} is added`);
    run.process.kill('SIGTERM');
    const {code, stderr} = await run.finished;
    if (code !== 143 || stderr !== '') throw new Error(`the last run ended with ${code}\n${stderr}`);
    return {...(await readNumbers(server, STREAM, lines)), lines, rotations};
  } finally {
    await server.stop();
  }
}
