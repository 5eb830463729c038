/**
 * A running `streamlog serve` for tests, and requests that no HTTP library
 * would send.
 */
import {spawn} from 'node:child_process';
import {connect, createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import {connect as connectTls} from 'node:tls';
import {endWithUs} from './leftovers.js';
import {type RedisServer, until} from './redis-server.js';
import {cleanEnvironment, type Running, type RunOptions, startStreamlog} from './run-cli.js';

export interface Served extends Running {
  /** `http://127.0.0.1:…` */
  url: string;
  /** POSTs `body` as `type` to `path`. */
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
}

const JSON_TYPE = {'Content-Type': 'application/json'};
export const NDJSON_TYPE = {'Content-Type': 'application/x-ndjson'};

/** Starts `streamlog serve` on a free loopback port and waits until it listens. */
export async function serve(args: readonly string[], options: RunOptions = {}): Promise<Served> {
  return ready(startStreamlog(['serve', '--listen', '127.0.0.1:0', ...args], {limitMs: 120_000, ...options}));
}

/** Waits until a `serve` that was started says where it listens. */
export async function ready(started: Running): Promise<Served> {
  endWithUs(started.process);
  let ended = false;
  started.process.once('exit', () => {
    ended = true;
  });
  const listening = /listening on (https?:\S+|unix:\S+)/;
  await until(() => ended || listening.test(started.stderr()), 'serve listens');
  const url = listening.exec(started.stderr())?.[1];
  if (url === undefined) throw new Error(`serve ended: ${started.stderr()}`);
  const post: Served['post'] = (path, body, headers = {}) =>
    fetch(`${url}${path}`, {method: 'POST', body, headers: {...JSON_TYPE, ...headers}});
  return {...started, url, post};
}

/** The npm package's own way in, under the Node that runs the tests. */
export function startUnderNode(
  args: readonly string[],
  server: RedisServer,
  env: Record<string, string> = {},
): Running {
  const script = join(import.meta.dirname, '../../bin/run.js');
  const child = spawn(process.execPath, [script, ...args], {env: cleanEnvironment(server, env), stdio: 'pipe'});
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const finished = new Promise<Awaited<Running['finished']>>((resolve) => {
    child.on('close', (code, signal) => resolve({code, signal, stdout, stderr}));
  });
  return {process: child, stdout: () => stdout, stderr: () => stderr, finished};
}

/** How `serve` can be run: the same behaviour is promised of both. */
export const RUNTIMES: [name: string, start: (args: readonly string[], server: RedisServer) => Promise<Served>][] = [
  ['the executable', (args, server) => serve(args, {server})],
  ['Node', (args, server) => ready(startUnderNode(['serve', '--listen', '127.0.0.1:0', ...args], server))],
];

export interface RawConnection {
  socket: Socket;
  received(): string;
  /** Resolves with all that was received when the connection has ended. */
  closed: Promise<string>;
}

/** A bare connection to the server at `url`, in TLS where that is https, which sends `bytes` as they are. */
export function sendRaw(url: string, bytes: string | Uint8Array): RawConnection {
  const {protocol, hostname, port, pathname} = new URL(url);
  const socket =
    protocol === 'unix:'
      ? connect(pathname)
      : protocol === 'https:'
        ? connectTls({port: Number(port), host: hostname, rejectUnauthorized: false})
        : connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  socket.write(bytes);
  return {socket, received: () => received, closed};
}

/** The head of a POST of JSON, with `headers` as further lines. */
export const postHead = (path: string, ...headers: string[]): string =>
  [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', ...headers, '', ''].join('\r\n');

/** The status of each answer in what came over a raw connection. */
export const statuses = (received: string): number[] =>
  [...received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

export interface CuttingProxy {
  url: string;
  /** Lets this many more bytes of answers through on each connection, then cuts all of them. */
  cutAfter(bytes: number): void;
  close(): void;
}

/** Stands between streamlog and a Redis that listens on a port. */
export async function cuttingProxy(server: RedisServer): Promise<CuttingProxy> {
  let left = Number.POSITIVE_INFINITY;
  const sockets = new Set<Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      client.write(part, () => {
        if (left === 0) cut();
      });
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cutAfter(bytes) {
      left = bytes;
    },
    close() {
      cut();
      proxy.close();
    },
  };
}
