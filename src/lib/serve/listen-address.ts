/**
 * Where a server listens, as people write it: `127.0.0.1:8080`, `:8080` for
 * every interface, `[::1]:8080`, `unix:/run/streamlog.sock`.
 */
import {isIPv4} from 'node:net';
import {usageError} from '../errors.js';

export interface TcpAddress {
  /** Undefined: every interface. */
  host: string | undefined;
  /** 0: any free one. */
  port: number;
}

/** A unix socket. */
export interface SocketAddress {
  path: string;
}

export type ListenAddress = TcpAddress | SocketAddress;

/** What the system has room for; Node cuts a longer path short without a word. */
const MAX_SOCKET_PATH_BYTES = 107;

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

/** Of `localhost`, and of an address without brackets. */
export const isLoopbackName = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** `http://127.0.0.1:8080` */
export const addressUrl = (address: string, port: number, scheme: 'http' | 'https' = 'http'): string =>
  `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`;
