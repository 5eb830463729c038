/** The kinds of findings about streams and groups, and their limits. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import {PENDING_PAGE} from '../observe/group-readings.js';
import {LONG_IDLE_MS} from '../records/pending-entry.js';
import {formatSize} from '../size.js';
import type {FindingKind} from './finding-kinds.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MB = 1024 * 1024;

export const LIMITS = {
  stuckIdleMs: 10 * MINUTE,
  deadConsumerMs: HOUR,
  leakedConsumers: 100,
  leakedConsumerMs: DAY,
  unseenMs: MINUTE,
  deliveries: 20,
  heldBackMs: DAY,
  drainMs: HOUR,
  longLength: 100_000,
  firstEntryMs: DAY,
  entryBytes: 32 * 1024,
  /** Of a stream with large entries; less is not worth a word. */
  largeEntriesBytes: 8 * MB,
  streamBytes: 64 * MB,
  shareOfMemory: 0.25,
  aheadMs: 5 * MINUTE,
  newestDeadLetterMs: DAY,
  neverReadMs: DAY,
} as const;

const [size, time, count] = [(bytes: number) => formatSize(bytes).replace('.0', ''), formatDuration, withCommas];

/** Of a group whose pending or unread entries are not worked off. */
const NOT_WORKED_OFF = ['D01', 'D02', 'D04', 'D05', 'D06', 'D11', 'D17'];

export const STREAM_FINDINGS = {
  D01: {
    level: 'warn',
    name: 'stuck',
    when: `of the first ${PENDING_PAGE} pending entries, some were delivered more than ${time(LIMITS.stuckIdleMs)} ago, to a consumer that is still there`,
    asks: 'XPENDING',
    explainedBy: ['D02'],
  },
  D02: {
    level: 'warn',
    name: 'dead consumer',
    when: `pending entries with a consumer that was not seen for ${time(LIMITS.deadConsumerMs)}`,
    asks: 'XINFO CONSUMERS',
  },
  D03: {
    level: 'warn',
    name: 'leaked consumers',
    when: `more than ${LIMITS.leakedConsumers} consumers with nothing pending that were not seen for ${time(LIMITS.leakedConsumerMs)}`,
    asks: 'XINFO CONSUMERS',
  },
  D04: {
    level: 'bad',
    name: 'stalled group',
    when: `unread entries of more than ${time(LIMITS.unseenMs)}, none delivered between the two readings, and no consumer seen for ${time(LIMITS.unseenMs)}`,
    asks: 'XINFO',
    explainedBy: ['D11', 'D17'],
  },
  D05: {
    level: 'bad',
    name: 'poison',
    when: `of the first ${PENDING_PAGE} pending entries, some were delivered ${LIMITS.deliveries} times or more`,
    asks: 'XPENDING',
  },
  D06: {
    level: 'warn',
    name: 'ghosts',
    when: `of the first ${PENDING_PAGE} pending entries, some that were delivered more than ${time(LONG_IDLE_MS)} ago are not in the stream any more`,
    asks: 'XPENDING, XRANGE',
  },
  D07: {
    level: 'warn',
    name: 'no cap',
    when: `more than ${count(LIMITS.longLength)} entries, the first more than ${time(LIMITS.firstEntryMs)} old, and none was ever trimmed`,
    asks: 'XINFO STREAM',
  },
  D08: {
    level: 'warn',
    name: 'held back',
    when: `one group alone still needs entries that are more than ${time(LIMITS.heldBackMs)} old, and will not have read them in ${time(LIMITS.drainMs)}`,
    asks: 'XINFO, XPENDING',
    explainedBy: NOT_WORKED_OFF,
  },
  D09: {
    level: 'warn',
    name: 'large entries',
    when: `entries of more than ${size(LIMITS.entryBytes)} on average, and more than ${size(LIMITS.largeEntriesBytes)} of them`,
    asks: 'MEMORY USAGE',
  },
  D10: {
    level: 'note',
    name: 'memory',
    when: `one stream takes more than ${LIMITS.shareOfMemory * 100}% of the memory in use, and more than ${size(LIMITS.streamBytes)}`,
    asks: 'MEMORY USAGE, INFO',
    explainedBy: ['D09'],
  },
  D11: {
    level: 'bad',
    name: 'group ahead',
    when: 'a group was given an ID that the stream has not reached yet, and time will not make it',
    asks: 'XINFO',
  },
  D12: {
    level: 'warn',
    name: 'wrong counters',
    when: 'entries-read of a group is more than were added, or not what its last delivered ID proves',
    asks: 'XINFO',
  },
  D13: {
    level: 'note',
    name: 'trimmed unread',
    when: 'entries were trimmed that a group had not read',
    asks: 'XINFO',
  },
  D14: {
    level: 'note',
    name: 'future IDs',
    when: `the last ID is more than ${time(LIMITS.aheadMs)} ahead of the clock of the server`,
    asks: 'XINFO STREAM, TIME',
  },
  D15: {
    level: 'warn',
    name: 'dead letters',
    when: `dead letters, the newest less than ${time(LIMITS.newestDeadLetterMs)} old`,
    asks: 'XLEN, XINFO STREAM',
  },
  D16: {
    level: 'note',
    name: 'left-over keys',
    when: 'keys of an import that is not finished and not under way, or of a producer without a time to live',
    asks: 'SCAN, TTL',
  },
  D17: {
    level: 'note',
    name: 'never read',
    when: `a group without consumers that has read nothing, with an entry that is more than ${time(LIMITS.neverReadMs)} old`,
    asks: 'XINFO GROUPS',
  },
} as const satisfies Record<string, FindingKind>;
