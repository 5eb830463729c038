/** The private server of `streamlog local`, on real servers: what survives, what is refused, what is left alone. */
import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {Redis} from 'ioredis';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {LocalReport} from '../../src/lib/local/local-server.js';
import {freePort, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';

let stateHome: string;
let directory: string;
/** Every server that a test has seen, so that none outlives a test that fails. */
let pids: Set<number>;

beforeEach(() => {
  stateHome = mkdtempSync(join(tmpdir(), 'streamlog-local-'));
  directory = join(stateHome, 'streamlog', 'local');
  pids = new Set();
});

afterEach(async () => {
  await local('stop');
  for (const pid of pids) kill(pid);
  rmSync(stateHome, {recursive: true, force: true});
});

describe.each(serverPrograms())('on $name', ({program}) => {
  const env = {PATH: `${dirname(program)}:${process.env.PATH}`};

  it('keeps its data over stop and start', async () => {
    const first = report(await local('start', env));
    expect(first).toMatchObject({started: true, running: true, url: `unix://${directory}/redis.sock`});
    const id = await withRedis(first.url, (redis) => redis.xadd('events', '*', 'type', 'login'));

    const stopped = await local('stop', env);
    expect(stopped.code).toBe(0);
    expect(report(stopped)).toMatchObject({stopped: true, running: false, pid: null});
    expect(isAlive(first.pid)).toBe(false);

    const second = report(await local('start', env));
    expect(second).toMatchObject({started: true, url: first.url});
    expect(await withRedis(second.url, (redis) => redis.xrange('events', '-', '+'))).toEqual([[id, ['type', 'login']]]);
  });

  it('keeps its data when it is killed, and starts over what it left behind', async () => {
    const first = report(await local('start', env));
    const id = await withRedis(first.url, (redis) => redis.xadd('events', '*', 'type', 'login'));
    kill(first.pid!);
    await until(() => !isAlive(first.pid), 'the server is gone');
    expect(statSync(join(directory, 'redis.sock')).isSocket()).toBe(true);
    expect((await local('status', env)).code).toBe(66);

    const second = report(await local('start', env));
    expect(second.started).toBe(true);
    expect(await withRedis(second.url, (redis) => redis.xrange('events', '-', '+'))).toEqual([[id, ['type', 'login']]]);
  });

  it('is for its owner alone, and listens on no port', async () => {
    const {url} = report(await local('start', env));
    expect(await withRedis(url, (redis) => redis.config('GET', 'port'))).toEqual(['port', '0']);
    expect(await withRedis(url, (redis) => redis.config('GET', 'appendonly'))).toEqual(['appendonly', 'yes']);
    expect(await withRedis(url, (redis) => redis.config('GET', 'appendfsync'))).toEqual(['appendfsync', 'everysec']);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'redis.sock')).mode & 0o777).toBe(0o700);
  });
});

it('serves every command that names no server, and those only', async () => {
  const {url} = report(await local('start'));
  await withRedis(url, (redis) => redis.xadd('events', '1-0', 'type', 'login'));
  const env = {XDG_STATE_HOME: stateHome};
  const trimmed = await streamlog(['trim', '--maxlen', '0'], {env});
  expect(JSON.parse(trimmed.stdout)).toMatchObject({removed: 1, left: 0});

  const elsewhere = await streamlog(['info'], {env: {...env, STREAMLOG_URL: `unix://${stateHome}/none.sock`}});
  expect(elsewhere.code).toBe(69);
  await local('stop');
  const stopped = await streamlog(['info', '--connect-timeout', '1s'], {env});
  expect(stopped.stderr).not.toContain('redis.sock');
});

it('starts once, however often and from how many places it is asked to', async () => {
  const reports = (await Promise.all(Array.from({length: 6}, () => local('start')))).map(report);
  expect(reports.filter(({started}) => started)).toHaveLength(1);
  expect(new Set(reports.map(({pid}) => pid)).size).toBe(1);

  const again = await local('start');
  expect(again.code).toBe(0);
  expect(again.stderr).toBe('streamlog: the private server is already running\n');
  expect(report(again)).toMatchObject({started: false, pid: reports[0]!.pid});
});

