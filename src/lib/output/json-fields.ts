/**
 * What commands report, in JSON, CSV and TSV: the fields of each object, in their order. They are a contract with scripts, and part
 * of test/surface.txt.
 */

import type {ArchiveOutcome} from '../archive/archive-streams.js';
import type {CheckReport, ResultReport} from '../check/report.js';
import type {CopyOutcome} from '../copy/copy-streams.js';
import type {Cause, DeadLetterSummary} from '../dead-letters/dead-letter-list.js';
import type {Redriven} from '../dead-letters/redriving.js';
import type {ConsumerFate} from '../groups/gc.js';
import type {GroupPosition, SeekResult} from '../groups/group-position.js';
import type {AckCount, DeleteCount, GiveBackCount, GroupKey} from '../groups/named-entries.js';
import type {PendingConsumer, PendingReport} from '../groups/pending-report.js';
import type {GroupRemains} from '../groups/remove.js';
import type {LocalReport} from '../local/local-server.js';
import type {GroupSummary} from '../reports/group-list.js';
import type {StreamSummary} from '../reports/stream-list.js';
import type {ConsumerReport} from '../reports/stream-report.js';
import type {ImportReport} from '../transfer/import-options.js';
import type {GroupLoss} from '../trimming/losses.js';
import type {Fields} from './report-fields.js';
import {CONSUMER, GROUP, LAG, LAST, SNAPSHOT, STREAM_REPORT} from './stream-fields.js';
import type {ContextSummary, SettingInUse} from './views/context-view.js';
import type {FindingReport, KindReport} from './views/doctor-view.js';
import type {ExportReport} from './views/export-view.js';

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

interface GroupCreated extends GroupKey {
  created: boolean;
  lastDeliveredId: string;
}

interface TrimReport extends DryRun {
  stream: string;
  removed: number;
  left: number;
  /** Only in a dry run that could not count what would go. */
  exact?: false | undefined;
  bytes?: number | undefined;
  losses: readonly GroupLoss[];
}

interface PurgeReport extends DryRun {
  deadLetter: string;
  purged: number;
  left: number;
}

/** By the name of the command. */
export const JSON_FIELDS = {
  ack: {...KEY, acknowledged: true, notPending: true, withAnother: true} satisfies Fields<AckCount>,
  archive: {
    stream: true,
    directory: true,
    archived: true,
    skipped: true,
    files: true,
    lastId: true,
    complete: true,
  } satisfies Fields<ArchiveOutcome>,
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
  copy: {
    stream: true,
    target: true,
    copied: true,
    skipped: true,
    lastId: true,
    verified: true,
    complete: true,
  } satisfies Fields<CopyOutcome>,
  delete: {stream: true, deleted: true, missing: true, dryRun: true} satisfies Fields<DeleteCount & DryRun>,
  doctor: {
    id: true,
    level: true,
    name: true,
    stream: true,
    group: true,
    seen: true,
    what: true,
    why: true,
    look: true,
    mend: true,
    entries: {id: true, fields: true},
  } satisfies Fields<FindingReport>,
  'doctor --list': {id: true, level: true, name: true, when: true, asks: true} satisfies Fields<KindReport>,
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
  export: {
    stream: true,
    entries: true,
    gone: true,
    pending: true,
    groups: true,
    missing: true,
    bytes: true,
    file: true,
    resumed: true,
    dryRun: true,
  } satisfies Fields<ExportReport>,
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
  import: {
    stream: true,
    entries: true,
    gone: true,
    pending: true,
    groups: true,
    already: true,
    verified: true,
    state: true,
    dryRun: true,
  } satisfies Fields<ImportReport>,
  info: STREAM_REPORT,
  'local start': {started: true, ...LOCAL} satisfies Fields<{started: boolean} & LocalReport>,
  'local status': LOCAL,
  'local stop': {stopped: true, ...LOCAL} satisfies Fields<{stopped: boolean} & LocalReport>,
  ls: {
    stream: true,
    length: true,
    groups: true,
    ...LAST,
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
  top: SNAPSHOT,
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
