/**
 * Addresses to listen on: `127.0.0.1:8080`, `:8080` for every interface,
 * `[::1]:8080`, `unix:/run/streamlog.sock`. Invariant: a unix socket at which a
 * process answers is never replaced.
 */
import {chmodSync, lstatSync, rmSync} from 'node:fs';
import {connect, isIPv4, type Server} from 'node:net';
import {StreamlogError, usageError} from '../errors.js';

export interface TcpAddress {
  /** Undefined: every interface. */
  host: string | undefined;
  /** 0: any free port. */
  port: number;
}

/** A unix socket. */
export interface SocketAddress {
  path: string;
}

export type ListenAddress = TcpAddress | SocketAddress;

/** The size of `sun_path` (unix(7)) without its final NUL; Node truncates a longer path without an error:
 * https://nodejs.org/api/net.html#identifying-paths-for-ipc-connections */
const MAX_SOCKET_PATH_BYTES = 107;
/** The default permissions of a unix socket. */
const OWNER_ONLY = 0o600;

/** Throws a usage error. */
export function parseListenAddress(text: string): ListenAddress {
  const path = /^unix:(.+)$/s.exec(text)?.[1];
  if (path !== undefined) {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES || path.includes('\0'))
      throw usageError(`the path of a unix socket has at most ${MAX_SOCKET_PATH_BYTES} bytes`);
    return {path};
  }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw usageError(`--listen takes HOST:PORT, :PORT, [IPv6]:PORT or unix:PATH, not "${text}"`);
  return {host: match[1] ?? (match[2] || undefined), port};
}

/** The permissions of a unix socket, as chmod takes them. Throws a usage error. */
export function parseSocketMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text))
    throw usageError(`--socket-mode takes three octal digits, such as 660, not "${text}"`);
  return Number.parseInt(text, 8);
}

/** Whether only this machine can reach it. */
export const isLoopback = (address: ListenAddress): boolean =>
  'path' in address || (address.host !== undefined && isLoopbackName(address.host));

/** For `localhost`, or an address without brackets. */
export const isLoopbackName = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** `http://127.0.0.1:8080` */
export const addressUrl = (address: string, port: number, scheme: 'http' | 'https' = 'http'): string =>
  `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`;

/** The URL of a server that listens, with the real port. */
export function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const address = server.address();
  if (typeof address === 'string' || address === null) return `unix:${address ?? ''}`;
  return addressUrl(address.address, address.port, scheme);
}

/** Throws a configuration failure when the address is in use or not ours. `socketMode` applies to a unix socket. */
export async function listenAt(server: Server, address: ListenAddress, socketMode = OWNER_ONLY): Promise<void> {
  if ('path' in address) await removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(listenFailure(error));
    server.once('error', fail);
    const {host, ...rest} = {host: undefined, ...address};
    server.listen({...rest, ...(host === undefined ? {} : {host})}, () => {
      server.off('error', fail);
      resolve();
    });
  });
  if ('path' in address) chmodSync(address.path, socketMode);
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, {throwIfNoEntry: false});
  if (found === undefined) return;
  if (!found.isSocket())
    throw new StreamlogError('configuration', `cannot listen: ${path} exists and is not a socket`, {
      hint: 'give another path, or remove it',
    });
  if (await isAnswered(path)) throw listenFailure({code: 'EADDRINUSE'});
  rmSync(path, {force: true});
}

/** A socket that we may not use, or that is too busy, counts as answered. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', ({code}: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'this needs more rights',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this machine has no such address',
  ENOENT: 'there is no such directory',
};

function listenFailure({code}: Pick<NodeJS.ErrnoException, 'code'>): StreamlogError {
  return new StreamlogError('configuration', `cannot listen: ${REASONS[code ?? ''] ?? code ?? 'unknown error'}`, {
    code,
    hint: 'give another --listen HOST:PORT or unix:PATH',
  });
}
