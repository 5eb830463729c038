/** Where a server listens, as people write it: `127.0.0.1:8080`, `:8080` for every interface, `[::1]:8080`. */
import {isIPv4} from 'node:net';
import {usageError} from '../errors.js';

export interface ListenAddress {
  /** Undefined: every interface. */
  host: string | undefined;
  /** 0: any free one. */
  port: number;
}

/** Throws a usage error. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw usageError(`--listen takes HOST:PORT, :PORT or [IPv6]:PORT, not "${text}"`);
  return {host: match[1] ?? (match[2] || undefined), port};
}

/** Whether only this machine can reach it. */
export const isLoopback = ({host}: ListenAddress): boolean =>
  host !== undefined && (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.')));

/** `http://127.0.0.1:8080` */
export const addressUrl = (address: string, port: number): string =>
  `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
