/**
 * How redis-cli reaches the server of a connection. Invariant: no password is among the words; redis-cli takes one from the
 * variable REDISCLI_AUTH (https://redis.io/docs/latest/develop/tools/cli/).
 */
import type {Target} from './server-target.js';

/** Words of a command line, not quoted; `node` is the `host:port` that was connected to, '' for a socket. */
export function redisCliWords({kind, tls, sni, db, username, ...target}: Target, node: string): string[] {
  const database = db === 0 ? [] : ['-n', String(db)];
  const user = username === undefined ? [] : ['--user', username];
  if (kind === 'unix') return ['redis-cli', '-s', (target as {path: string}).path, ...database, ...user];
  const colon = node.lastIndexOf(':');
  const host = node.slice(0, colon);
  const scheme = tls === undefined ? 'redis' : 'rediss';
  // Redis before 7.2 does not know brackets in a URL (https://github.com/redis/redis/blob/7.0/src/cli_common.c).
  const address = host.includes(':')
    ? ['-h', host, '-p', node.slice(colon + 1), ...(tls === undefined ? [] : ['--tls'])]
    : ['-u', `${scheme}://${node}`];
  return ['redis-cli', ...address, ...(sni === undefined ? [] : ['--sni', sni]), ...database, ...user];
}
