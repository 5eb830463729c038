/**
 * What commands report, in JSON, CSV and TSV: the fields of each object, in their order. They are a contract with scripts, and part
 * of test/surface.txt. Invariant: a field that is not listed here is not printed, and a report has all that are listed.
 */
import type {CheckReport, ResultReport} from '../check/report.js';
import type {Cause, DeadLetterSummary} from '../dead-letters/dead-letter-list.js';
import type {Redriven} from '../dead-letters/redriving.js';
import type {ConsumerFate} from '../groups/gc.js';
import type {GroupPosition, SeekResult} from '../groups/group-position.js';
import type {AckCount, DeleteCount, GiveBackCount, GroupKey} from '../groups/named-entries.js';
import type {PendingConsumer, PendingReport} from '../groups/pending-report.js';
import type {GroupRemains} from '../groups/remove.js';
import type {LocalReport} from '../local/local-server.js';
import type {GroupFacts, Snapshot, StreamFacts} from '../observe/snapshot.js';
import {factsToJson} from '../records/names.js';
import type {GroupSummary} from '../reports/group-list.js';
import type {LagFacts} from '../reports/lag.js';
import type {StreamSummary} from '../reports/stream-list.js';
import type {ConsumerReport, GroupReport, StreamReport} from '../reports/stream-report.js';
import type {GroupLoss} from '../trimming/losses.js';
import {factCell} from './delimited.js';
import type {ContextSummary, SettingInUse} from './views/context-view.js';

/** Each field of `Report`: true, or the fields of the objects that it holds. */
export type Fields<Report> = {
  readonly [Name in keyof Report]-?: NonNullable<Report[Name]> extends readonly (infer Item)[]
    ? Item extends object
      ? Fields<Item>
      : true
    : NonNullable<Report[Name]> extends object
      ? Fields<NonNullable<Report[Name]>>
      : true;
};

type Named<Report> = Omit<Report, 'name'>;
type DryRun = {dryRun: boolean};
type ContextChange = {context: string; file: string};
interface ContextTest {
  context: string | null;
  address: string;
  source: string;
  server: string | null;
  connectMs: number;
  pingMs: number | null;
}

