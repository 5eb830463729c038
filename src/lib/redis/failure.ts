/**
 * The only place that reads Redis' and ioredis' error texts. It turns them into
 * StreamlogErrors and lets go of the original, which carries the arguments of
 * the command. Invariant: nothing of what the user sent to Redis is in the
 * message, apart from the names of stream and group that the caller gives.
 */

import {StreamlogError} from '../errors.js';
import type {Outcome} from '../exit-codes.js';

/** What the failing command was about, for the message. */
export interface CommandContext {
  command: string;
  stream?: string;
  group?: string;
}

/** Redis' error words that say: not now, nothing was executed, try again. */
const TEMPORARY: Record<string, string> = {
  OOM: 'Redis is out of memory (maxmemory); free memory, trim a stream or raise maxmemory',
  LOADING: 'Redis is loading its data; wait and run again',
  READONLY: 'this server is a read-only replica; connect to the master',
  MISCONF: 'Redis cannot save to its disk and refuses writes; see its log',
  BUSY: 'a script keeps Redis busy; wait, or end it with SCRIPT KILL',
  NOREPLICAS: 'Redis has too few good replicas for a write (min-replicas-to-write)',
  MASTERDOWN: 'this replica has lost its master',
  CLUSTERDOWN: 'the cluster does not serve this slot now',
  TRYAGAIN: 'the cluster is moving this slot; run again',
};

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'EACCES',
]);

/** True when Redis itself answered with an error, so the command was not executed. */
export const isServerReply = (error: unknown): error is Error =>
  error instanceof Error && (error.name === 'ReplyError' || error.constructor.name === 'ReplyError');

/** The failure behind an error reply or a broken connection. */
export function toFailure(error: unknown, context: CommandContext): StreamlogError {
  if (error instanceof StreamlogError) return error;
  return isServerReply(error) ? fromReply(error.message, context) : fromConnection(error, context);
}

/** The failure of a connection that could not be opened. `place` names the server. */
export function toConnectFailure(error: unknown, place: string): StreamlogError {
  if (error instanceof StreamlogError) return error;
  if (isServerReply(error)) {
    return fromReply(error.message, {command: 'connecting'});
  }
  const code = codeOf(error);
  return new StreamlogError('unreachable', `cannot reach Redis at ${place}: ${reasonOf(error, code)}`, {
    code,
    hint: 'is it running? "streamlog local start" runs a private Redis; --url or STREAMLOG_URL names another',
  });
}

function fromReply(message: string, {command, stream, group}: CommandContext): StreamlogError {
  const word = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
  const on = stream === undefined ? '' : ` on stream "${stream}"`;
  if (word === 'NOGROUP') return noGroup(stream, group);
  if (word === 'WRONGTYPE') {
    return failure(
      'data',
      word,
      `"${stream ?? 'the key'}" holds no stream but another type`,
      'see: redis-cli TYPE, or give another --stream',
    );
  }
  if (word === 'NOAUTH' || word === 'WRONGPASS') {
    return failure(
      'denied',
      word,
      'Redis wants a user and password, or refuses the given ones',
      'set STREAMLOG_PASSWORD or give --password-file (and --username)',
    );
  }
  if (word === 'NOPERM') {
    return failure('denied', word, `the Redis user may not run ${command}${on}`, 'see: redis-cli ACL GETUSER');
  }
  if (word === 'CROSSSLOT') {
    return failure(
      'usage',
      word,
      'these streams live in different slots of the cluster',
      'give them a common {hash tag}',
    );
  }
  const temporary = TEMPORARY[word];
  if (temporary !== undefined)
    return failure('temporary', word, `Redis refuses ${command}${on} for now (${word})`, temporary);
  if (/equal or smaller than the target stream top item/.test(message)) {
    return failure(
      'data',
      'SMALLER_ID',
      `the ID is not above the last ID${on}`,
      'IDs of a stream only grow; leave --id out, or see: streamlog info',
    );
  }
  if (/must be greater than 0-0/.test(message)) return failure('usage', word, 'an entry cannot have the ID 0-0');
  if (/no such key|requires the key to exist/i.test(message)) return noStream(stream);
  if (/unknown (sub)?command/i.test(message)) {
    return failure(
      'configuration',
      word,
      `this server does not know ${command}`,
      'streamlog needs Redis 6.2 or later, or Valkey',
    );
  }
  if (/AUTH|invalid (username|password)/i.test(message)) {
    return failure(
      'denied',
      word,
      'Redis refuses the given user or password',
      'set STREAMLOG_PASSWORD or give --password-file (and --username)',
    );
  }
  if (/max number of clients/.test(message))
    return failure('temporary', word, 'Redis has no connection left (maxclients)');
  return failure('data', word, `Redis refuses ${command}${on}: ${message.slice(0, 200)}`);
}

/** No such stream; `stream` is undefined where the command spans several. */
export const noStream = (stream: string | undefined): StreamlogError =>
  failure('notFound', 'NOSTREAM', `no stream "${stream ?? ''}"`, 'see: streamlog ls');

/** No such group, or no such stream to have one. */
export const noGroup = (stream: string | undefined, group: string | undefined): StreamlogError =>
  failure(
    'notFound',
    'NOGROUP',
    `no group "${group ?? ''}" on stream "${stream ?? ''}"`,
    `create it: streamlog group create ${group ?? 'NAME'} --stream ${stream ?? 'NAME'} --from start`,
  );

function fromConnection(error: unknown, {command}: CommandContext): StreamlogError {
  const code = codeOf(error);
  const known = code !== undefined && UNREACHABLE.has(code);
  if (known || isConnectionLoss(error)) {
    return new StreamlogError('unreachable', `the connection to Redis was lost during ${command}`, {
      code: code ?? 'CLOSED',
    });
  }
  return new StreamlogError('bug', `${command} failed: ${error instanceof Error ? error.name : 'unknown error'}`, {
    code,
  });
}

/** ioredis has no error class for this, so its texts stand for one; a test runs against the installed version. */
const isConnectionLoss = (error: unknown): boolean =>
  error instanceof Error &&
  /Connection is closed|Socket timeout|Stream isn't writeable|Stream connection ended|Command queue state|Protocol error/i.test(
    error.message,
  );

function reasonOf(error: unknown, code: string | undefined): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOENT') return 'there is no such socket';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  if (code === 'ETIMEDOUT') return 'no answer in time';
  if (error instanceof Error && /certificate|altname|self.signed|SSL|TLS/i.test(error.message))
    return `TLS: ${error.message.slice(0, 160)}`;
  if (error instanceof Error && /sentinel/i.test(error.message)) return 'no sentinel answers with a master';
  if (error instanceof Error && /slots cache|startup nodes/i.test(error.message))
    return 'no node of the cluster answers';
  return code ?? (error instanceof Error ? error.message.slice(0, 160) : 'unknown error');
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error && /ETIMEDOUT|timed? ?out/i.test(error.message) ? 'ETIMEDOUT' : undefined;
}

const failure = (kind: Outcome, code: string, message: string, hint?: string): StreamlogError =>
  new StreamlogError(kind, message, {code, hint});
