/**
 * A snapshot in the text format of Prometheus, under the names of redis_exporter (https://github.com/oliver006/redis_exporter).
 * Invariants: what is not known has no sample; no series comes twice; there are at most as many as asked for, and streams beyond
 * are counted.
 */
import type {GroupFacts, Snapshot, StreamFacts} from '../observe/snapshot.js';
import {timePartOf} from '../records/stream-id.js';
import type {ConsumerReport} from '../reports/stream-report.js';
import {type Family, familyText, type Sample} from '../serve/prometheus-text.js';

export interface ExpositionOptions {
  version: string;
  /** The number of the database. */
  database: number;
  maxSeries: number;
  names: Names;
}

/** Those that redis_exporter has too; those that it has not, to stand beside it; or both. */
export const NAMES = ['both', 'exporter', 'streamlog'] as const;
export type Names = (typeof NAMES)[number];

type Value = number | string | bigint | null | undefined;

interface FamilyOf<Facts> extends Family {
  value(facts: Facts): Value;
}

const family = <Facts>(
  name: string,
  help: string,
  value: (facts: Facts) => Value,
  type: 'counter' | 'gauge' = 'gauge',
): FamilyOf<Facts> => ({name, help, type, value});
/** IDs are their time in milliseconds, as redis_exporter has them. */
const timeOf = (id: string | null): Value => (id === null ? null : timePartOf(id));
const seconds = (ms: number | null): Value => (ms === null ? null : ms / 1_000);

const STREAM_FAMILIES: readonly FamilyOf<StreamFacts>[] = [
  family('redis_stream_length', 'Entries of the stream.', ({length}) => length),
  family('redis_stream_radix_tree_keys', 'Nodes that hold entries.', ({radixTreeKeys}) => radixTreeKeys),
  family('redis_stream_radix_tree_nodes', 'Nodes of the radix tree.', ({radixTreeNodes}) => radixTreeNodes),
  family('redis_stream_groups', 'Groups of the stream.', ({groups}) => groups?.length),
  family('redis_stream_last_generated_id', 'Time of the last ID given, in ms.', (facts) =>
    timeOf(facts.lastGeneratedId),
  ),
  family('redis_stream_max_deleted_entry_id', 'Time of the highest deleted ID, in ms.', (facts) =>
    timeOf(facts.maxDeletedId),
  ),
  family('redis_stream_first_entry_id', 'Time of the first ID, in ms.', ({firstId}) => timeOf(firstId)),
  family('redis_stream_last_entry_id', 'Time of the last ID, in ms.', ({lastId}) => timeOf(lastId)),
  family('redis_stream_entries_added_total', 'Entries ever added.', ({entriesAdded}) => entriesAdded, 'counter'),
  family('streamlog_stream_memory_bytes', 'Memory, as MEMORY USAGE estimates it.', ({bytes}) => bytes),
  family('streamlog_dead_letters', 'Entries of the dead letter stream.', ({deadLetters}) => deadLetters?.length),
];

const GROUP_FAMILIES: readonly FamilyOf<GroupFacts>[] = [
  family('redis_stream_group_consumers', 'Consumers of the group.', ({consumers}) => consumers),
  family('redis_stream_group_messages_pending', 'Entries delivered and not acknowledged.', ({pending}) => pending),
  family('redis_stream_group_last_delivered_id', 'Time of the last delivered ID, in ms.', (facts) =>
    timeOf(facts.lastDeliveredId),
  ),
  family('redis_stream_group_entries_read', 'Entries read, as Redis counts.', ({entriesRead}) => entriesRead),
  family('redis_stream_group_lag', 'Entries not delivered yet, where that is exact.', ({lag, lagExact}) =>
    lagExact ? lag : null,
  ),
  family('streamlog_group_lag_at_least', 'A lower bound, where the lag is not exact.', ({lagAtLeast, lagExact}) =>
    lagExact ? null : lagAtLeast,
  ),
  family('streamlog_group_behind_seconds', 'Age of the oldest entry not delivered.', ({behindMs}) => seconds(behindMs)),
  family('streamlog_group_oldest_pending_seconds', 'Age of the oldest pending entry; 0 without one.', (facts) =>
    facts.pending === 0 ? 0 : seconds(facts.oldestPendingAgeMs),
  ),
  family('streamlog_group_oldest_pending_idle_seconds', 'Since its last delivery; 0 without one.', (facts) =>
    facts.pending === 0 ? 0 : seconds(facts.oldestPendingIdleMs),
  ),
  family('streamlog_group_max_deliveries', 'Most deliveries of the first 100 pending entries.', (facts) =>
    facts.pending === 0 ? 0 : facts.maxDeliveries,
  ),
  family('streamlog_group_drain_seconds', 'Until all is read, as fast as now.', ({trend, drainMs}) =>
    trend === 'drained' ? 0 : seconds(drainMs),
  ),
  family('streamlog_group_stalled', '1 where nothing was delivered for a minute.', ({trend}) =>
    trend === 'unknown' ? null : Number(trend === 'stalled'),
  ),
];

