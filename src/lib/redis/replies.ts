/**
 * Pure readers of replies: what the protocol holds → what streamlog calls it.
 * Maps are read by name, never by place, since servers differ in what they
 * add. A field that an older server does not send comes out as undefined. The
 * border is here: what is not of the kind that a command has is refused.
 */
import {decodeBytes} from '../records/bytes.js';
import type {Entry, Field} from '../records/entry.js';
import {decodeName} from '../records/names.js';
import {bytesOf, flatPairsOf, idOf, listOf, notRedis, numberOf, tupleOf, wordOf} from './checked-reply.js';
import type {Reply} from './command-connection.js';
import {GIVEN_BACK_IDLE_MS} from './released-entries.js';

/** An entry of a consumer's own history: without fields when it was trimmed or deleted meanwhile. */
export interface HistoryEntry {
  id: string;
  fields: readonly Field[] | undefined;
}

export interface StreamInfo {
  length: number;
  lastGeneratedId: string;
  firstEntry: Entry | undefined;
  lastEntry: Entry | undefined;
  groups: number;
  /** All entries ever added; since Redis 7.0. */
  entriesAdded: number | undefined;
  /** Highest ID ever deleted by XDEL; since Redis 7.0. */
  maxDeletedId: string | undefined;
}

/** What can be known of a stream without its payloads; `lastEntry` has no fields, and is absent where entries are too large. */
export type BriefInfo = Pick<StreamInfo, 'length' | 'groups' | 'lastEntry'>;

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
  /** Since its last attempt to read (before Redis 7.2: its last success). */
  idleMs: number;
  /** Since it last got or claimed an entry; since Redis 7.2. */
  inactiveMs: number | undefined;
}

export interface PendingSummary {
  count: number;
  lowestId: string | undefined;
  highestId: string | undefined;
  consumers: {name: string; count: number}[];
}

export interface PendingEntry {
  id: string;
  consumer: string;
  /** Since its last delivery; says nothing where it was given back. */
  idleMs: number;
  deliveries: number;
  /** The same where a number cannot hold it. */
  exactDeliveries?: bigint;
  /** By `nack` or XNACK: whoever claims next may have it. */
  givenBack: boolean;
}

/** A connection of the server. */
export interface ConnectedClient {
  id: number;
  address: string;
  name: string;
  /** Whole seconds since it last sent something. */
  idleSeconds: number;
}

