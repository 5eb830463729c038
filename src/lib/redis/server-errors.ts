/**
 * Turns the error replies of Redis and the errors of ioredis
 * (https://github.com/redis/ioredis/blob/main/lib/redis/event_handler.ts) into failures, with refusals.ts and
 * connection-errors.ts, which
 * read the texts. Invariant: a message holds nothing of what was sent to Redis, apart from the names of stream and group.
 */
import {NO_STREAM, NOT_REDIS, StreamlogError} from '../errors.js';
import type {Outcome} from '../exit-codes.js';
import {shellWord} from '../shell-word.js';
import {
  codeOf,
  isConnectionLoss,
  isNotRedis,
  reasonOf,
  type ServerAddress,
  unreachable,
  withSource,
} from './connection-errors.js';
import {type CommandContext, meaningOf, on} from './refusals.js';

export type {CommandContext} from './refusals.js';

/** True when Redis itself answered with an error, so the command was not executed. */
export const isServerReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError';

/** The failure behind an error reply or a broken connection; `problem` is what the connection itself last reported. */
export function toFailure(error: unknown, context: CommandContext, problem: ServerErrorReason = {}): StreamlogError {
  if (error instanceof StreamlogError) return error;
  const reply = replyTextOf(error);
  return reply === undefined ? lost(error, context, problem) : fromReply(reply, context);
}

/** The failure that an error reply tells of; `text` is without the leading minus. */
export const replyFailure = (text: string, context: CommandContext): StreamlogError =>
  fromReply(text.replace(WITHIN_SCRIPT, ''), context);

/**
 * The server of a connection is not the master any more, or says nothing. It is as if the connection were lost: what had
 * no answer may have been done, and may be lost with that server.
 */
export const switched = (message: string): StreamlogError => failure('unreachable', 'SWITCHED', message);

/** ioredis tells why a connection broke in an event, and not to the commands that it fails for it. */
export interface ServerErrorReason {
  error?: unknown;
  /** The node of a cluster. */
  node?: string;
}

/** Whether `error` tells more than that there is no connection. */
export const saysWhy = (error: unknown): boolean =>
  error instanceof StreamlogError || replyTextOf(error) !== undefined || codeOf(error) !== undefined;

/** The failure of a connection that could not be opened. */
export function toConnectFailure(error: unknown, server: ServerAddress): StreamlogError {
  const reply = replyTextOf(error);
  if (reply === undefined && !(error instanceof StreamlogError)) return unreachable(error, server);
  const {kind, message, code, hint} =
    error instanceof StreamlogError ? error : fromReply(reply!, {command: 'the connection'});
  return new StreamlogError(kind, `${withSource(server)}: ${message}`, {code, hint});
}

/** What is in front of the error of EXEC itself, such as of a user who may not run it (https://redis.io/docs/latest/develop/using-commands/transactions/). */
const WITHIN_EXEC = /^EXECABORT Transaction discarded because of: -?/;

/** What Redis before 7.0 writes in front of the error of a command that a script called. */
const WITHIN_SCRIPT = /^ERR Error running script \(call to [^)]*\): (?:@\S+: ?\d+: )*-?(?=[A-Z]+ )/;

/** Redis' error reply in `error`, or in what ioredis made of it when it gave up. */
function replyTextOf(error: unknown): string | undefined {
  if (isServerReply(error)) return error.message.replace(WITHIN_SCRIPT, '').replace(WITHIN_EXEC, '');
  if (!(error instanceof Error)) return undefined;
  if ('lastNodeError' in error) return replyTextOf(error.lastNodeError);
  return /Last error: (?:ReplyError: )?([A-Z]{3,} .*)$/s.exec(error.message)?.[1];
}

