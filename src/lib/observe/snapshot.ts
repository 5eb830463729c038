/**
 * What is going on on a server at one moment: for `top`, `check`, `metrics` and `doctor`. The names are those of the JSON output,
 * a contract. Invariant: a figure is exact, or between bounds that are certain, or null where it is not known; never 0 for unknown.
 */
import type {Behind} from '../reports/behind.js';
import type {FirstFacts, LastFacts} from '../reports/end-facts.js';
import type {ConsumerReport} from '../reports/stream-report.js';

/**
 * A stream, group or consumer. Inside streamlog it is text in which bytes that are not UTF-8 stand as lone surrogates
 * (records/names.ts); `factsToJson` prints such a name as `{"$b64":"…"}`.
 */
export type Name = string;

export interface Snapshot {
  /** The server's clock, ISO 8601; ours where the user may not ask for it. */
  at: string;
  /** How long it took to read. */
  tookMs: number;
  server: ServerFacts;
  /** By name. Where there are many, only some are read each time; `ageMs` says when. */
  streams: StreamFacts[];
  /** Streams that are known to be there, and were not read: they are not in `streams`, unless `top` shows what they were. */
  skipped: SkippedStreams[];
  /** Whether all keys were looked at for streams; false while the first SCAN is under way, and where a master does not answer. */
  discovered: boolean;
  /** How long it takes to read all streams once; null while that is not known. */
  roundMs: number | null;
}

export interface SkippedStreams {
  streams: number;
  /** More than are watched; not read yet; the user may not read them; their server did not answer. */
  reason: 'limit' | 'budget' | 'denied' | 'unanswered';
}

/** INFO. In a cluster sums of all masters; the version is that of the first. All null where the user may not ask. */
export interface ServerFacts {
  /** Host and port, socket or nodes, without a password. */
  address: string;
  /** `redis`, `valkey` or `dragonfly`. */
  name: string | null;
  version: string | null;
  mode: 'standalone' | 'sentinel' | 'cluster';
  role: 'master' | 'replica' | null;
  masters: number;
  uptimeMs: number | null;
  memoryBytes: number | null;
  /** 0 where there is no limit. */
  maxMemoryBytes: number | null;
  maxMemoryPolicy: string | null;
  evictedKeys: number | null;
  connectedClients: number | null;
  commandsPerSec: number | null;
}

export interface StreamFacts extends FirstFacts, LastFacts {
  stream: Name;
  length: number;
  /** Null, as all that XINFO STREAM says, where entries are too large for it to be asked. */
  lastGeneratedId: string | null;
  /** All entries ever added; null before Redis 7.0 (https://redis.io/docs/latest/commands/xinfo-stream/), as is the next one. */
  entriesAdded: number | null;
  maxDeletedId: string | null;
  radixTreeKeys: number | null;
  radixTreeNodes: number | null;
  addedPerSec: number | null;
  /** As MEMORY USAGE estimates it, at most a minute ago. */
  bytes: number | null;
  bytesPerEntry: number | null;
  /** Null where the user may not ask. */
  deadLetters: DeadLetterFacts | null;
  /** Null where the user may not ask for them. */
  groups: GroupFacts[] | null;
  /** How old all this is: 0 where it was read for this snapshot. */
  ageMs: number;
}

export interface DeadLetterFacts {
  stream: Name;
  /** 0 where there is no such stream. */
  length: number;
  /** Of the newest one that is still there; null where there is none, or it is not known. */
  newestAgeMs: number | null;
}

export interface GroupFacts extends Behind {
  group: Name;
  consumers: number;
  pending: number;
  lastDeliveredId: string;
  /** As the server counts; null where it does not, or has lost count. */
  entriesRead: number | null;
  deliveredPerSec: number | null;
  donePerSec: number | null;
  /** Until it has read all, as fast as now; null where it never will, or it is not known. */
  drainMs: number | null;
  trend: Trend;
  oldestPendingId: string | null;
  oldestPendingAgeMs: number | null;
  /** Since the last delivery of that entry; null where it was given back. */
  oldestPendingIdleMs: number | null;
  oldestPendingConsumer: Name | null;
  /** Of the first 100 pending entries; null where there are none. */
  maxDeliveries: number | bigint | null;
  /** False where there are more. */
  maxDeliveriesExact: boolean;
  /** Only where consumers are asked for; null where there are too many. */
  members?: ConsumerReport[] | null | undefined;
}

/** Where the lag goes. `stalled`: nothing was delivered for a minute, though there is something to be. */
export type Trend = 'drained' | 'draining' | 'growing' | 'steady' | 'stalled' | 'unknown';
