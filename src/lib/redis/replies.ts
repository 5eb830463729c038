/**
 * Readers of replies. Maps are read by name, since servers differ in what they add; a field that an older server does not send
 * is undefined. Invariant: a reply that is not of the kind that its command has is refused.
 */
import {decodeBytes} from '../records/bytes.js';
import type {Entry, Field, StreamRecord} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import {decodeName} from '../records/names.js';
import {GIVEN_BACK_IDLE_MS, type PendingEntry} from '../records/pending-entry.js';
import {RawRecordBatch, type RawRecordSource} from '../records/raw-record.js';
import type {Membership} from './args.js';
import {bytesOf, flatPairsOf, idOf, listOf, numberOf, tupleOf} from './checked-reply.js';
import type {Reply} from './command-connection.js';

/** An entry of a consumer's own history: without fields when it was trimmed or deleted meanwhile. */
export interface HistoryEntry {
  id: string;
  fields: readonly Field[] | undefined;
}

/** Entries that have become pending together. */
export interface Delivered {
  readonly records: StreamRecord[];
  readonly ids: EntryIds;
}

export interface StreamInfo {
  length: number;
  lastGeneratedId: string;
  firstEntry: Entry | undefined;
  lastEntry: Entry | undefined;
  groups: number;
  /** Of its radix tree, which hold the entries. */
  nodes: number;
  /** Nodes of the tree itself. */
  treeNodes: number;
  /** All entries ever added; since Redis 7.0 (https://redis.io/docs/latest/commands/xinfo-stream/). */
  entriesAdded: number | undefined;
  /** Highest ID ever deleted by XDEL; since Redis 7.0. */
  maxDeletedId: string | undefined;
}

export interface GroupInfo {
  name: string;
  consumers: number;
  pending: number;
  lastDeliveredId: string;
  /** Since Redis 7.0; undefined too where Redis has lost count. */
  entriesRead: number | undefined;
  lag: number | undefined;
}

export interface ConsumerInfo {
  name: string;
  pending: number;
  /** Since its last attempt to read; before Redis 7.2, its last success (redis/redis#11099). */
  idleMs: number;
  /** Since an entry was last delivered to it or claimed by it; since Redis 7.2. */
  inactiveMs: number | undefined;
}

export interface PendingSummary {
  count: number;
  lowestId: string | undefined;
  highestId: string | undefined;
  consumers: {name: string; count: number}[];
}

/** Text of a reply that is one; a name that is not text comes as `decodeName` has it. */
export const readText = (reply: Reply): string => decodeName(bytesOf(reply));
export const readTexts = (reply: Reply): string[] => listOf(reply).map(readText);
/** IDs, and nothing else. */
export const readIds = (reply: Reply): string[] => listOf(reply).map(idOf);
export const readNumber = (reply: Reply): number => numberOf(reply);

/** XRANGE, XREVRANGE, XCLAIM. Before Redis 7.0 XCLAIM answers nil for deleted entries; those are left out. */
export const readEntries = (reply: Reply): Entry[] =>
  listOf(reply ?? [])
    .filter((item) => item !== null)
    .map(readEntry);

/** The same of XRANGE and XREVRANGE, whose entries may come undecoded. */
export const readRecords = (reply: RawRecordBatch | Reply, source: RawRecordSource): StreamRecord[] =>
  reply instanceof RawRecordBatch ? reply.records(source) : readEntries(reply).map((entry) => ({...source, ...entry}));

/** The IDs of a page of entries, and about the bytes that their fields hold. */
export interface IdPage {
  ids: string[];
  bytes: number;
}

/** XRANGE and XREVRANGE, where only the IDs count: fields are measured, not decoded. */
export function readIdPage(reply: Reply): IdPage {
  const ids: string[] = [];
  let bytes = 0;
  for (const entry of listOf(reply ?? [])) {
    const [id, fields] = tupleOf(entry, 2);
    ids.push(idOf(id));
    for (const part of listOf(fields)) bytes += bytesOf(part).length;
  }
  return {ids, bytes};
}

/** XREAD and XREADGROUP of one stream; nil when the wait brought nothing. */
export function readHistory(reply: Reply): HistoryEntry[] {
  if (reply === null) return [];
  return entriesOfStream(reply).map((entry) => {
    const [id, fields] = tupleOf(entry, 2);
    return {id: idOf(id), fields: fields === null ? undefined : readFields(fields)};
  });
}

/** XREAD and XREADGROUP with `>`, where every entry has its fields. */
export const readNewEntries = (reply: Reply): Entry[] =>
  readHistory(reply).filter((entry): entry is Entry => entry.fields !== undefined);

/** The same as records, which may come undecoded. */
export const readNewRecords = (reply: RawRecordBatch | Reply, source: RawRecordSource): StreamRecord[] =>
  reply instanceof RawRecordBatch
    ? reply.records(source)
    : readNewEntries(reply).map((entry) => ({...entry, ...source}));

