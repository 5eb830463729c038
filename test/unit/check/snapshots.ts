/** Figures for checks and metrics: the group billing of the stream orders, 12 entries behind, on a server that is nearly full. */
import type {CheckedServer} from '../../../src/lib/check/metrics.js';
import type {GroupFacts, StreamFacts} from '../../../src/lib/observe/snapshot.js';
import * as plain from '../snapshots.js';

export const groupFacts = (facts: Partial<GroupFacts> = {}): GroupFacts =>
  plain.groupFacts({group: 'billing', consumers: 3, lag: 12, behindMs: 500, trend: 'unknown', ...facts});

export const streamFacts = (facts: Partial<StreamFacts> = {}): StreamFacts =>
  plain.streamFacts({
    stream: 'orders',
    length: 100,
    firstId: '1526919030474-0',
    firstAgeMs: 60_000,
    lastId: '1526919090474-55',
    lastAgeMs: 1_000,
    bytes: 4_096,
    bytesPerEntry: 40.96,
    ...facts,
  });

export const checkedServer = (facts: Partial<CheckedServer> = {}): CheckedServer => ({
  ...plain.SERVER,
  memoryBytes: 930,
  maxMemoryBytes: 1_000,
  connectMs: 2,
  ...facts,
});
