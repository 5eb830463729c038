// Consume: the whole of a stream that is there already, as a new group, as NDJSON to a file, all acknowledged.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {expectLines} from '../measure/inputs.js';
import {builds, peer, python, runtimes} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {best, compare, ratio} from '../measure/rounds.js';

const LIMIT = 'the server alone, replies thrown away';
const TABLES = [
  {shape: 'flat', title: 'Flat events of 80 bytes', batch: 1_000, share: 1},
  {shape: 'flat', title: 'Flat events of 80 bytes', batch: 10, share: 0.2},
  {shape: 'nested', title: 'Nested events of 1 KB', batch: 1_000, share: 0.1},
  {shape: 'text', title: 'Non-ASCII text', batch: 1_000, share: 0.5},
];

export const about = 'a stream through a group into a file, acknowledged';

export async function measure(bench) {
  const tables = [];
  for (const {shape, title, batch, share} of TABLES) {
    const count = Math.max(1, Math.round(bench.events * share));
    tables.push(
      await bench.server.withFilled(shape, count, (stream) =>
        compare({
          title: `${title} by ${batch.toLocaleString('en-US')}: ${count.toLocaleString('en-US')} events`,
          unit: 'events/s',
          reference: ours(batch),
          contestants: contestants(bench, stream, batch, count),
          ...bench.turns,
        }),
      ),
    );
  }
  return {tables, goals: goals(tables)};
}

const ours = (batch) => `streamlog consume --batch ${batch}`;

function contestants({server, directory, ...bench}, stream, batch, count) {
  const out = join(directory, 'records');
  const contestant = (name, {argv, missing, limit}, words, {writes = true} = {}) => ({
    name,
    limit,
    missing,
    async run() {
      const group = server.newName('g');
      const env = {STREAMLOG_URL: server.url};
      const {ms} = await run([...argv, ...words(group)], {to: out, env});
      await server.expectConsumed(stream, group);
      if (writes) await expectLines(out, count);
      await server.redis.xgroup('DESTROY', stream, group);
      return (count / ms) * 1_000;
    },
  });
  const loop = (program) => (group) => [peer(program), String(server.port), stream, group, String(batch)];
  const consume = (group) => ['consume', '-s', stream, '-g', group, '--name', 'w1', '--batch', String(batch), '--exit'];
  return [
    ...builds(bench).map(({prefix, argv}) => contestant(prefix + ours(batch), {argv}, consume)),
    ...runtimes().map(({name, ...runtime}) =>
      contestant(`ioredis loop of ${batch}, ${name}`, runtime, loop('consume-ioredis.js')),
    ),
    contestant(`redis-py loop of ${batch}`, python(['redis'], 'python3-redis'), loop('consume-redis-py.py')),
    contestant(LIMIT, {...runtimes()[0], limit: true}, (group) => [...loop('consume-limit.js')(group), String(count)], {
      writes: false,
    }),
  ];
}

function goals([thousand, ten]) {
  const loop = best(thousand, /^ioredis/);
  const loopOfTen = best(ten, /^ioredis/);
  const work = ours(1_000);
  return [
    goal({work, against: `× ${loop}`, value: ratio(thousand, work, loop), least: 2.5}),
    goal({work, against: '× the server alone', value: ratio(thousand, work, LIMIT), towards: 0.7}),
    goal({work: ours(10), against: `× ${loopOfTen}`, value: ratio(ten, ours(10), loopOfTen), least: 2}),
  ];
}
