/**
 * Real servers for tests, each private to the test that started it: on a unix
 * socket in a directory of its own, gone with it. Never a mock, and never a
 * server that was running before.
 */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {afterAll, afterEach, beforeAll, beforeEach} from 'vitest';
import {endWithUs} from './leftovers.js';

export interface RedisServer {
  /** For `--url`: the unix socket, or the port when `tcp` was asked for. */
  url: string;
  directory: string;
  /** 0 without `tcp`. */
  port: number;
  process: ChildProcess;
  /** A plain client, to arrange and to assert with. */
  redis: Redis;
  /** Ends the server and removes its directory. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Path of the server program; default: the system's. */
  program?: string;
  /** More lines of configuration, as command-line arguments. */
  args?: string[];
  /** Listen on a free loopback port too, and use it in `url`. */
  tcp?: boolean;
  /** Of the default user, and of replicas to their master. */
  password?: string;
}

/** The system's own server, as the setup script leaves it. */
export const systemServer = (): string => {
  for (const name of ['redis-server', 'valkey-server']) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], {encoding: 'utf8'}).trim();
    } catch {}
  }
  throw new Error('no redis-server or valkey-server on the path: run node scripts/setup.js --server');
};

/** All servers to run a suite against: the system's, and the newer ones that the setup script could fetch. */
export function serverPrograms(): {name: string; program: string}[] {
  const programs = [{name: 'system', program: systemServer()}];
  for (const name of ['redis-8', 'valkey-9']) {
    const program = join(import.meta.dirname, '../../.cache/servers', name, 'redis-server');
    if (existsSync(program)) programs.push({name, program});
  }
  return programs;
}

/** Below the ports that the system gives to outgoing connections, one of which could take a port before its server does. */
const PORTS = {first: 12_000, count: 20_000};
/** Test files run side by side, each in a process of its own: they begin at different places. */
let nextPort = (process.pid * 61) % PORTS.count;

/** A port on which nothing listens; no two calls of a process get the same. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + (nextPort++ % PORTS.count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Starts a server and waits until it answers. */
export async function startRedis({
  program = systemServer(),
  args = [],
  tcp = false,
  password,
}: ServerOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  const socket = join(directory, 'redis.sock');
  const port = tcp ? await freePort() : 0;
  const child = spawn(
    program,
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--unixsocket',
      socket,
      '--dir',
      directory,
      '--save',
      '',
      '--appendonly',
      'no',
      '--enable-debug-command',
      'local',
      ...(password === undefined ? [] : ['--requirepass', password, '--masterauth', password]),
      ...args,
    ],
    {stdio: 'ignore'},
  );
  endWithUs(child);
  await until(() => existsSync(socket), 'the server makes its socket');
  const redis = new Redis({path: socket, password, maxRetriesPerRequest: null, protocol: 2});
  redis.on('error', () => {});
  // The socket is there before the server listens on it.
  let accepts = false;
  redis.once('connect', () => {
    accepts = true;
  });
  await until(() => accepts, 'the server accepts connections');
  return {
    url: tcp ? `redis://127.0.0.1:${port}` : `unix://${socket}`,
    directory,
    port,
    process: child,
    redis,
    async stop() {
      redis.disconnect();
      const gone =
        child.exitCode === null && child.signalCode === null
          ? new Promise((resolve) => child.once('exit', resolve))
          : undefined;
      child.kill('SIGKILL');
      await gone;
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

/**
 * One server for all tests of the file, or of the `describe` that calls this. It
 * runs before the hooks that are declared after this call, and ends after them.
 */
export function serverForAll(options?: ServerOptions): RedisServer {
  const server = {} as RedisServer;
  beforeAll(async () => {
    Object.assign(server, await startRedis(options));
  });
  afterAll(() => server.stop?.());
  return server;
}

/** The same, with a new server for each test. */
export function serverForEach(options?: ServerOptions): RedisServer {
  const server = {} as RedisServer;
  beforeEach(async () => {
    Object.assign(server, await startRedis(options));
  });
  afterEach(() => server.stop?.());
  return server;
}

/** Makes a user with these rules of ACL SETUSER; the URL under which it connects. */
export async function userUrl({redis, url}: RedisServer, ...rules: string[]): Promise<string> {
  await redis.call('ACL', 'SETUSER', 'reader', 'reset', 'on', '>pw', ...rules);
  return url.replace('://', '://reader:pw@');
}

/** Waits until `condition` holds; the way to wait in tests, since a fixed time is either too short or too long. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await sleep(10);
  }
}
