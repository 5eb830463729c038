/** The kinds of findings about a server, and their limits. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import {formatSize} from '../size.js';
import type {FindingKind} from './finding-kinds.js';

export const SERVER_LIMITS = {
  /** Of all adds of a cluster, in one slot; and how many of these there must be. */
  hotSlotPercent: 60,
  hotAddsPerSec: 200,
  memoryPercent: 85,
  /** Of a node of a stream, which holds several entries. Redis makes them of 4 KB and 100 entries. */
  mostNodeBytes: 1024 ** 2,
  mostNodeEntries: 10_000,
  leastNodeEntries: 10,
  shortTimeoutMs: 60_000,
  slowMs: 5,
  slowWithinMs: 86_400_000,
} as const;

const L = SERVER_LIMITS;

export const SERVER_FINDINGS = {
  D18: {
    level: 'note',
    name: 'hot slot',
    when: `more than ${L.hotSlotPercent} % of the adds of a cluster are in one slot, where there are more than ${L.hotAddsPerSec} a second`,
    asks: 'XINFO STREAM',
  },
  D19: {
    level: 'warn',
    name: 'slots apart',
    when: 'the dead letter stream that the configuration gives consume is in another slot of the cluster than its stream',
    asks: 'nothing',
  },
  D20: {
    level: 'bad',
    name: 'eviction',
    when: 'maxmemory is set, and maxmemory-policy may drop any key',
    asks: 'INFO',
  },
  D21: {level: 'warn', name: 'persistence', when: 'appendonly and save are both off', asks: 'CONFIG GET'},
  D22: {
    level: 'note',
    name: 'min-replicas',
    when: 'there are replicas, and a master that has lost them all takes entries',
    asks: 'INFO, CONFIG GET',
  },
  D23: {level: 'warn', name: 'nearly full', when: `more than ${L.memoryPercent} % of maxmemory is used`, asks: 'INFO'},
  D24: {
    level: 'warn',
    name: 'node size',
    when: `a node of a stream has no limit, or one above ${formatSize(L.mostNodeBytes).replace('.0', '')} and ${withCommas(L.mostNodeEntries)} entries, or fewer than ${L.leastNodeEntries} entries`,
    asks: 'CONFIG GET',
  },
  D25: {level: 'warn', name: 'server bug', when: 'the version has a known bug with streams', asks: 'INFO'},
  D26: {
    level: 'warn',
    name: 'idle clients',
    when: `tcp-keepalive is 0, or timeout is less than ${formatDuration(L.shortTimeoutMs)}`,
    asks: 'CONFIG GET',
  },
  D27: {
    level: 'warn',
    name: 'output buffers',
    when: 'clients were cut, and the output buffers of normal clients are limited',
    asks: 'INFO, CONFIG GET',
  },
  D28: {
    level: 'warn',
    name: 'slow commands',
    when: `a command that is known to be slow on large streams took more than ${L.slowMs} ms in the last ${formatDuration(L.slowWithinMs)}`,
    asks: 'SLOWLOG GET 128',
  },
} as const satisfies Record<string, FindingKind>;
