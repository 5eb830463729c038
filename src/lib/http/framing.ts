/**
 * Requests that two programs could read in two ways, one of them a proxy in
 * front of us: what the proxy takes for a body may then be a second request
 * here. The parsers of Node and Bun refuse most of them; this is the rest,
 * and the number of headers, which Node cuts off in silence. Invariant: what
 * gets past here ends where everybody thinks that it ends.
 */
import type {IncomingMessage} from 'node:http';
import {Refusal} from './answers.js';

export const MAX_HEADERS = 64;

/** Whether a header has that name, which is given in lower case. */
const isName = (header: string, name: string): boolean =>
  header.length === name.length && header.toLowerCase() === name;

/** Throws Refusal. The connection cannot be used afterwards, since nobody knows where the next request begins. */
export function requireOneReading({rawHeaders, headers, httpVersion}: IncomingMessage): void {
  if (rawHeaders.length > 2 * MAX_HEADERS) throw new Refusal('headers_too_large');
  let hosts = 0;
  let lengths = 0;
  let codings = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (isName(name, 'host')) hosts++;
    else if (isName(name, 'content-length')) lengths++;
    else if (isName(name, 'transfer-encoding')) codings++;
  }
  const coding = headers['transfer-encoding'];
  const readable =
    (httpVersion === '1.1' || (httpVersion === '1.0' && coding === undefined)) &&
    hosts <= 1 &&
    lengths <= 1 &&
    (httpVersion === '1.0' || headers.host !== undefined) &&
    (coding === undefined || (coding.toLowerCase() === 'chunked' && codings === 1));
  if (!readable) throw new Refusal('bad_request');
}
