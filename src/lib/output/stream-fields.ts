/** The fields of streams, groups and consumers, as reports and snapshots have them: a contract with scripts, as `json-fields.ts` says. */
import type {GroupFacts, Snapshot, StreamFacts} from '../observe/snapshot.js';
import type {FirstFacts, LastFacts} from '../reports/end-facts.js';
import type {LagFacts} from '../reports/lag.js';
import type {ConsumerReport, GroupReport, StreamReport} from '../reports/stream-report.js';
import type {Fields} from './report-fields.js';

/** The last entry of a stream. */
export const LAST = {lastId: true, lastAgeMs: true, lastAheadMs: true} as const satisfies Fields<LastFacts>;
const FIRST = {firstId: true, firstAgeMs: true, firstAheadMs: true} as const satisfies Fields<FirstFacts>;
export const LAG = {
  lag: true,
  lagExact: true,
  lagAtLeast: true,
  lagAtMost: true,
  lagSource: true,
} as const satisfies Fields<LagFacts>;
/** A consumer without its name. */
export const CONSUMER = {
  pending: true,
  idleMs: true,
  inactiveMs: true,
} as const satisfies Fields<Omit<ConsumerReport, 'name'>>;
/** A group without its name. */
export const GROUP = {
  consumers: true,
  pending: true,
  ...LAG,
  lastDeliveredId: true,
  behindMs: true,
} as const satisfies Fields<Omit<GroupReport, 'name' | 'members'>>;
const MEMBERS = {name: true, ...CONSUMER} as const satisfies Fields<ConsumerReport>;

/** What both a report and a snapshot begin with. */
const STREAM = {
  stream: true,
  length: true,
  ...FIRST,
  ...LAST,
  lastGeneratedId: true,
  entriesAdded: true,
} as const satisfies Fields<Omit<StreamReport, 'bytes' | 'groups'>>;

export const STREAM_REPORT = {
  ...STREAM,
  bytes: true,
  groups: {name: true, ...GROUP, members: MEMBERS},
} as const satisfies Fields<StreamReport>;

const GROUP_FACTS = {
  group: true,
  ...GROUP,
  entriesRead: true,
  deliveredPerSec: true,
  donePerSec: true,
  drainMs: true,
  trend: true,
  oldestPendingId: true,
  oldestPendingAgeMs: true,
  oldestPendingIdleMs: true,
  oldestPendingConsumer: true,
  maxDeliveries: true,
  maxDeliveriesExact: true,
  members: MEMBERS,
} as const satisfies Fields<GroupFacts>;
const STREAM_FACTS = {
  ...STREAM,
  maxDeletedId: true,
  radixTreeKeys: true,
  radixTreeNodes: true,
  addedPerSec: true,
  bytes: true,
  bytesPerEntry: true,
  deadLetters: {stream: true, length: true, newestAgeMs: true},
  groups: GROUP_FACTS,
  ageMs: true,
} as const satisfies Fields<StreamFacts>;

/** Of what is going on on a server, as the collector reads it. */
export const SNAPSHOT = {
  at: true,
  tookMs: true,
  server: {
    address: true,
    name: true,
    version: true,
    mode: true,
    role: true,
    masters: true,
    uptimeMs: true,
    memoryBytes: true,
    maxMemoryBytes: true,
    maxMemoryPolicy: true,
    evictedKeys: true,
    connectedClients: true,
    commandsPerSec: true,
  },
  streams: STREAM_FACTS,
  skipped: {streams: true, reason: true},
  discovered: true,
  roundMs: true,
} as const satisfies Fields<Snapshot>;
