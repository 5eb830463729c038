/**
 * What `check` compares: figures of a Snapshot by the names that expressions use. Invariant: a figure lies between the bounds
 * given here, which are the same where it is exact; undefined where nothing is known of it.
 */
import type {GroupFacts, ServerFacts, StreamFacts} from '../observe/snapshot.js';

/** A figure, between bounds that are certain. The upper one may be infinite. */
export interface Bounds {
  readonly atLeast: number;
  readonly atMost: number;
}

/** What its value is: a number, milliseconds, bytes, or parts of a hundred. */
export type Unit = 'count' | 'ms' | 'bytes' | 'percent';

/** What of the server is known beside its facts. */
export interface CheckedServer extends ServerFacts {
  /** How long it took to connect. */
  connectMs: number;
}

interface MetricOf<Facts> {
  readonly unit: Unit;
  readonly about: string;
  measure(facts: Facts): Bounds | undefined;
}

const GROUP_METRICS = {
  lag: {
    unit: 'count',
    about: 'entries that the group was not given yet',
    measure: ({lagAtLeast, lagAtMost}) =>
      lagAtLeast === null || lagAtMost === null ? undefined : {atLeast: lagAtLeast, atMost: lagAtMost},
  },
  behind: {
    unit: 'ms',
    about: 'age of the oldest entry that the group was not given',
    measure: ({behindMs}) => exactly(behindMs),
  },
  pending: {unit: 'count', about: 'entries delivered and not acknowledged', measure: ({pending}) => exactly(pending)},
  oldest_pending: {
    unit: 'ms',
    about: 'age of the oldest pending entry',
    measure: ({pending, oldestPendingAgeMs}) => exactly(pending === 0 ? 0 : oldestPendingAgeMs),
  },
  oldest_idle: {
    unit: 'ms',
    about: 'time since the oldest pending entry was delivered',
    measure: oldestIdle,
  },
  deliveries: {unit: 'count', about: 'most deliveries of a pending entry', measure: deliveries},
  consumers: {unit: 'count', about: 'consumers of the group', measure: ({consumers}) => exactly(consumers)},
  drain: {unit: 'ms', about: 'time until the group has read all, as fast as now', measure: drain},
} as const satisfies Record<string, MetricOf<GroupFacts>>;

const STREAM_METRICS = {
  length: {unit: 'count', about: 'entries of the stream', measure: ({length}) => exactly(length)},
  groups: {unit: 'count', about: 'groups of the stream', measure: ({groups}) => exactly(groups?.length ?? null)},
  last_entry: {unit: 'ms', about: 'age of the newest entry', measure: lastEntry},
  bytes: {unit: 'bytes', about: 'memory of the stream', measure: ({bytes}) => exactly(bytes)},
  dead_letters: {
    unit: 'count',
    about: 'entries of its dead letter stream',
    measure: ({deadLetters}) => exactly(deadLetters?.length ?? null),
  },
} as const satisfies Record<string, MetricOf<StreamFacts>>;

const SERVER_METRICS = {
  memory_used_percent: {
    unit: 'percent',
    about: 'memory in use, of maxmemory',
    measure: ({memoryBytes, maxMemoryBytes}) =>
      exactly(memoryBytes === null || !maxMemoryBytes ? null : (100 * memoryBytes) / maxMemoryBytes),
  },
  evicted: {
    unit: 'count',
    about: 'keys evicted since the server started',
    measure: (server) => exactly(server.evictedKeys),
  },
  connect: {unit: 'ms', about: 'time to connect to the server', measure: ({connectMs}) => exactly(connectMs)},
} as const satisfies Record<string, MetricOf<CheckedServer>>;

export type GroupMetric = keyof typeof GROUP_METRICS;
export type StreamMetric = keyof typeof STREAM_METRICS;
export type ServerMetric = keyof typeof SERVER_METRICS;
export type MetricName = GroupMetric | StreamMetric | ServerMetric;

const ALL: Record<MetricName, {unit: Unit; about: string}> = {...GROUP_METRICS, ...STREAM_METRICS, ...SERVER_METRICS};
export const METRIC_NAMES = Object.keys(ALL) as MetricName[];

export const unitOf = (metric: MetricName): Unit => ALL[metric].unit;

export const isGroupMetric = (metric: MetricName): metric is GroupMetric => Object.hasOwn(GROUP_METRICS, metric);
export const isStreamMetric = (metric: MetricName): metric is StreamMetric => Object.hasOwn(STREAM_METRICS, metric);
export const isServerMetric = (metric: MetricName): metric is ServerMetric => Object.hasOwn(SERVER_METRICS, metric);

export const ofGroup = (metric: GroupMetric, facts: GroupFacts): Bounds | undefined =>
  GROUP_METRICS[metric].measure(facts);
export const ofStream = (metric: StreamMetric, facts: StreamFacts): Bounds | undefined =>
  STREAM_METRICS[metric].measure(facts);
export const ofServer = (metric: ServerMetric, facts: CheckedServer): Bounds | undefined =>
  SERVER_METRICS[metric].measure(facts);

/** Of a stream that does not exist: it has no entries and no groups, and the rest means nothing. */
export const ofMissingStream = (metric: MetricName): Bounds | undefined =>
  metric === 'length' || metric === 'groups' ? exactly(0) : undefined;

function exactly(value: number | null): Bounds | undefined {
  return value === null ? undefined : {atLeast: value, atMost: value};
}

/** An entry that was given back has been idle for no longer than it exists. */
function oldestIdle({pending, oldestPendingIdleMs, oldestPendingAgeMs}: GroupFacts): Bounds | undefined {
  if (pending === 0) return exactly(0);
  if (oldestPendingIdleMs !== null) return exactly(oldestPendingIdleMs);
  return oldestPendingAgeMs === null ? undefined : {atLeast: 0, atMost: oldestPendingAgeMs};
}

function deliveries({pending, maxDeliveries, maxDeliveriesExact}: GroupFacts): Bounds | undefined {
  if (pending === 0) return exactly(0);
  if (maxDeliveries === null) return undefined;
  const atLeast = Number(maxDeliveries);
  return {atLeast, atMost: maxDeliveriesExact ? atLeast : Number.POSITIVE_INFINITY};
}

/** Never, where the lag grows or stays. */
function drain({trend, drainMs}: GroupFacts): Bounds | undefined {
  if (trend === 'drained') return exactly(0);
  if (drainMs !== null) return exactly(drainMs);
  return trend === 'growing' || trend === 'stalled' || trend === 'steady'
    ? exactly(Number.POSITIVE_INFINITY)
    : undefined;
}

/** Without an entry, the newest one is infinitely old. */
function lastEntry({length, lastAgeMs}: StreamFacts): Bounds | undefined {
  return exactly(length === 0 ? Number.POSITIVE_INFINITY : lastAgeMs);
}
