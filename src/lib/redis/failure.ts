/**
 * The only place, with unreachable.ts, that reads Redis' and ioredis' error
 * texts. It turns them into StreamlogErrors and lets go of the original, which
 * carries the arguments of the command. Invariant: nothing of what the user
 * sent to Redis is in the message, apart from the names of stream and group
 * that the caller gives.
 */
import {StreamlogError} from '../errors.js';
import type {Outcome} from '../exit-codes.js';
import {shellWord} from '../shell-word.js';
import {codeOf, isConnectionLoss, type Place, reasonOf, unreachable} from './unreachable.js';

/** What the failing command was about, for the message. */
export interface CommandContext {
  command: string;
  stream?: string;
  group?: string;
  /** Whether the connection reaches all nodes of a cluster. */
  inCluster?: boolean;
}

/** What an error reply means to us: the kind, one line of what, one line of what to do. */
type Meaning = (context: CommandContext & {word: string}) => readonly [kind: Outcome, message: string, hint?: string];

const CREDENTIALS = 'check --username and the password (STREAMLOG_PASSWORD, --password-file or in the URL)';
const refused: Meaning = () => ['denied', 'Redis refuses the given user or password', CREDENTIALS];
const forbidden = ({command, stream}: CommandContext): ReturnType<Meaning> => [
  'denied',
  `the Redis user may not run ${command}${on(stream)}`,
  'see: redis-cli ACL GETUSER',
];
const elsewhere: Meaning = ({inCluster, ...context}) =>
  inCluster
    ? temporary('the cluster is moving this slot; run again')(context)
    : [
        'configuration',
        'this server is one node of a cluster, and the stream lives on another',
        'give --url redis+cluster:// with the same host and port',
      ];

/** Not now, nothing was executed, try again. */
const temporary =
  (hint: string): Meaning =>
  ({command, stream, word}) => ['temporary', `Redis refuses ${command}${on(stream)} for now (${word})`, hint];

/** By the first word of the reply, which is Redis' name for the error. */
const BY_WORD: Record<string, Meaning> = {
  WRONGTYPE: ({stream}) => [
    'data',
    `"${stream ?? 'the key'}" holds no stream but another type`,
    'see: redis-cli TYPE, or give another --stream',
  ],
  /** Of our own script. */
  STATETYPE: ({stream}) => [
    'data',
    `the key beside stream "${stream ?? ''}" that keeps what was added already holds something else`,
    'see docs/adr/0007 for its name; redis-cli DEL removes it',
  ],
  NOAUTH: () => ['denied', 'Redis wants a password', 'set STREAMLOG_PASSWORD or give --password-file (and --username)'],
  WRONGPASS: refused,
  NOPERM: forbidden,
  DENIED: () => [
    'denied',
    'Redis is in protected mode and serves only its own machine',
    'give the server a password, or set protected-mode no where its network is safe',
  ],
  CROSSSLOT: () => ['usage', 'these streams live in different slots of the cluster', 'give them a common {hash tag}'],
  MOVED: elsewhere,
  ASK: elsewhere,
  OOM: temporary('Redis is out of memory (maxmemory); free memory, trim a stream or raise maxmemory'),
  LOADING: temporary('Redis is loading its data; wait and run again'),
  READONLY: temporary('this server is a read-only replica; connect to the master'),
  MISCONF: temporary('Redis cannot save to its disk and refuses writes; see its log'),
  BUSY: temporary('a script keeps Redis busy; wait, or end it with SCRIPT KILL'),
  NOREPLICAS: temporary('Redis has too few good replicas for a write (min-replicas-to-write)'),
  MASTERDOWN: temporary('this replica has lost its master'),
  CLUSTERDOWN: temporary('the cluster does not serve this slot now'),
  TRYAGAIN: temporary('the cluster is moving this slot; run again'),
  UNBLOCKED: temporary('Redis let go of all who wait, as when it becomes a replica or a slot moves; run again'),
};