it('tells by its exit code whether it runs', async () => {
  const before = await local('status');
  expect(before).toMatchObject({
    code: 66,
    stderr: 'streamlog: the private server is not running\nhint: streamlog local start\n',
  });
  expect(report(before)).toMatchObject({running: false, pid: null, bytes: 0});

  const started = report(await local('start'));
  const running = await local('status');
  expect(running).toMatchObject({code: 0, stderr: ''});
  expect(report(running)).toEqual({
    running: true,
    pid: started.pid,
    url: started.url,
    dataDirectory: join(directory, 'data'),
    bytes: expect.any(Number),
    logFile: join(directory, 'redis.log'),
  });
  expect(report(running).bytes).toBeGreaterThan(0);
});

it('has nothing to stop when it does not run, and makes no directory for that', async () => {
  const stopped = await local('stop');
  expect(stopped).toMatchObject({code: 0, stderr: 'streamlog: the private server was not running\n'});
  expect(report(stopped).stopped).toBe(false);
  expect(statSync(join(stateHome, 'streamlog'), {throwIfNoEntry: false})).toBeUndefined();
});

it('does not take another process for its server when the process ID was given away', async () => {
  const {pid} = report(await local('start'));
  kill(pid!);
  await until(() => !isAlive(pid), 'the server is gone');
  const another = spawn('cat');
  try {
    writeFileSync(join(directory, 'redis.pid'), `${another.pid}\n`);
    expect(report(await local('status'))).toMatchObject({running: false, pid: null});
    expect(report(await local('start'))).toMatchObject({started: true});
    await local('stop');
    expect(isAlive(another.pid!)).toBe(true);
  } finally {
    another.kill();
  }
});

it('never starts a second server on the data of one that lost its socket, and says how to end it', async () => {
  const {pid} = report(await local('start'));
  rmSync(join(directory, 'redis.sock'));
  const start = startStreamlog(['local', 'start'], {env: {XDG_STATE_HOME: stateHome}});
  await until(() => existsSync(join(directory, 'start.lock')), 'the second start is at work');
  const stopped = await local('stop');
  expect(stopped.code).toBe(69);
  expect(stopped.stderr).toBe(
    `streamlog: the private server (process ${pid}) does not listen on its socket\n` +
      `hint: end it with: kill ${pid}; its data stays\n`,
  );

  process.kill(pid!, 'SIGTERM');
  const second = report(await start.finished);
  pids.add(second.pid!);
  expect(second.started).toBe(true);
  const log = readFileSync(join(directory, 'redis.log'), 'utf8');
  expect(log.lastIndexOf('is starting')).toBeGreaterThan(log.indexOf('bye bye'));
  expect(log).toContain('bye bye');
});

it('is not held up by a start that was killed', async () => {
  mkdirSync(directory, {recursive: true});
  writeFileSync(join(directory, 'start.lock'), String(spawnSync('true').pid));
  expect(report(await local('start')).started).toBe(true);
});

it('lives under any name that a directory can have', async () => {
  const env = {XDG_STATE_HOME: join(stateHome, 'my state@50% ü?')};
  const started = await local('start', env);
  expect(started.code).toBe(0);
  expect(await withRedis(report(started).url, (redis) => redis.xadd('events', '1-0', 'a', '1'))).toBe('1-0');
  expect((await streamlog(['trim', '--maxlen', '0'], {env})).code).toBe(0);
  expect(report(await local('stop', env)).stopped).toBe(true);
});

it('warns where commands would not use it', async () => {
  const started = await local('start', {REDIS_URL: 'redis://127.0.0.1:1'});
  expect(started.code).toBe(0);
  expect(started.stderr).toContain('warning: commands will not use it while STREAMLOG_URL or REDIS_URL is set');
});