function fromReply(message: string, context: CommandContext): StreamlogError {
  const {stream, group} = context;
  // Redis' name for the error; a proxy may have none.
  const word = /^[A-Z]{2,}(?![a-z])/.exec(message)?.[0] ?? 'REFUSED';
  if (word === 'NOGROUP') return noGroup(stream, group);
  if (/no such key|requires the key to exist/i.test(message)) return noStream(stream);
  // In a cluster the stream may have moved: Redis 7.0 does not tell blocked clients that (redis/redis#2379).
  if (/key no longer exists/.test(message) && !context.inCluster) return noStream(stream);
  if (/equal or smaller than the target stream top item/.test(message)) {
    return failure(
      'data',
      'SMALLER_ID',
      `the ID is not above the last ID${on(stream)}`,
      'IDs of a stream only grow; leave --id out, or see: streamlog info',
    );
  }
  const [kind, what, hint] = meaningOf(message, word, context);
  const home = context.inCluster ? /^(?:MOVED|ASK) \d+ (\S+:\d+)$/.exec(message)?.[1] : undefined;
  return home === undefined ? failure(kind, codeFor(word, message), what, hint) : new Moved(home, word, what, hint);
}

/** Another node of the cluster serves the slot: from now on (MOVED), or for this key while the slot moves (ASK). */
export class Moved extends StreamlogError {
  /** `host:port` */
  readonly home: string;

  constructor(home: string, code: string, message: string, hint: string | undefined) {
    super('temporary', message, {code, hint});
    this.home = home;
  }
}

/** Where a key is, as `host:port`, whose slot is moving; undefined for all other failures. */
export const askedTo = (failure: unknown): string | undefined =>
  failure instanceof Moved && failure.code === 'ASK' ? failure.home : undefined;

const codeFor = (word: string, message: string): string =>
  /max number of clients/.test(message)
    ? 'MAXCLIENTS'
    : /ACL failure in script|The user executing the script can't/.test(message)
      ? 'NOPERM'
      : word;

/** The user may not run `command` on `stream`. */
export const noPermission = (command: string, stream: string): StreamlogError => fromReply('NOPERM', {command, stream});

/** No such stream; `stream` is undefined where the command spans several. */
export const noStream = (stream: string | undefined): StreamlogError =>
  new StreamlogError('notFound', `no stream "${stream ?? ''}"`, {
    code: NO_STREAM,
    hint: 'see: streamlog ls',
    ...(stream === undefined ? {} : {missing: {stream}}),
  });

/** As `error`, which Redis has for a key of the wrong type, with the type where it is known: `a` of another one than a stream. */
export const notStream = (stream: string, type: string | undefined, error: StreamlogError): StreamlogError =>
  type === undefined || !/^[a-z-]+$/i.test(type) || type === 'none' || type === 'stream'
    ? error
    : failure('data', 'WRONGTYPE', `"${stream}" is a ${type}, not a stream`, 'give another stream');

/** No such group, or no such stream to have one. */
export const noGroup = (stream: string | undefined, group: string | undefined): StreamlogError =>
  new StreamlogError('notFound', `no group "${group ?? ''}" on stream "${stream ?? ''}"`, {
    code: 'NOGROUP',
    hint: `see: streamlog group list --stream ${shellWord(stream ?? 'NAME')}`,
    ...(stream === undefined || group === undefined ? {} : {missing: {stream, group}}),
  });

function lost(error: unknown, {command}: CommandContext, problem: ServerErrorReason): StreamlogError {
  if (!isConnectionLoss(error)) {
    const name = error instanceof Error ? error.name : 'unknown error';
    return new StreamlogError('bug', `${command} failed: ${name}`, {code: codeOf(error)});
  }
  const cause = problem.error ?? error;
  const node = problem.node === undefined ? '' : `${problem.node}: `;
  return failure(
    'unreachable',
    codeOf(cause) ?? (isNotRedis(cause) ? NOT_REDIS : 'CLOSED'),
    `the connection to Redis was lost during ${command}: ${node}${reasonOf(cause)}`,
  );
}

const failure = (kind: Outcome, code: string, message: string, hint?: string): StreamlogError =>
  new StreamlogError(kind, message, {code, hint});
