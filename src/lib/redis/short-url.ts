/**
 * What people type in place of a URL: `localhost`, `localhost:6380`, `:6380`, `/run/redis.sock`. Invariant: what could
 * mean two things is refused with the forms that mean one; a text with an @ is never taken, as a password may be in it.
 */
import {BadUrl} from './bad-url.js';

const HOST = /^(?:[\p{L}\p{N}_][\p{L}\p{N}_.-]*|\[[0-9a-f:.]+\])$/iu;
const HOST_PORT_DB = /^([^:/?#[\]]*|\[[0-9a-f:.]+\]):(\d{1,5})(?:\/(\d{1,5}))?$/i;

/** `text` as a URL; as it is where it has a scheme. Throws BadUrl where it is not clear what it names. */
export function fullUrl(text: string): string {
  if (text.includes('://') || text === '') return text;
  if (text.includes('@')) throw unclear('it has no scheme', 'redis://[user:password@]host[:port][/db]');
  if (/^\.{0,2}\//.test(text)) return socketUrl(text);
  const [, host, port, db] = HOST_PORT_DB.exec(text) ?? [];
  if (port !== undefined && (host === '' || HOST.test(host!)))
    return `redis://${host || '127.0.0.1'}:${port}${db === undefined ? '' : `/${db}`}`;
  if (/^\d+$/.test(text)) throw unclear(`"${text}" may be a port or a host`, `:${text} or redis://${text}`);
  if (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text))
    throw unclear('an IPv6 address needs brackets', `[${text}] or [${text}]:6379`);
  if (/\.sock(et)?$/.test(text)) throw unclear(`"${text}" may be a socket or a host`, `./${text} for the socket`);
  if (HOST.test(text)) return `redis://${text}`;
  if (text.includes(','))
    throw unclear('it names several hosts', 'redis+sentinel://H1,H2/NAME or redis+cluster://H1,H2');
  const [first, ...rest] = text.split('/');
  if (rest.length === 1 && HOST.test(first!))
    throw unclear('it may be a host or a path', `redis://${text} or ./${text}`);
  throw unclear('its form is unknown', 'host:port, :port, /path/to/socket or redis://host:port');
}

const unclear = (reason: string, form: string): BadUrl => new BadUrl(reason, `write ${form}`);

/** A path has any characters; in a URL, `?` and `%` mean something. */
const socketUrl = (path: string): string => `unix://${path.replace(/[%?#@]/g, encodeURIComponent)}`;