it('says what to install where there is no server program', async () => {
  const started = await local('start', {PATH: stateHome});
  expect(started.code).toBe(78);
  expect(started.stdout).toBe('');
  expect(started.stderr).toMatch(
    /^streamlog: there is no redis-server or valkey-server on the path\nhint: install it: /,
  );
});

it('needs no server program where it runs already', async () => {
  await local('start');
  expect((await local('start', {PATH: stateHome})).code).toBe(0);
});

it('says why the server would not start', async () => {
  mkdirSync(join(directory, 'data', 'appendonlydir'), {recursive: true});
  writeFileSync(join(directory, 'data', 'appendonlydir', 'appendonly.aof.manifest'), 'not a manifest\n');
  const started = await local('start');
  expect(started.code).toBe(69);
  expect(started.stderr).toMatch(/^streamlog: the private server exited right after it started: .*manifest/);
  expect(started.stderr).toContain(`hint: see ${join(directory, 'redis.log')}\n`);
  expect(readFileSync(join(directory, 'redis.log'), 'utf8')).toContain('manifest');
  expect((await local('status')).code).toBe(66);
});

it('is gone when stop says so, also where the connection ended before the server did', async () => {
  const {pid, url} = report(await local('start'));
  // A server waits for a replica that is behind, and answers meanwhile (shutdown-timeout).
  const port = await freePort();
  await withRedis(url, (redis) => redis.config('SET', 'port', port, 'shutdown-timeout', '2'));
  const replica = await startRedis({args: ['--replicaof', '127.0.0.1', String(port)]});
  try {
    const link = async () => String(await replica.redis.info('replication'));
    await until(async () => (await link()).includes('master_link_status:up'), 'the replica follows');
    replica.process.kill('SIGSTOP');
    const stopping = await withRedis(url, async (redis) => {
      await redis.xadd('events', '*', 'type', 'login');
      const stop = startStreamlog(['local', 'stop'], {env: {XDG_STATE_HOME: stateHome}});
      const clients = async () => String(await redis.client('LIST'));
      const waiting = /^id=(\d+) .* cmd=shutdown/m;
      await until(async () => waiting.test(await clients()), 'it waits for the end of the server');
      await redis.client('KILL', 'ID', waiting.exec(await clients())![1]!);
      return stop;
    });
    expect(await stopping.finished).toMatchObject({code: 0});
    expect(isAlive(pid)).toBe(false);
  } finally {
    replica.process.kill('SIGCONT');
    await replica.stop();
  }
});

it('refuses a path that no unix socket can have, and says how to get a shorter one', async () => {
  const env = {XDG_STATE_HOME: join(stateHome, 'x'.repeat(100))};
  const started = await local('start', env);
  expect(started.code).toBe(78);
  expect(started.stderr).toMatch(/^streamlog: the path of a unix socket can have \d+ bytes; this one has \d+: /);
  expect(started.stderr).toContain('hint: set XDG_STATE_HOME to a directory with a shorter path\n');
});

async function local(verb: 'start' | 'stop' | 'status', env: Record<string, string> = {}): Promise<Finished> {
  const finished = await streamlog(['local', verb], {env: {XDG_STATE_HOME: stateHome, ...env}});
  if (finished.stdout !== '') {
    const {pid} = report(finished);
    if (pid !== null) pids.add(pid);
  }
  return finished;
}

type Report = LocalReport & {started?: boolean; stopped?: boolean};

const report = ({stdout, stderr}: Finished): Report => {
  expect(stdout, stderr).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as Report;
};

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({path: decodeURIComponent(url.slice('unix://'.length)), maxRetriesPerRequest: 0});
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function kill(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** Where nobody collects the dead, they keep their ID. */
function isAlive(pid: number | null): boolean {
  try {
    process.kill(pid!, 0);
    return !existsSync('/proc/self/stat') || !/^\d+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
