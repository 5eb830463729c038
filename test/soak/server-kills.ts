/**
 * kill -9 of redis-server, again and again, started at once on the same
 * append-only file, while a plain client produces and one `consume --exec`
 * works on through all of it.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {collect} from '../faults/support/collect.js';
import {judge} from '../faults/support/history.js';
import type {SeededRandom} from '../faults/support/seed.js';
import type {Verdict} from '../faults/support/verdict.js';
import {systemServer, until} from '../support/redis-server.js';
import {startStreamlog} from '../support/run-cli.js';
import {HANDLER, handled, Journal} from './journal.js';
import {GROUP, Producer, STREAM} from './producer.js';
import {untilQuiet} from './worker-kills.js';

export type Fsync = 'always' | 'everysec';

/** So many entries the producer may be ahead of the handlers, each of which writes two lines or more. */
const MOST_AHEAD = 150;
const LINES_PER_ENTRY = 2.2;

export async function killServer(
  random: SeededRandom,
  {fsync, kills}: {fsync: Fsync; kills: number},
): Promise<Verdict> {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  const socket = join(directory, 'redis.sock');
  const path = join(directory, 'journal');
  const journal = new Journal(path);
  const producer = new Producer(socket);
  let server = await startServer(directory, socket, fsync);
  const worker = startStreamlog(
    ['consume', '--name', 'w1', '--exec', HANDLER, '-P', '3', '--retry-backoff', '5ms', '--max-deliver', '1000'],
    {env: {STREAMLOG_URL: `unix://${socket}`, JOURNAL: path, WORK_S: '0.002'}, limitMs: 60_000 + kills * 10_000},
  );
  const redis = new Redis({path: socket, maxRetriesPerRequest: null, protocol: 2});
  redis.on('error', () => {});
  let producing = true;
  // What a kill takes back is confirmed and never handled, so the two are compared from the last kill on.
  let start = {confirmed: 0, lines: 0};
  const ahead = (): number => producer.confirmed - start.confirmed - (journal.count() - start.lines) / LINES_PER_ENTRY;
  const produced = (async () => {
    while (producing) {
      if (ahead() < MOST_AHEAD) await producer.add(random.integer(1, 20));
      await sleep(5);
    }
  })();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const lines = journal.count() + random.integer(1, 60);
      await until(() => journal.count() >= lines, 'the work goes on', 30_000).catch(async (error) => {
        const {group} = await collect(redis, STREAM, GROUP);
        const state = `confirmed ${producer.confirmed}, handed over ${journal.count()}, read up to ${group?.lastDeliveredId}, pending ${JSON.stringify(group?.pending)}`;
        throw new Error(`${error.message} after kill ${kill}: ${state}\n${worker.stderr().slice(-4_000)}`);
      });
      await sleep(random.integer(0, 20));
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await gone;
      server = await startServer(directory, socket, fsync);
      start = {confirmed: producer.confirmed, lines: journal.count()};
    }
    producing = false;
    await produced;
    let left = '';
    const nothingLeft = async (): Promise<boolean> => {
      const {group} = await collect(redis, STREAM, GROUP);
      const [[last] = ['0-0']] = await redis.xrevrange(STREAM, '+', '-', 'COUNT', 1);
      left = `read up to ${group?.lastDeliveredId} of ${last}, pending ${JSON.stringify(group?.pending)}`;
      return group?.pending.length === 0 && group.lastDeliveredId === last;
    };
    await until(nothingLeft, 'everything is read and nothing is pending', 60_000).catch((error) => {
      throw new Error(`${error.message}: ${left}\n${worker.stderr()}`);
    });
    worker.process.kill('SIGTERM');
    const {code, stderr} = await worker.finished;
    if (code !== 143) throw new Error(`the worker ended with ${code}\n${stderr}`);
    await untilQuiet(journal);
    const ending = await collect(redis, STREAM, GROUP);
    return judge([...producer.events, ...handled(journal.lines, ending.stream)], ending);
  } finally {
    producing = false;
    await produced;
    worker.process.kill('SIGKILL');
    producer.close();
    redis.disconnect();
    journal.close();
    server.kill('SIGKILL');
    // A fork of the server may still write there.
    rmSync(directory, {recursive: true, force: true, maxRetries: 10});
  }
}

async function startServer(directory: string, socket: string, fsync: Fsync): Promise<ChildProcess> {
  const files = ['--dir', directory, '--appendonly', 'yes', '--appendfsync', fsync, '--save', ''];
  const server = spawn(systemServer(), ['--port', '0', '--unixsocket', socket, ...files], {stdio: 'ignore'});
  const redis = new Redis({path: socket, retryStrategy: () => 10, maxRetriesPerRequest: null, protocol: 2});
  redis.on('error', () => {});
  await redis.ping();
  redis.disconnect();
  return server;
}
