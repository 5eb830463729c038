/**
 * Builders of command lines, one for each Redis command, in the order of its documentation (https://redis.io/docs/latest/commands/).
 */
import type {Field} from '../records/entry.js';
import type {EntryIds} from '../records/entry-ids.js';
import type {EntryFields} from '../records/raw-fields.js';
import type {CommandLine} from './command-connection.js';

/**
 * How XADD and XTRIM cut a stream; `approximate` lets Redis keep whole nodes (`~`), which is much cheaper, and then
 * `limit` is how many entries go at most; without it, 100 nodes' worth.
 */
export type Trim = ({kind: 'maxLen'; maxLen: number} | {kind: 'minId'; minId: string}) & {
  approximate: boolean;
  limit?: number;
};

/** What the XADDs of a run have in common. Kept as one object for as long as it stays the same: its words are made once. */
export interface AddOptions {
  /** False refuses to make a stream that does not exist (NOMKSTREAM). */
  create?: boolean;
  trim?: Trim;
}

/** One XADD. Encoders read it at once and keep nothing of it, so that one object can serve for all records of a run. */
export interface AddRequest {
  fields: EntryFields;
  /** `*`, `ms-*` or a whole ID. */
  id: string;
  options: AddOptions;
}

/** How an entry is pending: since when, in Unix milliseconds by the clock of the server, and how often it was delivered. */
export interface PendingState {
  deliveredAt: number;
  deliveries: number | bigint;
}

/** A key beside the stream that says how far it is, and moves with it: nothing is added unless it says `from`. */
export interface AddCheckpoint {
  readonly key: string;
  /** Undefined where there is no such key yet. */
  readonly from: string | undefined;
  readonly to: string;
}

/** Whether XADDs are added in one step, and what moves with them. */
export interface AddingTogether {
  readonly together?: boolean;
  readonly checkpoint?: AddCheckpoint | undefined;
}

/** XADD key [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold] id field value … : what stands between the key and the ID. */
export const addClause = ({create = true, trim}: AddOptions): string[] => [
  ...(create ? [] : ['NOMKSTREAM']),
  ...(trim === undefined ? [] : trimClause(trim)),
];

/** XTRIM key MAXLEN|MINID [=|~] threshold */
export const xtrim = (stream: string, trim: Trim): CommandLine => ['xtrim', stream, ...trimClause(trim)];

/** XTRIM key MAXLEN|MINID ~ threshold LIMIT n: whole nodes, and so many entries at most. */
export const xtrimStep = (stream: string, trim: Trim, limit: number): string[] => [
  'XTRIM',
  stream,
  ...trimClause({...trim, approximate: true, limit}),
];

const trimClause = (trim: Trim): string[] => [
  trim.kind === 'maxLen' ? 'MAXLEN' : 'MINID',
  trim.approximate ? '~' : '=',
  trim.kind === 'maxLen' ? String(trim.maxLen) : trim.minId,
  ...(trim.approximate && trim.limit !== undefined ? ['LIMIT', String(trim.limit)] : []),
];

/** XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]; the counts are since Redis 7.0. */
export const xsetid = (
  stream: string,
  {lastId, entriesAdded, maxDeletedId}: {lastId: string; entriesAdded?: number | bigint; maxDeletedId?: string},
): CommandLine => [
  'xsetid',
  stream,
  lastId,
  ...(entriesAdded === undefined ? [] : ['ENTRIESADDED', String(entriesAdded)]),
  ...(maxDeletedId === undefined ? [] : ['MAXDELETEDID', maxDeletedId]),
];
export const renamenx = (from: string, to: string): CommandLine => ['renamenx', from, to];
/** HSET key name value … */
export const hset = (key: string, fields: readonly Field[]): CommandLine => ['hset', key, ...fields.flat()];
export const unlink = (key: string): CommandLine => ['unlink', key];

export const xlen = (stream: string): CommandLine => ['xlen', stream];
export const xdel = (stream: string, ids: readonly string[]): CommandLine => ['xdel', stream, ...ids];

/** XRANGE key start end COUNT n; with `(` before an ID it is left out. */
export const xrange = (stream: string, start: string, end: string, count: number): CommandLine => [
  'xrange',
  stream,
  start,
  end,
  'COUNT',
  String(count),
];
/** XREVRANGE key end start COUNT n */
export const xrevrange = (stream: string, end: string, start: string, count: number): CommandLine => [
  'xrevrange',
  stream,
  end,
  start,
  'COUNT',
  String(count),
];

/** XREAD [COUNT n] [BLOCK ms] STREAMS key id: entries behind `after`. */
export const xread = (stream: string, after: string, count: number, blockMs: number | undefined): CommandLine => [
  'xread',
  'COUNT',
  String(count),
  ...blockClause(blockMs),
  'STREAMS',
  stream,
  after,
];

/** A consumer of a group on one stream. */
export interface Membership {
  stream: string;
  group: string;
  consumer: string;
}

export interface GroupReadLimits {
  count: number;
  blockMs?: number | undefined;
  /** Claims entries first that have been idle for this long; since Redis 8.4 (redis/redis#14402). */
  claimIdleMs?: number | undefined;
  noAck?: boolean;
}

/** XREADGROUP … STREAMS key `>` for new entries, or an ID for the consumer's own pending ones behind it. */
export const xreadgroup = (
  {stream, group, consumer}: Membership,
  after: string,
  {count, blockMs, claimIdleMs, noAck = false}: GroupReadLimits,
): CommandLine => [
  'xreadgroup',
  'GROUP',
  group,
  consumer,
  'COUNT',
  String(count),
  ...blockClause(blockMs),
  ...(claimIdleMs === undefined ? [] : ['CLAIM', String(claimIdleMs)]),
  ...(noAck ? ['NOACK'] : []),
  'STREAMS',
  stream,
  after,
];

