/**
 * Requests that two programs could read in two ways, one of them a proxy in
 * front of us: what the proxy takes for a body may then be a second request
 * here. The parsers of Node and Bun refuse most of them; this is the rest,
 * and the number of headers, which Node cuts off in silence. Invariant: what
 * gets past here ends where everybody thinks that it ends.
 */
import type {IncomingMessage} from 'node:http';

export const MAX_HEADERS = 64;

/**
 * What there may be one of. The runtimes keep the first or the last of two, or join them, and a proxy may do
 * otherwise: it would have checked another token, or another type, than the one that counts here.
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

/** False where the connection cannot be used afterwards, since nobody knows where the next request begins. */
export function hasOneReading({rawHeaders, headers, httpVersion}: IncomingMessage): boolean {
  if (comesTwice(rawHeaders)) return false;
  const coding = headers['transfer-encoding'];
  return (
    (httpVersion === '1.1' || (httpVersion === '1.0' && coding === undefined)) &&
    (httpVersion === '1.0' || headers.host !== undefined) &&
    (coding === undefined || coding.toLowerCase() === 'chunked')
  );
}

/** Whether Node would have cut some off. */
export const hasTooManyHeaders = ({rawHeaders}: IncomingMessage): boolean => rawHeaders.length > 2 * MAX_HEADERS;