const CONSUMER_FAMILIES: readonly FamilyOf<ConsumerReport>[] = [
  family('redis_stream_group_consumer_messages_pending', 'Entries pending with the consumer.', ({pending}) => pending),
  family('redis_stream_group_consumer_idle_seconds', 'Since it last asked.', ({idleMs}) => idleMs / 1_000),
];

/** The label of a group and its facts; `labels` has what comes before. */
interface Labelled<Facts> {
  readonly labels: string;
  readonly facts: Facts;
}

/** Only `streamlog_up 0` and the version where there is no snapshot. */
export function exposition(
  snapshot: Snapshot | undefined,
  {version, database, maxSeries, names}: ExpositionOptions,
): string {
  const own = [
    single('streamlog_up', 'Whether Redis answers.', snapshot === undefined ? 0 : 1),
    single('streamlog_build_info', 'Always 1.', 1, `{version="${version}"}`),
  ];
  if (snapshot === undefined) return own.join('');
  const families = familiesOf(names);
  const {streams, left} = within(snapshot.streams, `db="db${database}"`, maxSeries, families);
  const groups = streams.flatMap(groupsOf);
  const consumers = groups.flatMap(({labels, facts: {members}}) =>
    (members ?? []).map((facts) => ({labels: `${labels},consumer="${labelOf(facts.name)}"`, facts})),
  );
  const skipped = snapshot.skipped.reduce((sum, one) => sum + one.streams, left);
  return [
    ...families.ofStreams.map((one) => text(one, streams)),
    ...families.ofGroups.map((one) => text(one, groups)),
    ...families.ofConsumers.map((one) => text(one, consumers)),
    single('streamlog_collector_duration_seconds', 'How long the last reading took.', snapshot.tookMs / 1_000),
    single('streamlog_collector_streams', 'Streams that have series.', streams.length),
    single('streamlog_collector_streams_skipped', 'Streams that have none.', skipped),
    single('streamlog_collector_last_success_timestamp_seconds', 'When it was read.', Date.parse(snapshot.at) / 1_000),
    ...own,
  ].join('');
}

interface Families {
  ofStreams: readonly FamilyOf<StreamFacts>[];
  ofGroups: readonly FamilyOf<GroupFacts>[];
  ofConsumers: readonly FamilyOf<ConsumerReport>[];
}

function familiesOf(names: Names): Families {
  const isChosen = ({name}: Family): boolean =>
    names === 'both' || name.startsWith('redis_') === (names === 'exporter');
  return {
    ofStreams: STREAM_FAMILIES.filter(isChosen),
    ofGroups: GROUP_FAMILIES.filter(isChosen),
    ofConsumers: CONSUMER_FAMILIES.filter(isChosen),
  };
}

/** The first streams by name whose series there is room for. Names that are shown alike would be one series. */
function within(
  all: readonly StreamFacts[],
  db: string,
  maxSeries: number,
  families: Families,
): {streams: Labelled<StreamFacts>[]; left: number} {
  const seen = new Set<string>();
  const streams: Labelled<StreamFacts>[] = [];
  let series = 0;
  for (const facts of all) {
    const labels = `${db},stream="${labelOf(facts.stream)}"`;
    series += seriesOf(facts, families);
    if (series > maxSeries) break;
    if (seen.has(labels)) continue;
    seen.add(labels);
    streams.push({labels, facts});
  }
  return {streams, left: all.length - streams.length};
}

const seriesOf = ({groups}: StreamFacts, {ofStreams, ofGroups, ofConsumers}: Families): number =>
  (groups ?? []).reduce(
    (sum, {members}) => sum + ofGroups.length + ofConsumers.length * (members?.length ?? 0),
    ofStreams.length,
  );

const groupsOf = ({labels, facts}: Labelled<StreamFacts>): Labelled<GroupFacts>[] =>
  (facts.groups ?? []).map((group) => ({labels: `${labels},group="${labelOf(group.group)}"`, facts: group}));

/** Nothing without a sample. */
function text<Facts>(family: FamilyOf<Facts>, all: readonly Labelled<Facts>[]): string {
  const seen = new Set<string>();
  const samples = all.flatMap(({labels, facts}): Sample[] => {
    const value = family.value(facts);
    if (value === null || value === undefined || seen.has(labels)) return [];
    seen.add(labels);
    return [[`{${labels}}`, value]];
  });
  return samples.length === 0 ? '' : familyText(family, samples);
}

const single = (name: string, help: string, value: number, labels = ''): string =>
  familyText({name, help, type: 'gauge'}, [[labels, value]]);

const ESCAPES: Record<string, string> = {'\\': '\\\\', '"': '\\"', '\n': '\\n'};

/** A byte that is not UTF-8 is shown as `\xff`. */
const labelOf = (name: string): string =>
  name
    .replace(/[\udc80-\udcff]/gu, (byte) => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`)
    .replace(/[\\"\n]/g, (char) => ESCAPES[char]!);