/** By the text, where Redis has no word for the error. */
const BY_TEXT: [text: RegExp, meaning: Meaning][] = [
  [/must be greater than 0-0/, () => ['usage', 'an entry cannot have the ID 0-0']],
  [
    /exhausted the last possible ID/,
    ({stream}) => [
      'data',
      `stream "${stream ?? ''}" has had the last ID that there is, and takes no more entries`,
      'add to another --stream; delete this one and it begins anew: redis-cli DEL',
    ],
  ],
  [
    /unknown command .?sentinel/i,
    () => [
      'configuration',
      'what answers there is no sentinel',
      'give --url redis:// for a server, or the port of the sentinels',
    ],
  ],
  [
    /No such master/,
    () => ['configuration', 'the sentinels know no master of this name', 'see: redis-cli -p 26379 SENTINEL MASTERS'],
  ],
  [
    /unknown (sub)?command/i,
    ({command}) => [
      'configuration',
      `this server does not know ${command}`,
      'streamlog needs Redis 6.2 or later, or Valkey',
    ],
  ],
  [/ACL failure in script|The user executing the script can't/, forbidden],
  [/^ERR (AUTH|Client sent AUTH|invalid password)/i, refused],
  [
    /max number of clients/,
    () => ['temporary', 'Redis has no connection left (maxclients)', 'wait and run again, or raise maxclients'],
  ],
  [
    /DB index is out of range/,
    () => ['configuration', 'the server has no database of this number', 'see: redis-cli CONFIG GET databases'],
  ],
  [
    /SELECT is not allowed in cluster mode/,
    () => ['configuration', 'a node of a cluster has no database but 0', 'leave the database out of --url'],
  ],
  [
    /cluster support disabled/,
    () => ['configuration', 'this server is not part of a cluster', 'give --url redis:// with the same host and port'],
  ],
];

/** True when Redis itself answered with an error, so the command was not executed. */
export const isServerReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError';

/** The failure behind an error reply or a broken connection; `trouble` is what the connection itself last reported. */
export function toFailure(error: unknown, context: CommandContext, trouble: Trouble = {}): StreamlogError {
  if (error instanceof StreamlogError) return error;
  const reply = replyTextOf(error);
  return reply === undefined ? lost(error, context, trouble) : fromReply(reply, context);
}

/** The failure that an error reply tells of; `text` is without the leading minus. */
export const replyFailure = (text: string, context: CommandContext): StreamlogError =>
  fromReply(text.replace(WITHIN_SCRIPT, ''), context);

/** The code of the failure of what was never sent, since there is no connection. */
export const NOT_CONNECTED = 'NOT_CONNECTED';

/** The failure of what was asked of a connection that had ended, or could not be made. */
export const notConnected = (cause?: unknown): StreamlogError =>
  cause instanceof StreamlogError
    ? failure(cause.kind, NOT_CONNECTED, cause.message, cause.hint)
    : failure('unreachable', NOT_CONNECTED, 'not connected to Redis');

/** ioredis tells why a connection broke in an event, and not to the commands that it fails for it. */
export interface Trouble {
  error?: unknown;
  /** The node of a cluster. */
  place?: string;
}

/** Whether `error` tells more than that there is no connection. */
export const saysWhy = (error: unknown): boolean =>
  error instanceof StreamlogError || replyTextOf(error) !== undefined || codeOf(error) !== undefined;

/** The failure of a connection that could not be opened. */
export function toConnectFailure(error: unknown, place: Place): StreamlogError {
  if (error instanceof StreamlogError) return error;
  const reply = replyTextOf(error);
  return reply === undefined ? unreachable(error, place) : fromReply(reply, {command: 'the connection'});
}

/** What Redis before 7.0 writes in front of the error of a command that a script called. */
const WITHIN_SCRIPT = /^ERR Error running script \(call to [^)]*\): (?:@\S+: ?\d+: )*-?(?=[A-Z]+ )/;

/** Redis' error reply in `error`, or in what ioredis made of it when it gave up. */
function replyTextOf(error: unknown): string | undefined {
  if (isServerReply(error)) return error.message.replace(WITHIN_SCRIPT, '');
  if (!(error instanceof Error)) return undefined;
  if ('lastNodeError' in error) return replyTextOf(error.lastNodeError);
  return /Last error: (?:ReplyError: )?([A-Z]{3,} .*)$/s.exec(error.message)?.[1];
}

function fromReply(message: string, context: CommandContext): StreamlogError {
  const {command, stream, group} = context;
  const word = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
  if (word === 'NOGROUP') return noGroup(stream, group);
  if (/no such key|requires the key to exist/i.test(message)) return noStream(stream);
  // The stream may only have moved to another node, which Redis 7.0 does not tell those who wait.
  if (/key no longer exists/.test(message) && !context.inCluster) return noStream(stream);
  if (/equal or smaller than the target stream top item/.test(message)) {
    return failure(
      'data',
      'SMALLER_ID',
      `the ID is not above the last ID${on(stream)}`,
      'IDs of a stream only grow; leave --id out, or see: streamlog info',
    );
  }
  const meaning = BY_WORD[word] ?? BY_TEXT.find(([text]) => text.test(message))?.[1];
  if (meaning === undefined)
    return failure('data', word, `Redis refuses ${command}${on(stream)}: ${message.slice(0, 200)}`);
  const [kind, what, hint] = meaning({...context, word});
  const home = context.inCluster ? /^MOVED \d+ (\S+:\d+)$/.exec(message)?.[1] : undefined;
  return home === undefined ? failure(kind, word, what, hint) : new Moved(home, what, hint);
}

/** Another node of the cluster serves the slot from now on. */
export class Moved extends StreamlogError {
  /** `host:port` */
  readonly home: string;

  constructor(home: string, message: string, hint: string | undefined) {
    super('temporary', message, {code: 'MOVED', hint});
    this.home = home;
  }
}

/** The user may not run `command` on `stream`. */
export const noPermission = (command: string, stream: string): StreamlogError => {
  const [kind, message, hint] = forbidden({command, stream});
  return failure(kind, 'NOPERM', message, hint);
};

/** No such stream; `stream` is undefined where the command spans several. */
export const noStream = (stream: string | undefined): StreamlogError =>
  failure('notFound', 'NOSTREAM', `no stream "${stream ?? ''}"`, 'see: streamlog ls');

/** No such group, or no such stream to have one. */
export const noGroup = (stream: string | undefined, group: string | undefined): StreamlogError =>
  failure(
    'notFound',
    'NOGROUP',
    `no group "${group ?? ''}" on stream "${stream ?? ''}"`,
    `create it: streamlog group create ${shellWord(group ?? 'NAME')} --stream ${shellWord(stream ?? 'NAME')} --from start`,
  );

function lost(error: unknown, {command}: CommandContext, trouble: Trouble): StreamlogError {
  if (!isConnectionLoss(error)) {
    const name = error instanceof Error ? error.name : 'unknown error';
    return new StreamlogError('bug', `${command} failed: ${name}`, {code: codeOf(error)});
  }
  const cause = trouble.error ?? error;
  const place = trouble.place === undefined ? '' : `${trouble.place}: `;
  return failure(
    'unreachable',
    codeOf(cause) ?? 'CLOSED',
    `the connection to Redis was lost during ${command}: ${place}${reasonOf(cause)}`,
  );
}

const on = (stream: string | undefined): string => (stream === undefined ? '' : ` on stream "${stream}"`);

const failure = (kind: Outcome, code: string, message: string, hint?: string): StreamlogError =>
  new StreamlogError(kind, message, {code, hint});
