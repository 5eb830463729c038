/**
 * Reads the head of a request: its target, its headers, the name by which the
 * server was addressed. Invariant: a request that a proxy in front of us could
 * read in another way is refused, and so is one that a web page sent. What the
 * parsers of both runtimes refuse by themselves is not repeated here.
 */
import type {IncomingHttpHeaders, IncomingMessage} from 'node:http';
import {isIP} from 'node:net';
import {usageError} from '../errors.js';
import {isLoopback, isLoopbackName, type ListenAddress} from './listen.js';
import {Refusal} from './responses.js';

export interface RequestTarget {
  /** Begins with a slash, still percent-encoded; `*` for the whole server. */
  readonly path: string;
  /** The text after the question mark; undefined without one. */
  readonly query: string | undefined;
  /** `HOST` or `HOST:PORT` of a target in absolute form, which overrides the Host header (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d{0,5})?$/i;
/** Visible ASCII, without characters that some parsers take for a slash or for the end of the path. */
const PATH = /^\/[!"$-.0-[\]-~/]*$/;
/** A dot segment, percent-encoded or not (RFC 3986, section 5.2.4). */
const DOTS = /^(?:\.|%2e){1,2}$/i;
/** Slashes, and what decodes to one. */
const SLASHES = /\/|%2f|%5c/i;

/** Most requests have the same target as the one before. */
let last: {readonly text: string; readonly target: RequestTarget | undefined} = {text: '', target: undefined};

/** Undefined for a target that is invalid or ambiguous (RFC 3986, section 3.3; the URL standard of browsers). */
export function readTarget(text: string): RequestTarget | undefined {
  if (text !== last.text) last = {text, target: parseTarget(text)};
  return last.target;
}

function parseTarget(target: string): RequestTarget | undefined {
  if (target.startsWith('/')) return parseOrigin(target, undefined);
  if (target === '*') return {path: target, query: undefined, authority: undefined};
  const [, authority = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  return AUTHORITY.test(authority) ? parseOrigin(rest.startsWith('/') ? rest : `/${rest}`, authority) : undefined;
}

function parseOrigin(text: string, authority: string | undefined): RequestTarget | undefined {
  if (text.includes('#')) return undefined;
  const end = text.indexOf('?');
  const path = end === -1 ? text : text.slice(0, end);
  if (!PATH.test(path)) return undefined;
  if (/\.|%2e/i.test(path) && path.split(SLASHES).some((segment) => DOTS.test(segment))) return undefined;
  return {path, query: end === -1 ? undefined : text.slice(end + 1), authority};
}

/** More than these, and Node drops the rest without an error: https://nodejs.org/api/http.html#servermaxheaderscount */
export const MAX_HEADERS = 64;

/**
 * Headers that may come once only. Of two, runtimes keep the first or the last, or join them (https://nodejs.org/api/http.html#messageheaders), and a
 * proxy may do otherwise: it would have checked another token, or another type, than the one used here.
 */
const SINGLE = [
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'content-type',
  'content-encoding',
  'idempotency-key',
  'last-event-id',
  'expect',
];
/** Most headers have another length than all of these. */
const LENGTHS = new Set(SINGLE.map(({length}) => length));

function comesTwice(rawHeaders: readonly string[]): boolean {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    const index = LENGTHS.has(name.length) ? SINGLE.indexOf(name.toLowerCase()) : -1;
    if (index === -1) continue;
    if ((seen & (1 << index)) !== 0) return true;
    seen |= 1 << index;
  }
  return false;
}

/**
 * Why a request cannot be read; undefined when it can. After such a request the connection cannot be used any more,
 * since it is not certain where the next one begins (request smuggling; RFC 9112, sections 6.3 and 11.2).
 */
export function refusalOfHead({
  rawHeaders,
  headers,
  httpVersion,
}: IncomingMessage): 'headers_too_large' | 'bad_request' | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) return 'headers_too_large';
  const coding = headers['transfer-encoding'];
  const isClear =
    !comesTwice(rawHeaders) &&
    (httpVersion === '1.1' || (httpVersion === '1.0' && coding === undefined)) &&
    (httpVersion === '1.0' || headers.host !== undefined) &&
    (coding === undefined || coding.toLowerCase() === 'chunked');
  return isClear ? undefined : 'bad_request';
}

export interface HostGuardOptions {
  address: ListenAddress;
  /** Whether tokens are required. */
  secured: boolean;
  /** Further names, as `HOST` or `HOST:PORT`. */
  allowed: readonly string[];
}

/** Throws Refusal. `authority` is the host of a target in absolute form. */
export type HostGuard = (headers: IncomingHttpHeaders, authority: string | undefined) => void;

/**
 * Refuses requests that web pages make. A browser lets any page send requests to this machine, by DNS rebinding also
 * under a name of the page's own, but always sends that name, and the origin of the page. Throws a usage error.
 */
export function hostGuard(options: HostGuardOptions): HostGuard {
  const isOurs = nameTest(options);
  /** Nearly all requests use the same name. */
  let lastOurs: string | undefined;
  return (headers, authority) => {
    const host = authority ?? headers.host;
    if (host !== undefined && host !== lastOurs) {
      if (!isOurs(host.toLowerCase())) throw new Refusal('misdirected');
      lastOurs = host;
    }
    const site = headers['sec-fetch-site'];
    if (headers.origin !== undefined || (site !== undefined && site !== 'none' && site !== 'same-origin'))
      throw new Refusal('from_page');
  };
}

/**
 * Ports are compared only where `allowed` names one: a page cannot choose the name, and a forwarded port differs from
 * ours. Any name is accepted on a unix socket, which no browser reaches, and where tokens are required. An IP address
 * is always accepted, since DNS rebinding needs a name.
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
