/**
 * kill -9 of a worker, again and again at points that chance chooses: while it
 * starts, while handlers run, while it acknowledges. It is started again with
 * the same name while entries go on coming, and at the end everything must be somewhere.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, openSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {collect} from '../faults/support/collect.js';
import {judge} from '../faults/support/history.js';
import type {SeededRandom} from '../faults/support/seed.js';
import type {Verdict} from '../faults/support/verdict.js';
import {startRedis, until} from '../support/redis-server.js';
import {cleanEnvironment, EXECUTABLE} from '../support/run-cli.js';
import {HANDLER, handled, Journal, printed} from './journal.js';
import {GROUP, Producer, STREAM} from './producer.js';

/** What works: `--exec` with handlers, or a plain `consume >> file`. */
export type Work = 'exec' | 'append';

const ARGS: Record<Work, string[]> = {
  exec: ['--exec', HANDLER, '-P', '3', '--retry-backoff', '5ms', '--max-deliver', '1000'],
  append: ['--batch', '50'],
};

/** Entries that are added before each kill, from and to: more than are done until it comes. */
const ENTRIES: Record<Work, [number, number]> = {exec: [20, 60], append: [100, 1_000]};

/** Kills `kills` workers and lets the last one finish. */
export async function killWorkers(random: SeededRandom, {work, kills}: {work: Work; kills: number}): Promise<Verdict> {
  const server = await startRedis();
  const path = join(server.directory, 'journal');
  const journal = new Journal(path);
  const producer = new Producer(join(server.directory, 'redis.sock'));
  const file = openSync(path, 'a');
  const start = (args: readonly string[] = []): ChildProcess =>
    spawn(EXECUTABLE, ['consume', '--name', 'w1', ...ARGS[work], ...args], {
      env: cleanEnvironment(server, {JOURNAL: path, WORK_S: '0.01'}),
      stdio: ['ignore', work === 'append' ? file : 'ignore', 'ignore'],
    });
  try {
    for (let kill = 0; kill < kills; kill++) {
      const added = random.integer(...ENTRIES[work]);
      await producer.add(added);
      const worker = start();
      const ended = exitOf(worker);
      const before = journal.count();
      // One in four dies before it has done much, often while it still starts.
      const lines = random.chance(0.25) ? 0 : random.integer(1, added);
      await until(() => journal.count() >= before + lines, `${lines} lines are written after kill ${kill}`);
      await sleep(random.integer(0, lines === 0 ? 150 : 15));
      worker.kill('SIGKILL');
      await ended;
    }
    // What the last handlers of dead workers still do belongs to the history.
    const code = await exitOf(start(['--exit']));
    if (code !== 0) throw new Error(`the last worker ended with ${code}`);
    await untilQuiet(journal);
    const ending = await collect(server.redis, STREAM, GROUP);
    const worked = work === 'exec' ? handled(journal.lines, ending.stream) : printed(journal.lines);
    return judge([...producer.events, ...worked], ending);
  } finally {
    producer.close();
    journal.close();
    closeSync(file);
    await server.stop();
  }
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)));

/** Waits until every handler that has begun has also ended. */
export async function untilQuiet(journal: Journal): Promise<void> {
  const running = (): number => {
    journal.count();
    return journal.lines.reduce((sum, line) => sum + (line.startsWith('begin') ? 1 : line.startsWith('{') ? 0 : -1), 0);
  };
  await until(() => running() === 0, 'the last handler has ended');
}