// BLOCK 0 would wait for ever, so "do not wait" is to leave it out.
const blockClause = (blockMs: number | undefined): string[] =>
  blockMs === undefined || blockMs <= 0 ? [] : ['BLOCK', String(Math.ceil(blockMs))];

/** XACK key group id … */
export const xack = (stream: string, group: string, ids: EntryIds): CommandLine => ['xack', stream, group, ids];

/** XPENDING key group: the summary. */
export const xpending = (stream: string, group: string): CommandLine => ['xpending', stream, group];

/**
 * XPENDING key group start end count [consumer]. Never with IDLE: Redis counts only what it answers with, so a page of
 * what idles walks the whole list (0.3 s for a million entries).
 */
export const xpendingRange = (
  stream: string,
  group: string,
  start: string,
  end: string,
  count: number,
  consumer?: string,
): CommandLine => ['xpending', stream, group, start, end, String(count), ...(consumer === undefined ? [] : [consumer])];

/** XCLAIM key group consumer min-idle id … */
export const xclaim = (
  {stream, group, consumer}: Membership,
  minIdleMs: number,
  ids: readonly string[],
): CommandLine => ['xclaim', stream, group, consumer, String(minIdleMs), ...ids];
/** IDs that one XCLAIM makes pending. */
export const MOST_CLAIMED = 1_000;
/** XCLAIM … FORCE JUSTID with a min-idle that nothing reaches: takes nothing from anyone, and makes the rest pending. */
export const xclaimMissing = ({stream, group, consumer}: Membership, ids: readonly string[]): CommandLine => [
  'xclaim',
  stream,
  group,
  consumer,
  String(Number.MAX_SAFE_INTEGER),
  ...ids,
  'FORCE',
  'JUSTID',
];
/** XCLAIM key group consumer 0 id … TIME ms RETRYCOUNT n FORCE JUSTID: makes those that are in the stream pending so. */
export const xclaimRestoring = (
  member: Membership,
  {deliveredAt, deliveries}: PendingState,
  ids: readonly string[],
): CommandLine => [
  ...xclaim(member, 0, ids),
  'TIME',
  String(deliveredAt),
  'RETRYCOUNT',
  String(deliveries),
  'FORCE',
  'JUSTID',
];
/** XCLAIM key group consumer min-idle id … JUSTID */
export const xclaimUncounted = (member: Membership, minIdleMs: number, ids: readonly string[]): CommandLine => [
  ...xclaim(member, minIdleMs, ids),
  'JUSTID',
];

/** XGROUP CREATE key group id [MKSTREAM] [ENTRIESREAD n] */
export const xgroupCreate = (
  stream: string,
  group: string,
  lastDelivered: string,
  makeStream: boolean,
  entriesRead?: number | bigint,
): CommandLine => [
  'xgroup',
  'CREATE',
  stream,
  group,
  lastDelivered,
  ...(makeStream ? ['MKSTREAM'] : []),
  ...entriesReadClause(entriesRead),
];
/** XGROUP SETID key group id [ENTRIESREAD n] */
export const xgroupSetId = (
  stream: string,
  group: string,
  lastDelivered: string,
  entriesRead?: number | bigint,
): CommandLine => ['xgroup', 'SETID', stream, group, lastDelivered, ...entriesReadClause(entriesRead)];
const entriesReadClause = (entriesRead: number | bigint | undefined): string[] =>
  entriesRead === undefined ? [] : ['ENTRIESREAD', String(entriesRead)];

export const xgroupCreateConsumer = ({stream, group, consumer}: Membership): CommandLine => [
  'xgroup',
  'CREATECONSUMER',
  stream,
  group,
  consumer,
];
export const xgroupDestroy = (stream: string, group: string): CommandLine => ['xgroup', 'DESTROY', stream, group];

export const xinfoStream = (stream: string): CommandLine => ['xinfo', 'STREAM', stream];
export const xinfoGroups = (stream: string): CommandLine => ['xinfo', 'GROUPS', stream];
export const xinfoConsumers = (stream: string, group: string): CommandLine => ['xinfo', 'CONSUMERS', stream, group];
/** MEMORY USAGE key [SAMPLES n]: bytes, estimated from the first nodes of the stream; from all of them with 0 samples. */
export const memoryUsage = (stream: string, samples?: number): CommandLine => [
  'memory',
  'USAGE',
  stream,
  ...(samples === undefined ? [] : ['SAMPLES', String(samples)]),
];

/** SCAN cursor [MATCH glob] COUNT n */
export const scanKeys = (cursor: string, match: string | undefined, count: number): CommandLine => [
  'scan',
  cursor,
  ...(match === undefined ? [] : ['MATCH', match]),
  'COUNT',
  String(count),
];

/** The same with TYPE stream */
export const scanStreams = (cursor: string, match: string | undefined, count: number): CommandLine => [
  ...scanKeys(cursor, match, count),
  'TYPE',
  'stream',
];

/** The same with TYPE hash */
export const scanHashes = (cursor: string, match: string, count: number): CommandLine => [
  ...scanKeys(cursor, match, count),
  'TYPE',
  'hash',
];

/** TTL key */
export const ttl = (key: string): CommandLine => ['ttl', key];