/** What one step of removing a consumer came to; `pending` when it still has entries. */
export interface Retirement {
  state: 'removed' | 'pending' | 'active' | 'absent';
  /** Entries that were handed over in this step. */
  moved: number;
  /** Entries that were acknowledged in this step, since they are no longer in the stream. */
  gone: number;
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

/** An entry of XREADGROUP with CLAIM. */
export interface ClaimedEntry extends Entry {
  /** Nobody has had it before. */
  isNew: boolean;
  /** Before this one. */
  deliveries: number;
}

/** XREADGROUP with CLAIM: each entry with how long it was idle and how often it was delivered, both 0 where it is new. */
export function readClaimed(reply: Reply): ClaimedEntry[] {
  if (reply === null) return [];
  return entriesOfStream(reply).map((entry) => {
    const [, , idleMs, deliveries] = tupleOf(entry, 4);
    return {...readEntry(entry), isNew: idleMs === 0 && deliveries === 0, deliveries: numberOf(deliveries)};
  });
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

/** What became of an entry that was to be claimed, who had it before, and how often it has been delivered. */
export interface ClaimOutcome {
  state: 'claimed' | 'not pending' | 'with another' | 'delivered again' | 'not idle' | 'gone';
  consumer: string;
  deliveries: number;
}

const CLAIM_STATES: Record<string, ClaimOutcome['state']> = {
  claimed: 'claimed',
  missing: 'not pending',
  other: 'with another',
  again: 'delivered again',
  busy: 'not idle',
  gone: 'gone',
};

/** Three items for each entry, as the script has them. */
export function readClaimOutcomes(reply: Reply): ClaimOutcome[] {
  const texts = readTexts(reply);
  if (texts.length % 3 !== 0) throw notRedis();
  const results: ClaimOutcome[] = [];
  for (let at = 0; at < texts.length; at += 3) {
    const [state, consumer, deliveries] = texts.slice(at, at + 3) as [string, string, string];
    results.push({state: wordOf(CLAIM_STATES, state), consumer, deliveries: Number(deliveries)});
  }
  return results;
}

export function readStreamInfo(reply: Reply): StreamInfo {
  const map = readMap(reply);
  return {
    length: readNumber(map.get('length')!),
    lastGeneratedId: idOf(map.get('last-generated-id')),
    firstEntry: optional(map.get('first-entry'), readEntry),
    lastEntry: optional(map.get('last-entry'), readEntry),
    groups: readNumber(map.get('groups')!),
    entriesAdded: optional(map.get('entries-added'), readNumber),
    maxDeletedId: optional(map.get('max-deleted-entry-id'), idOf),
  };
}

/** XINFO STREAM: how many nodes hold the entries. */
export const readNodeCount = (reply: Reply): number => readNumber(readMap(reply).get('radix-tree-keys') ?? 0);

/** Our own script's answer: the length, the number of groups, and the ID of the last entry or nil. */
export function readBriefInfo(reply: Reply): BriefInfo {
  const [length, groups, lastId] = tupleOf(reply, 3);
  const lastEntry = lastId === null ? undefined : {id: idOf(lastId), fields: []};
  return {length: numberOf(length), groups: numberOf(groups), lastEntry};
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

/** Our own script's answer: state and two numbers, one after the other. */
const RETIREMENT_STATES: Record<string, Retirement['state']> = {
  absent: 'absent',
  active: 'active',
  pending: 'pending',
  removed: 'removed',
};

export function readRetirements(reply: Reply): Retirement[] {
  const flat = listOf(reply);
  const retirements: Retirement[] = [];
  for (let index = 0; index + 2 < flat.length; index += 3) {
    const state = wordOf(RETIREMENT_STATES, readText(flat[index]!));
    retirements.push({state, moved: readNumber(flat[index + 1]!), gone: readNumber(flat[index + 2]!)});
  }
  return retirements;
}

/** CLIENT LIST: a line each, of words `name=value`. */
export const readClients = (reply: Reply): ConnectedClient[] =>
  readText(reply)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const words = new Map(line.split(' ').map((word) => [word.split('=', 1)[0]!, word.slice(word.indexOf('=') + 1)]));
      return {
        id: Number(words.get('id')),
        address: words.get('addr') ?? '',
        name: words.get('name') ?? '',
        idleSeconds: Number(words.get('idle')),
      };
    });

/** INFO clients: how many are connected; undefined where it does not say. */
export function readClientCount(reply: Reply): number | undefined {
  const count = /^connected_clients:(\d+)/m.exec(readText(reply))?.[1];
  return count === undefined ? undefined : Number(count);
}

/** SCAN: where to go on, and the keys of this page. */
export function readScan(reply: Reply): {cursor: string; keys: string[]} {
  const [cursor, keys] = tupleOf(reply, 2);
  const text = bytesOf(cursor).toString('latin1');
  if (!/^\d{1,20}$/.test(text)) throw notRedis();
  return {cursor: text, keys: listOf(keys).map(readText)};
}

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

function readMap(reply: Reply): Map<string, Reply> {
  const flat = flatPairsOf(reply);
  const map = new Map<string, Reply>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(readText(flat[index]!), flat[index + 1]!);
  return map;
}

const optional = <T>(reply: Reply | undefined, read: (reply: Reply) => T): T | undefined =>
  reply === undefined || reply === null ? undefined : read(reply);
