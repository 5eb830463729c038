/**
 * Takes an address: ports by asking the system, unix sockets with the care that
 * a file needs which outlives whoever made it. Invariant: a socket at which
 * somebody answers is never taken away from him.
 */
import {chmodSync, lstatSync, rmSync} from 'node:fs';
import {connect, type Server} from 'node:net';
import {StreamlogError} from '../errors.js';
import {addressUrl, type ListenAddress} from './listen-address.js';

/** Who may connect to a unix socket when nothing else was said: its owner. */
const OWNER_ONLY = 0o600;

/** Throws a configuration failure when the address cannot be had. `socketMode` is for a unix socket. */
export async function listenAt(server: Server, address: ListenAddress, socketMode = OWNER_ONLY): Promise<void> {
  if ('path' in address) await removeLeftBehind(address.path);
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

/** Where a server listens, with the real port. */
export function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const address = server.address();
  if (typeof address === 'string' || address === null) return `unix:${address ?? ''}`;
  return addressUrl(address.address, address.port, scheme);
}

async function removeLeftBehind(path: string): Promise<void> {
  const found = lstatSync(path, {throwIfNoEntry: false});
  if (found === undefined) return;
  if (!found.isSocket())
    throw new StreamlogError('configuration', `cannot listen: ${path} is there and is no socket`, {
      hint: 'give another path, or remove it',
    });
  if (await isAnswered(path)) throw listenFailure({code: 'EADDRINUSE'});
  rmSync(path, {force: true});
}

/** Only a clear no is one: a socket that we may not use, or that is too busy, is somebody's. */
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
