/** What Prometheus is given: the names of redis_exporter, and no sample of what is not known. */
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {exposition, type Names} from '../../../src/lib/metrics/exposition.js';
import type {Snapshot} from '../../../src/lib/observe/snapshot.js';
import {groupFacts, streamFacts} from '../check/snapshots.js';
import {snapshotOf} from '../snapshots.js';

const render = (snapshot: Snapshot | undefined, maxSeries = 20_000, names: Names = 'both'): string =>
  exposition(snapshot, {version: '1.2.3', database: 3, maxSeries, names});
const samplesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const named = (text: string, name: string): string[] => samplesOf(text).filter((line) => line.startsWith(`${name}{`));

const member = {name: 'w1', pending: 2, idleMs: 1_500};

it('has the names, types and labels of redis_exporter', () => {
  const text = render(snapshotOf([streamFacts({groups: [groupFacts({members: [member]})]})]));
  const types = [...text.matchAll(/^# TYPE (redis_\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(types).toEqual([
    'redis_stream_length gauge',
    'redis_stream_radix_tree_keys gauge',
    'redis_stream_radix_tree_nodes gauge',
    'redis_stream_groups gauge',
    'redis_stream_last_generated_id gauge',
    'redis_stream_max_deleted_entry_id gauge',
    'redis_stream_first_entry_id gauge',
    'redis_stream_last_entry_id gauge',
    'redis_stream_entries_added_total counter',
    'redis_stream_group_consumers gauge',
    'redis_stream_group_messages_pending gauge',
    'redis_stream_group_last_delivered_id gauge',
    'redis_stream_group_entries_read gauge',
    'redis_stream_group_lag gauge',
    'redis_stream_group_consumer_messages_pending gauge',
    'redis_stream_group_consumer_idle_seconds gauge',
  ]);
  expect(text).toContain('redis_stream_last_entry_id{db="db3",stream="orders"} 1526919090474\n');
  expect(text).toContain('redis_stream_group_lag{db="db3",stream="orders",group="billing"} 12\n');
  expect(text).toContain(
    'redis_stream_group_consumer_idle_seconds{db="db3",stream="orders",group="billing",consumer="w1"} 1.5\n',
  );
});

it('leaves out what is not known, and has a bound under another name', () => {
  const group = groupFacts({lagExact: false, lagAtLeast: 10, lagAtMost: 90, behindMs: null, entriesRead: null});
  const text = render(snapshotOf([streamFacts({bytes: null, maxDeletedId: null, groups: [group]})]));
  expect(text).not.toMatch(
    /redis_stream_group_lag\{|behind_seconds|entries_read|memory_bytes|max_deleted|stalled|drain/,
  );
  expect(text).toContain('streamlog_group_lag_at_least{db="db3",stream="orders",group="billing"} 10\n');
});

it('has the names of redis_exporter alone, or those beside them', () => {
  const snapshot = snapshotOf([streamFacts({groups: [groupFacts({members: [member]})]})]);
  const names = (which: Names): string[] =>
    samplesOf(render(snapshot, 20_000, which)).map((line) => line.replace(/[{ ].*/, ''));
  const [both, exporter, beside] = (['both', 'exporter', 'streamlog'] as const).map(names);
  const own = both!.filter((name) => /^streamlog_(collector|up|build)/.test(name));
  expect(exporter).toEqual([...both!.filter((name) => name.startsWith('redis_')), ...own]);
  expect(beside).toEqual(both!.filter((name) => name.startsWith('streamlog_')));
  // Only what is printed counts.
  expect(samplesOf(render(snapshot, 12, 'streamlog'))).toHaveLength(beside!.length);
});

it('says only that Redis is away while it is', () => {
  expect(samplesOf(render(undefined))).toEqual(['streamlog_up 0', 'streamlog_build_info{version="1.2.3"} 1']);
});

it('has no more series than asked for, and counts the streams beyond', () => {
  const streams = Array.from({length: 100}, (_, n) => streamFacts({stream: `s${n}`, groups: [groupFacts()]}));
  const text = render(snapshotOf(streams, {skipped: [{streams: 7, reason: 'denied'}]}), 500);
  const ofStreams = samplesOf(text).filter((line) => line.includes('{db='));
  expect(ofStreams.length).toBeLessThanOrEqual(500);
  const shown = named(text, 'redis_stream_length').length;
  expect(text).toContain(`streamlog_collector_streams ${shown}\n`);
  expect(text).toContain(`streamlog_collector_streams_skipped ${107 - shown}\n`);
});

it('names each series once, in its grammar, whatever the names are', () => {
  const sample =
    /^[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"(,[a-z]+="(?:[^"\\\n]|\\\\|\\"|\\n)*")*\})? -?[0-9.e+-]+$/;
  const name = fc.oneof(fc.string(), fc.constantFrom('\udcff', '\\xff', 'a"b\n\\', '\udc80\udc81'));
  fc.assert(
    fc.property(fc.uniqueArray(name, {maxLength: 10}), (names) => {
      const groups = names.map((group) => groupFacts({group, members: names.map((one) => ({...member, name: one}))}));
      const samples = samplesOf(render(snapshotOf(names.map((stream) => streamFacts({stream, groups})))));
      for (const line of samples) expect(line).toMatch(sample);
      const series = samples.map((line) => line.replace(/ \S+$/, ''));
      expect(new Set(series).size).toBe(series.length);
    }),
    {numRuns: 50},
  );
});
