/**
 * Keeps web pages out. A browser lets any page send requests to this machine,
 * and by DNS rebinding under a name of the page's own; but it always says which
 * name it believes to talk to, and on whose behalf. Knows nothing of tokens.
 * Invariant: a request gets past only by a name that is known to be ours, and
 * never from a page.
 */
import type {IncomingHttpHeaders} from 'node:http';
import {isIP} from 'node:net';
import {usageError} from '../errors.js';
import {isLoopback, isLoopbackName, type ListenAddress} from './listen-address.js';
import {Refusal} from './responses.js';

export interface HostGuardOptions {
  address: ListenAddress;
  /** Whether tokens are asked for. */
  secured: boolean;
  /** More names, as `HOST` or `HOST:PORT`. */
  allowed: readonly string[];
}

/** `authority` is the host that a target in absolute form names. */
type HostGuard = (request: {headers: IncomingHttpHeaders; authority?: string | undefined}) => void;

/** A function that throws Refusal for a request by a name that is not ours, or from a page. Throws a usage error. */
export function hostGuard(options: HostGuardOptions): HostGuard {
  const isOurs = nameTest(options);
  /** Nearly all requests come by the same name. */
  let lastOurs: string | undefined;
  return ({headers, authority}) => {
    const host = authority ?? headers.host;
    if (host !== undefined && host !== lastOurs) {
      if (!isOurs(host.toLowerCase())) throw new Refusal('misdirected');
      lastOurs = host;
    }
    if (isFromPage(headers)) throw new Refusal('from_page');
  };
}

/**
 * Ports are compared where `allowed` names one only: a page cannot choose the
 * name, and a forwarded port is another one to those who use it. Names are
 * not known of an address that other machines reach, or of a socket, which no
 * browser reaches: where a token is asked for, or the socket's permissions
 * decide, any will do. An address cannot be bound to anything else, so it
 * needs no list.
 */
function nameTest({address, secured, allowed}: HostGuardOptions): (host: string) => boolean {
  const names = new Set(allowed.map(checkedName));
  const isAllowed = (host: string): boolean => names.has(host) || names.has(withoutPort(host));
  if ('path' in address) return names.size === 0 ? () => true : isAllowed;
  if (address.host !== undefined)
    names.add(isIP(address.host) === 6 ? `[${address.host}]` : address.host.toLowerCase());
  if (isLoopback(address)) return (host) => isAllowed(host) || isLoopbackName(bare(host));
  if (secured && allowed.length === 0) return () => true;
  return (host) => isAllowed(host) || isLoopbackName(bare(host)) || isIP(bare(host)) !== 0;
}

/** `[::1]:8080` → `[::1]` */
const withoutPort = (host: string): string => host.replace(/:\d*$/, '');

/** `[::1]:8080` → `::1` */
const bare = (host: string): string => withoutPort(host).replace(/^\[(.*)\]$/, '$1');

function checkedName(text: string): string {
  if (!/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text))
    throw usageError(`--allow-host takes a name or an address, with a port or without, not "${text}"`);
  return text.toLowerCase();
}

/** Pages say so. Programs do not, and neither does a person who types the URL. */
function isFromPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return headers.origin !== undefined || (site !== undefined && site !== 'none' && site !== 'same-origin');
}
