/** Facts of streams and groups as the collector gives them, with what a test says of them. */
import type {CheckedServer} from '../../../src/lib/check/metrics.js';
import type {GroupFacts, ServerFacts, Snapshot, StreamFacts} from '../../../src/lib/observe/snapshot.js';

const SERVER: ServerFacts = {
  address: '10.0.4.7:6379',
  name: 'redis',
  version: '7.0.15',
  mode: 'standalone',
  role: 'master',
  masters: 1,
  uptimeMs: 86_400_000,
  memoryBytes: 930,
  maxMemoryBytes: 1_000,
  maxMemoryPolicy: 'noeviction',
  evictedKeys: 0,
  connectedClients: 3,
  commandsPerSec: 10,
};

const STREAM: StreamFacts = {
  stream: 'orders',
  length: 100,
  firstId: '1526919030474-0',
  firstAgeMs: 60_000,
  lastId: '1526919090474-55',
  lastAgeMs: 1_000,
  lastGeneratedId: '1526919090474-55',
  entriesAdded: 120,
  maxDeletedId: '0-0',
  radixTreeKeys: 2,
  radixTreeNodes: 3,
  addedPerSec: 2,
  bytes: 4_096,
  bytesPerEntry: 40.96,
  deadLetters: {stream: 'orders:dead', length: 0, newestAgeMs: null},
  groups: [],
  ageMs: 0,
};

const GROUP: GroupFacts = {
  group: 'billing',
  consumers: 3,
  pending: 0,
  lag: 12,
  lagExact: true,
  lagAtLeast: 12,
  lagAtMost: 12,
  lagSource: 'redis',
  behindMs: 500,
  lastDeliveredId: '1526919080000-0',
  entriesRead: 108,
  deliveredPerSec: 2,
  donePerSec: 2,
  drainMs: null,
  trend: 'unknown',
  oldestPendingId: null,
  oldestPendingAgeMs: null,
  oldestPendingIdleMs: null,
  oldestPendingConsumer: null,
  maxDeliveries: null,
  maxDeliveriesExact: true,
};

export const groupFacts = (facts: Partial<GroupFacts> = {}): GroupFacts => ({...GROUP, ...facts});
export const streamFacts = (facts: Partial<StreamFacts> = {}): StreamFacts => ({...STREAM, ...facts});
export const serverFacts = (facts: Partial<ServerFacts> = {}): ServerFacts => ({...SERVER, ...facts});
export const checkedServer = (facts: Partial<CheckedServer> = {}): CheckedServer => ({
  ...SERVER,
  connectMs: 2,
  ...facts,
});
export const snapshotOf = (streams: StreamFacts[], facts: Partial<Snapshot> = {}): Snapshot => ({
  at: '2026-01-31T12:00:00.000Z',
  tookMs: 12,
  server: serverFacts(),
  streams,
  skipped: [],
  discovered: true,
  roundMs: 12,
  ...facts,
});
