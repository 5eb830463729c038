/**
 * What the error replies of Redis mean. Redis executes nothing of what it refuses, so the question is whether the same command
 * can succeed later. Invariant: only what is listed here is permanent; every other refusal is retryable, as proxies, quotas
 * and later servers have texts of their own. Messages name the command that Redis named.
 */
import type {Outcome} from '../exit-codes.js';

/** What the failing command was about, for the message. */
export interface CommandContext {
  command: string;
  stream?: string;
  group?: string;
  /** Whether the connection reaches all nodes of a cluster. */
  inCluster?: boolean;
}

/** What an error reply means to us: the kind, one line of what, one line of what to do. */
type Meaning = (
  context: CommandContext & {word: string; text: string},
) => readonly [kind: Outcome, message: string, hint?: string];

const CREDENTIALS =
  'check the user and the password: those of the URL, the context, --password-file or STREAMLOG_PASSWORD';
const refused: Meaning = () => ['denied', 'Redis refuses the given user or password', CREDENTIALS];

/** `context` with the command that `text` names, as the inner one of a script, and what it was needed for. */
function naming(text: string, {command, stream}: CommandContext): string {
  const named =
    /'([\w|-]{1,60})' (?:command|with args|script)/.exec(text)?.[1] ?? /command ['`]([\w|-]{1,60})['`]/.exec(text)?.[1];
  const refusedName = named?.replace('|', ' ').toUpperCase();
  if (refusedName === undefined || command.toUpperCase().startsWith(refusedName)) return `${command}${on(stream)}`;
  // `XGROUP CREATE` is what XGROUP was meant to be.
  if (refusedName.startsWith(`${command.toUpperCase()} `)) return `${refusedName}${on(stream)}`;
  return `${refusedName}, which ${command}${on(stream)} needs`;
}

const forbidden: Meaning = ({text, ...context}) => [
  'denied',
  `the Redis user ${refusedRight(text, context)}`,
  'see docs/permissions.md for what it needs, and redis-cli ACL LOG for what it lacks',
];

function refusedRight(text: string, context: CommandContext): string {
  const purpose = `${context.command}${on(context.stream)}`;
  if (/access (a|one of the|at least one of the|the '.*') (keys?\b|channel)|can't access/s.test(text))
    return `has no access to a key of ${purpose}`;
  // Redis 7.0 does not name the command (https://redis.io/docs/latest/develop/programmability/eval-intro/).
  if (/The user executing the script can't/.test(text)) return `may not run a command of the script for ${purpose}`;
  return `may not run ${naming(text, context)}`;
}

const elsewhere: Meaning = ({inCluster, ...context}) =>
  inCluster
    ? temporary('the cluster is moving this slot; run again')(context)
    : [
        'configuration',
        'this server is one node of a cluster, and the stream is on another',
        'give --url redis+cluster:// with the same host and port',
      ];

/** Not now, nothing was executed, try again. */
const temporary =
  (hint: string): Meaning =>
  ({command, stream, word}) => ['temporary', `Redis refuses ${command}${on(stream)} for now (${word})`, hint];

const UNKNOWN_COMMAND =
  'it may be renamed there (rename-command), be newer than the server, or be kept from a proxy or a sentinel: redis-cli COMMAND INFO';
const OLDER = 'an option may be newer than the server; streamlog is made for Redis 6.2 and later, and Valkey';

/** By the first word of the reply, which is Redis' name for the error. */
const BY_WORD: Record<string, Meaning> = {
  WRONGTYPE: ({stream}) => [
    'data',
    `"${stream ?? 'the key'}" is not a stream`,
    'see: redis-cli TYPE, or give another stream',
  ],
  /** Of our own script. */
  STATETYPE: ({stream}) => [
    'data',
    `the key beside stream "${stream ?? ''}" that keeps what was added already holds something else`,
    'see docs/adr/0007 for its name; redis-cli DEL removes it',
  ],
  /** The group, or the key to be restored, is there already. */
  BUSYGROUP: ({text}) => ['data', printable(text)],
  BUSYKEY: ({text}) => ['data', printable(text)],
  /** The caller then loads the script. */
  NOSCRIPT: ({command, stream}) => ['data', `Redis does not know the script of ${command}${on(stream)}`],
  NOAUTH: () => [
    'denied',
    'Redis requires a password',
    'set STREAMLOG_PASSWORD or give --password-file (and --username)',
  ],
  WRONGPASS: refused,
  NOPERM: forbidden,
  DENIED: () => [
    'denied',
    'Redis is in protected mode and accepts only local connections',
    'give the server a password, or set protected-mode no where its network is safe',
  ],
  CROSSSLOT: () => ['usage', 'these streams are in different slots of the cluster', 'give them a common {hash tag}'],
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
  UNBLOCKED: temporary('Redis unblocked all waiting clients, as when it becomes a replica or a slot moves; run again'),
};

/** By the text, where Redis has no word for the error. */
const BY_TEXT: [text: RegExp, meaning: Meaning][] = [
  [/must be greater than 0-0/, () => ['usage', 'an entry cannot have the ID 0-0']],
  [
    /exhausted the last possible ID/,
    ({stream}) => [
      'data',
      `stream "${stream ?? ''}" has reached the highest possible ID and takes no more entries`,
      'add to another --stream, or delete this one to start over: redis-cli DEL',
    ],
  ],
  [
    /unknown command .?sentinel/i,
    () => [
      'configuration',
      'the server there is not a sentinel',
      'give --url redis:// for a server, or the port of the sentinels',
    ],
  ],
  [
    /No such master/,
    () => ['configuration', 'the sentinels know no master of this name', 'see: redis-cli -p 26379 SENTINEL MASTERS'],
  ],
  [
    /Unknown Redis command called from/i,
    ({command, stream}) => [
      'configuration',
      `this server does not know a command that the script of ${command}${on(stream)} calls`,
      UNKNOWN_COMMAND,
    ],
  ],
  [
    /(unknown|unsupported) (redis )?(sub)?command/i,
    ({text, ...context}) => ['configuration', `this server does not know ${naming(text, context)}`, UNKNOWN_COMMAND],
  ],
  [
    /syntax error|wrong number of arguments/i,
    ({text, ...context}) => ['configuration', `this server does not know ${naming(text, context)} in this form`, OLDER],
  ],
  [
    /Invalid stream ID/i,
    (context) => [
      'data',
      `what was given is not a valid entry ID${on(context.stream)}`,
      'an ID is MILLISECONDS-SEQUENCE',
    ],
  ],
  [
    /string exceeds maximum allowed size|invalid (multi)?bulk length|too big (mbulk|bulk) count/i,
    ({command, stream}) => ['data', `${command}${on(stream)} is larger than this server takes (proto-max-bulk-len)`],
  ],
  [
    /too many results to unpack|too many elements|value is (not an?|out of range)|value must be positive/i,
    ({text, command, stream}) => ['data', `Redis refuses ${command}${on(stream)}: ${printable(text)}`],
  ],
  [/WAITAOF cannot be used/i, ({text}) => ['data', printable(text)]],
  [/ACL failure in script|The user executing the script can't/, forbidden],
  [/^ERR (AUTH|Client sent AUTH|invalid password|operation not permitted)/i, refused],
  [
    /max number of clients/,
    () => ['temporary', 'Redis accepts no more connections (maxclients)', 'wait and run again, or raise maxclients'],
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

/** The kind, the message and the hint of an error reply, whose first word is `word`. What is in no table passes. */
export function meaningOf(text: string, word: string, context: CommandContext): ReturnType<Meaning> {
  const meaning = BY_WORD[word] ?? BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? unlisted;
  return meaning({...context, word, text});
}

const unlisted: Meaning = ({text, command, stream}) => [
  'temporary',
  `Redis refuses ${command}${on(stream)}: ${printable(text)}`,
  'nothing was executed; run again, or ask the operator of the server',
];

/** Text of a server in one line, as it is not known to be Redis. */
const printable = (text: string): string => text.slice(0, 200).replace(/[\x00-\x1f\x7f-\x9f]/g, '?');

export const on = (stream: string | undefined): string => (stream === undefined ? '' : ` on stream "${stream}"`);
