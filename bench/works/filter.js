// Filters: the whole of a stream as NDJSON to a file, all of it and what passes filters.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {expectLines, fieldsOf, SHAPES} from '../measure/inputs.js';
import {builds} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {compare, ratio} from '../measure/rounds.js';

const ALL = 'streamlog range';
const LEAST = 0.8;

/** `matches` says the same of the fields of an event. The first of each table lets everything through. */
const TABLES = [
  {
    shape: 'flat',
    title: 'Flat events of 80 bytes',
    share: 1,
    filters: [
      {flags: ['--where', 'type=login|click'], matches: () => true},
      {flags: ['--where', 'took_ms>=1000'], matches: () => true},
      {flags: ['--not-where', 'user~x*'], matches: () => true},
      {flags: ['--grep', '10.0'], matches: () => true},
      {flags: ['--where', 'type=login'], matches: ({type}) => type === 'login'},
      {flags: ['--where', 'user=u0000001'], matches: ({user}) => user === 'u0000001'},
    ],
  },
  {
    shape: 'nested',
    title: 'Nested events of 1 KB',
    share: 0.1,
    filters: [
      {flags: ['--where', 'type=order'], matches: () => true},
      {flags: ['--where', 'customer.address.city=Springfield'], matches: () => true},
      {flags: ['--where', 'customer.name=Customer 0000001'], matches: ({order}) => order === '1'},
    ],
  },
];

export const about = 'a stream into a file, through filters';

export async function measure(bench) {
  const tables = [];
  for (const {shape, title, share, filters} of TABLES) {
    const count = Math.max(1, Math.round(bench.events * share));
    tables.push(
      await bench.server.withFilled(shape, count, (stream) =>
        compare({
          title: `${title}: ${count.toLocaleString('en-US')} events`,
          unit: 'events/s',
          reference: ALL,
          contestants: contestants(bench, {shape, stream, count, filters}),
          ...bench.turns,
        }),
      ),
    );
  }
  return {tables, goals: tables.flatMap((table) => table.rows.flatMap((row) => goalsOf(table, row)))};
}

const nameOf = (flags) => `${ALL} ${flags.join(' ')}`;

function contestants({server, directory, ...bench}, {shape, stream, count, filters}) {
  const out = join(directory, 'records');
  const contestant = (name, argv, flags, lines) => ({
    name,
    async run() {
      const {ms} = await run([...argv, 'range', '-s', stream, ...flags], {to: out, env: {STREAMLOG_URL: server.url}});
      await expectLines(out, lines);
      return (count / ms) * 1_000;
    },
  });
  const matching = filters.map(({flags, matches}) => ({flags, lines: countOf(shape, count, matches)}));
  return builds(bench).flatMap(({prefix, argv}) => [
    contestant(prefix + ALL, argv, [], count),
    ...matching.map(({flags, lines}) => contestant(prefix + nameOf(flags), argv, flags, lines)),
  ]);
}

function countOf(shape, count, matches) {
  let found = 0;
  for (let n = 0; n < count; n++) if (matches(Object.fromEntries(fieldsOf(SHAPES[shape](n))))) found++;
  return found;
}

const goalsOf = (table, {name}) =>
  name.startsWith(`${ALL} `)
    ? [goal({work: name, against: '× without a filter', value: ratio(table, name, ALL), least: LEAST})]
    : [];
