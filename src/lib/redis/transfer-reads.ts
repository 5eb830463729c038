/**
 * What `export` and `copy` ask of a stream that its other readers do not: facts of one moment by the clock of the server, and all digits
 * of counts (XINFO and XPENDING within MULTI, with TIME). Invariant: what is asked at once is bounded, whatever the stream holds.
 */
import {colocatedKey, type KeyKind} from '../colocated-key.js';
import {decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import type {PendingEntry} from '../records/pending-entry.js';
import {scanHashes, xinfoGroups, xinfoStream, xpendingRange} from './args.js';
import {bytesOf, flatPairsOf, idOf, listOf, numberOf, timeOf} from './checked-reply.js';
import type {Reply} from './command-connection.js';
import {scanNode} from './key-scan.js';
import {optional, readGroups, readMap, readPendingEntries, readStreamInfo} from './replies.js';
import type {Session} from './session.js';

/** A bigint where a number would not hold all digits. */
type Count = number | bigint;

/** XINFO STREAM and XINFO GROUPS of one moment. */
export interface StreamState {
  /** By the clock of the server, in Unix milliseconds. */
  atMs: number;
  length: number;
  /** Undefined where the stream is empty. */
  firstId: string | undefined;
  lastGeneratedId: string;
  /** This and the next one are undefined where the server does not have them. */
  entriesAdded: Count | undefined;
  maxDeletedId: string | undefined;
  groups: GroupState[];
}

export interface GroupState {
  name: string;
  lastDeliveredId: string;
  /** Undefined, too, where Redis has lost count. */
  entriesRead: Count | undefined;
  pending: number;
  consumers: number;
}

/** Pending entries, and when they were read, by the clock of the server. */
export interface TimedPending {
  atMs: number;
  entries: PendingEntry[];
}

/** A hash beside a stream. */
export interface ColocatedHash {
  /** What its key has behind `colocatedKey(kind, stream)` and a colon. */
  key: string;
  /** Unix milliseconds; undefined where it stays. */
  expiresAt: number | undefined;
  fields: Field[];
}

/** Keys that one SCAN looks at. */
const SCANNED_KEYS = 1_000;

export class TransferReads {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Throws `notFound` when there is no such stream. */
  async state(stream: string): Promise<StreamState> {
    const lines = [['time'], xinfoStream(stream), xinfoGroups(stream)] as const;
    const about = {stream};
    const state = readState(await this.#session.transaction(lines, about));
    const counts = [state.entriesAdded, ...state.groups.map(({entriesRead}) => entriesRead)];
    if (counts.every(isSafe)) return state;
    return readState(await this.#session.transaction(lines, about, {exactly: true}));
  }

  /** XPENDING: the first `count` entries from `start` to `end`, both included. Throws `notFound` when there is no such stream or group. */
  async pending(
    stream: string,
    group: string,
    {start, end, count}: {start: string; end: string; count: number},
  ): Promise<TimedPending> {
    const lines = [['time'], xpendingRange(stream, group, start, end, count)] as const;
    const about = {stream, group};
    const page = readTimedPending(await this.#session.transaction(lines, about));
    if (page.entries.every(({deliveries}) => isSafe(deliveries))) return page;
    return readTimedPending(await this.#session.transaction(lines, about, {exactly: true}));
  }

  /** GET of the key beside a stream that says up to which entry of another one it is a copy; undefined where there is none. */
  async copiedUpTo(key: string): Promise<string | undefined> {
    return optional(await this.#session.send(['get', key], {stream: key}), idOf);
  }

  /** The hashes that streamlog keeps beside `stream`, page by page: SCAN of all keys of its node. */
  async *hashes(stream: string, kind: KeyKind): AsyncGenerator<ColocatedHash[], void, void> {
    const prefix = `${colocatedKey(kind, stream)}:`;
    const glob = `${escapeGlob(prefix)}*`;
    const master = this.#session.connection.nodeOf(stream);
    const pages = scanNode(this.#session, master, (cursor) => scanHashes(cursor, glob, SCANNED_KEYS));
    for await (const names of pages) {
      const found = await Promise.all(names.map((name) => this.#hash(name, prefix)));
      yield found.filter((hash) => hash !== undefined);
    }
  }

  /** Undefined where it has gone meanwhile. */
  async #hash(name: string, prefix: string): Promise<ColocatedHash | undefined> {
    const lines = [['time'], ['pttl', name], ['hgetall', name]] as const;
    const [time, left, pairs] = await this.#session.transaction(lines, {stream: name});
    const leftMs = numberOf(left);
    const flat = flatPairsOf(pairs).map((part) => decodeBytes(bytesOf(part)));
    if (flat.length === 0) return undefined;
    return {
      key: name.slice(prefix.length),
      expiresAt: leftMs < 0 ? undefined : timeOf(time) + leftMs,
      fields: Array.from({length: flat.length / 2}, (_, at): Field => [flat[2 * at]!, flat[2 * at + 1]!]),
    };
  }
}

const isSafe = (count: Count | undefined): boolean => count === undefined || Number.isSafeInteger(count);

function readState([time, info, groups]: readonly Reply[]): StreamState {
  const {length, firstEntry, lastGeneratedId, maxDeletedId} = readStreamInfo(info!);
  return {
    atMs: timeOf(time),
    length,
    firstId: firstEntry?.id,
    lastGeneratedId,
    entriesAdded: optional(readMap(info!).get('entries-added'), readCount),
    maxDeletedId,
    groups: listOf(groups).map((group) => {
      const [facts] = readGroups([group]);
      const {name, lastDeliveredId, pending, consumers} = facts!;
      const entriesRead = optional(readMap(group).get('entries-read'), readCount);
      return {name, lastDeliveredId, entriesRead, pending, consumers};
    }),
  };
}

/** Of a connection with exact numbers, a count is its digits. */
function readCount(reply: Reply): Count {
  const value = numberOf(reply);
  return typeof reply === 'string' && !Number.isSafeInteger(value) ? BigInt(reply) : value;
}

const readTimedPending = ([time, entries]: readonly Reply[]): TimedPending => ({
  atMs: timeOf(time),
  entries: readPendingEntries(entries!),
});

const escapeGlob = (text: string): string => text.replace(/[*?[\]\\]/g, '\\$&');