/** The same of XREADGROUP, whose entries may come undecoded. */
export function readDelivered(reply: RawRecordBatch | Reply, {stream, group, consumer}: Membership): Delivered {
  const records = readNewRecords(reply, {stream, group, consumer, deliveries: 1});
  const ids = reply instanceof RawRecordBatch ? EntryIds.ofPage(reply) : EntryIds.of(records.map(({id}) => id));
  return {records, ids};
}

/** An entry whose deliveries are known. */
type CountedRecord = StreamRecord & {deliveries: number};

/**
 * XREADGROUP with CLAIM: each entry with how long it was idle and how often it was delivered before, both 0 where it is
 * new. What is claimed has the deliveries before this one, what is fresh its first.
 */
export function readClaimed(reply: Reply, origin: Membership): {claimed: CountedRecord[]; fresh: CountedRecord[]} {
  const claimed: CountedRecord[] = [];
  const fresh: CountedRecord[] = [];
  for (const item of reply === null ? [] : entriesOfStream(reply)) {
    const [, , idleMs, before] = tupleOf(item, 4);
    const deliveries = numberOf(before);
    const {id, fields} = readEntry(item);
    if (idleMs === 0 && before === 0) fresh.push({id, fields, ...origin, deliveries: 1});
    else claimed.push({id, fields, ...origin, deliveries});
  }
  return {claimed, fresh};
}

export function readPendingSummary(reply: Reply): PendingSummary {
  const [count, lowest, highest, consumers] = tupleOf(reply, 4);
  return {
    count: numberOf(count),
    lowestId: optional(lowest, idOf),
    highestId: optional(highest, idOf),
    consumers: listOf(consumers ?? []).map((item) => {
      const [name, pending] = tupleOf(item, 2);
      return {name: readText(name!), count: numberOf(pending)};
    }),
  };
}

export function readPendingEntries(reply: Reply): PendingEntry[] {
  // Neighbours are mostly with the same consumer.
  let last: Buffer | undefined;
  let name = '';
  return listOf(reply).map((item) => {
    const [id, owner, idle, deliveries] = tupleOf(item, 4);
    const consumer = bytesOf(owner);
    if (last === undefined || !last.equals(consumer)) name = readText(consumer);
    last = consumer;
    const idleMs = numberOf(idle);
    // A server that has XNACK says -1.
    const givenBack = idleMs < 0 || idleMs >= GIVEN_BACK_IDLE_MS;
    const entry = {id: idOf(id), consumer: name, idleMs, deliveries: numberOf(deliveries), givenBack};
    return typeof deliveries === 'string' ? {...entry, exactDeliveries: BigInt(deliveries)} : entry;
  });
}

export function readStreamInfo(reply: Reply): StreamInfo {
  const map = readMap(reply);
  return {
    length: readNumber(map.get('length')!),
    lastGeneratedId: idOf(map.get('last-generated-id')),
    firstEntry: optional(map.get('first-entry'), readEntry),
    lastEntry: optional(map.get('last-entry'), readEntry),
    groups: readNumber(map.get('groups')!),
    nodes: readNumber(map.get('radix-tree-keys') ?? 0),
    treeNodes: readNumber(map.get('radix-tree-nodes') ?? 0),
    entriesAdded: optional(map.get('entries-added'), readNumber),
    maxDeletedId: optional(map.get('max-deleted-entry-id'), idOf),
  };
}

export const readGroups = (reply: Reply): GroupInfo[] =>
  listOf(reply).map((item) => {
    const map = readMap(item);
    return {
      name: readText(map.get('name')!),
      consumers: readNumber(map.get('consumers')!),
      pending: readNumber(map.get('pending')!),
      lastDeliveredId: idOf(map.get('last-delivered-id')),
      entriesRead: optional(map.get('entries-read'), readNumber),
      lag: optional(map.get('lag'), readNumber),
    };
  });

export const readConsumers = (reply: Reply): ConsumerInfo[] =>
  listOf(reply).map((item) => {
    const map = readMap(item);
    return {
      name: readText(map.get('name')!),
      pending: readNumber(map.get('pending')!),
      idleMs: readNumber(map.get('idle')!),
      inactiveMs: optional(map.get('inactive'), readNumber),
    };
  });

/** The entries in a reply of XREAD or XREADGROUP of one stream. */
const entriesOfStream = (reply: Reply): Reply[] => listOf(tupleOf(tupleOf(reply, 1)[0], 2)[1]);

function readEntry(reply: Reply): Entry {
  const [id, fields] = tupleOf(reply, 2);
  return {id: idOf(id), fields: readFields(fields)};
}

function readFields(reply: Reply | undefined): Field[] {
  const flat = flatPairsOf(reply);
  const fields: Field[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    fields.push([decodeBytes(bytesOf(flat[index])), decodeBytes(bytesOf(flat[index + 1]))]);
  }
  return fields;
}

/** Names and values. */
export function readMap(reply: Reply): Map<string, Reply> {
  const flat = flatPairsOf(reply);
  const map = new Map<string, Reply>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(readText(flat[index]!), flat[index + 1]!);
  return map;
}

/** `read` of a reply that may be nil or left out. */
export const optional = <T>(reply: Reply | undefined, read: (reply: Reply) => T): T | undefined =>
  reply === undefined || reply === null ? undefined : read(reply);