const KEY = {stream: true, group: true} as const;
const LAG = {
  lag: true,
  lagExact: true,
  lagAtLeast: true,
  lagAtMost: true,
  lagSource: true,
} as const satisfies Fields<LagFacts>;
const CONSUMER = {pending: true, idleMs: true, inactiveMs: true} as const satisfies Fields<Named<ConsumerReport>>;
const GROUP = {
  consumers: true,
  pending: true,
  ...LAG,
  lastDeliveredId: true,
  behindMs: true,
} as const satisfies Fields<Omit<GroupReport, 'name' | 'members'>>;
const POSITION = {lastDeliveredId: true, pending: true, ...LAG} as const satisfies Fields<GroupPosition>;
const LOCAL = {
  running: true,
  pid: true,
  url: true,
  dataDirectory: true,
  bytes: true,
  logFile: true,
} as const satisfies Fields<LocalReport>;
const CAUSE = {stream: true, group: true, reason: true, count: true} as const satisfies Fields<Cause>;
const PENDING_CONSUMER = {
  name: true,
  pending: true,
  oldestIdleMs: true,
  maxDeliveries: true,
  givenBack: true,
  oldestIdleAtLeastMs: true,
  maxDeliveriesAtLeast: true,
  givenBackAtLeast: true,
} as const satisfies Fields<PendingConsumer>;
export const CHECK_RESULT = {
  state: true,
  stream: true,
  group: true,
  metric: true,
  unit: true,
  value: true,
  atLeast: true,
  atMost: true,
  warn: true,
  critical: true,
  because: true,
} as const satisfies Fields<ResultReport>;
const LOSS = {
  group: true,
  unread: true,
  pending: true,
  exact: true,
  unreadAtMost: true,
  pendingAtMost: true,
} as const satisfies Fields<GroupLoss>;

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
  members: {name: true, ...CONSUMER},
} as const satisfies Fields<GroupFacts>;
const STREAM_FACTS = {
  stream: true,
  length: true,
  firstId: true,
  firstAgeMs: true,
  firstAheadMs: true,
  lastId: true,
  lastAgeMs: true,
  lastAheadMs: true,
  lastGeneratedId: true,
  entriesAdded: true,
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
export const SNAPSHOT_FIELDS = {
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

export interface GroupCreated extends GroupKey {
  created: boolean;
  lastDeliveredId: string;
}

export interface TrimReport extends DryRun {
  stream: string;
  removed: number;
  left: number;
  /** Only in a dry run that could not count what would go. */
  exact?: false | undefined;
  bytes?: number | undefined;
  losses: readonly GroupLoss[];
}

export interface PurgeReport extends DryRun {
  deadLetter: string;
  purged: number;
  left: number;
}

/** By the name of the command. */
export const JSON_FIELDS = {
  ack: {...KEY, acknowledged: true, notPending: true, withAnother: true} satisfies Fields<AckCount>,
  check: {state: true, code: true, message: true, results: CHECK_RESULT} satisfies Fields<CheckReport>,
  'context add': {context: true, file: true, replaced: true} satisfies Fields<ContextChange & {replaced: boolean}>,
  'context edit': {file: true, changed: true} satisfies Fields<{file: string; changed: boolean}>,
  'context list': {
    context: true,
    current: true,
    url: true,
    readonly: true,
    production: true,
    description: true,
    file: true,
  } satisfies Fields<ContextSummary>,
  'context remove': {context: true, file: true} satisfies Fields<ContextChange>,
  'context show': {setting: true, value: true, from: true} satisfies Fields<SettingInUse>,
  'context test': {
    context: true,
    address: true,
    source: true,
    server: true,
    connectMs: true,
    pingMs: true,
  } satisfies Fields<ContextTest>,
  'context use': {context: true, previous: true} satisfies Fields<{context: string | null; previous: string | null}>,
  delete: {stream: true, deleted: true, missing: true, dryRun: true} satisfies Fields<DeleteCount & DryRun>,
  'dlq list': {
    deadLetter: true,
    entries: true,
    oldestId: true,
    newestId: true,
    oldestAgeMs: true,
    newestAgeMs: true,
    causes: CAUSE,
    otherCauses: true,
  } satisfies Fields<DeadLetterSummary>,
  'dlq purge': {deadLetter: true, purged: true, left: true, dryRun: true} satisfies Fields<PurgeReport>,
  'dlq redrive': {id: true, stream: true, newId: true} satisfies Fields<Redriven>,
  'group consumers': {...KEY, consumer: true, ...CONSUMER} satisfies Fields<
    GroupKey & {consumer: string} & Named<ConsumerReport>
  >,
  'group create': {...KEY, created: true, lastDeliveredId: true} satisfies Fields<GroupCreated>,
  'group gc': {
    ...KEY,
    consumer: true,
    idleMs: true,
    pending: true,
    moved: true,
    gone: true,
    removed: true,
    kept: true,
    dryRun: true,
  } satisfies Fields<ConsumerFate & DryRun>,
  'group list': {...KEY, ...GROUP} satisfies Fields<GroupSummary>,
  'group remove': {
    ...KEY,
    removed: true,
    dryRun: true,
    consumers: true,
    pending: true,
    unread: true,
    unreadExact: true,
    unreadAtLeast: true,
    unreadAtMost: true,
  } satisfies Fields<GroupKey & {removed: boolean} & DryRun & GroupRemains>,
  'group seek': {
    ...KEY,
    dryRun: true,
    before: POSITION,
    after: POSITION,
    again: true,
    skipped: true,
    exact: true,
  } satisfies Fields<GroupKey & DryRun & SeekResult>,
  info: {
    stream: true,
    length: true,
    firstId: true,
    firstAgeMs: true,
    firstAheadMs: true,
    lastId: true,
    lastAgeMs: true,
    lastAheadMs: true,
    lastGeneratedId: true,
    entriesAdded: true,
    bytes: true,
    groups: {name: true, ...GROUP, members: {name: true, ...CONSUMER}},
  } satisfies Fields<StreamReport>,
  'local start': {started: true, ...LOCAL} satisfies Fields<{started: boolean} & LocalReport>,
  'local status': LOCAL,
  'local stop': {stopped: true, ...LOCAL} satisfies Fields<{stopped: boolean} & LocalReport>,
  ls: {
    stream: true,
    length: true,
    groups: true,
    lastId: true,
    lastAgeMs: true,
    lastAheadMs: true,
    pending: true,
    ...LAG,
    behindMs: true,
    deadLetters: {stream: true, length: true},
    bytes: true,
  } satisfies Fields<{stream: string} & Named<StreamSummary>>,
  nack: {
    ...KEY,
    givenBack: true,
    notPending: true,
    withAnother: true,
    deliveredAgain: true,
    gone: true,
  } satisfies Fields<GiveBackCount>,
  pending: {
    ...KEY,
    pending: true,
    givenBack: true,
    givenBackAtLeast: true,
    lowestId: true,
    highestId: true,
    consumers: PENDING_CONSUMER,
  } satisfies Fields<PendingReport>,
  top: SNAPSHOT_FIELDS,
  trim: {
    stream: true,
    removed: true,
    left: true,
    exact: true,
    bytes: true,
    dryRun: true,
    losses: LOSS,
  } satisfies Fields<TrimReport>,
} as const;

/** One JSON object, without the fields that `report` leaves undefined. */
export const reportToJson = <Report extends object>(report: Report, fields: Fields<Report>): string =>
  factsToJson(listed(report, fields as FieldTree) as object);

/** The cells of a line, one for each of `fields`. */
export const reportCells = <Report extends object>(report: Report, fields: Fields<Report>): string[] =>
  Object.values(listed(report, fields as FieldTree) as object).map(factCell);

export interface FieldTree {
  readonly [name: string]: true | FieldTree;
}

function listed(value: unknown, fields: true | FieldTree): unknown {
  if (fields === true || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => listed(item, fields));
  const facts = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(fields).map(([name, inner]) => [name, listed(facts[name], inner)]));
}
