// Transfer: a whole stream into a file, with what is pending and without, and back into a server.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {expectLines} from '../measure/inputs.js';
import {builds, program} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {compare, ratio} from '../measure/rounds.js';

const RANGE = 'streamlog range';
const EXPORT = 'streamlog export';
const PRODUCE = 'streamlog produce --input envelope';
const IMPORT = 'streamlog import';
const THROUGH = 'streamlog export into streamlog import';
/** Header and trailer. */
const OWN_LINES = 2;

const GOALS = [
  {title: 'into a file', work: EXPORT, against: RANGE, least: 0.5},
  {title: 'back', work: IMPORT, against: PRODUCE, least: 0.7},
];

export const about = 'a stream with its groups into a file, and back';

export async function measure(bench) {
  const {server, events} = bench;
  const tables = [];
  for (const {title, shape, share, pending} of [
    {title: 'Flat events of 80 bytes', shape: 'flat', share: 1, pending: false},
    {title: 'Flat events of 80 bytes, all pending in a group', shape: 'flat', share: 1, pending: true},
    {title: 'Nested events of 1 KB', shape: 'nested', share: 0.1, pending: false},
  ]) {
    const count = Math.max(1, Math.round(events * share));
    const named = `${title}: ${count.toLocaleString('en-US')}`;
    await server.withFilled(shape, count, async (stream) => {
      if (pending) await server.makePending(stream, 'g', count);
      const source = {...bench, stream, count};
      tables.push(
        await compare({title: `${named}, into a file`, reference: RANGE, contestants: out(source), ...turns(bench)}),
      );
      await writeFiles(source);
      tables.push(
        await compare({title: `${named}, back`, reference: PRODUCE, contestants: back(source), ...turns(bench)}),
      );
      tables.push(
        await compare({
          title: `${named}, from stream to stream`,
          reference: THROUGH,
          contestants: through(source),
          ...turns(bench),
        }),
      );
    });
  }
  return {tables, goals: tables.flatMap(goalsOf)};
}

const turns = (bench) => ({unit: 'events/s', ...bench.turns});

function out({server, directory, stream, count, ...bench}) {
  const to = join(directory, 'exported');
  const contestant = (name, argv, lines) => ({
    name,
    async run() {
      const {ms} = await run(argv, {to, env: {STREAMLOG_URL: server.url}});
      if (lines !== undefined) await expectLines(to, lines);
      return (count / ms) * 1_000;
    },
  });
  const cli = program('redis-cli', 'redis-tools');
  const rdb = ['-p', String(server.port), '--rdb', join(directory, 'dump.rdb')];
  return [
    ...builds(bench).flatMap(({prefix, argv}) => [
      contestant(prefix + RANGE, [...argv, 'range', '-s', stream], count),
      contestant(prefix + EXPORT, [...argv, 'export', stream], count + OWN_LINES),
    ]),
    {...contestant('redis-cli --rdb, the whole server', [...(cli.argv ?? []), ...rdb]), missing: cli.missing},
  ];
}

/** What is read back. */
async function writeFiles({server, directory, streamlog, stream}) {
  const env = {STREAMLOG_URL: server.url};
  await run([streamlog, 'range', '-s', stream], {to: join(directory, 'ranged'), env});
  await run([streamlog, 'export', stream], {to: join(directory, 'exported'), env});
}

function back({server, directory, count, ...bench}) {
  const contestant = (name, argv, file) => ({
    name,
    async run() {
      const target = server.newName('back');
      const {ms} = await run([...argv, target], {from: join(directory, file), env: {STREAMLOG_URL: server.url}});
      await server.expectCount(target, count);
      await server.redis.unlink(target);
      return (count / ms) * 1_000;
    },
  });
  return builds(bench).flatMap(({prefix, argv}) => [
    contestant(prefix + PRODUCE, [...argv, 'produce', '--input', 'envelope', '-q', '-s'], 'ranged'),
    contestant(prefix + IMPORT, [...argv, 'import', '-q', '--into'], 'exported'),
  ]);
}

function through({server, stream, count, ...bench}) {
  const contestant = (name, line) => ({
    name,
    async run() {
      const target = server.newName('through');
      const {ms} = await run(['bash', '-c', `set -o pipefail; ${line(target)}`], {env: {STREAMLOG_URL: server.url}});
      await server.expectCount(target, count);
      await server.redis.unlink(target);
      return (count / ms) * 1_000;
    },
  });
  const {argv: [cli] = [], missing} = program('redis-cli', 'redis-tools');
  const redis = `${cli} -p ${server.port}`;
  return [
    ...builds(bench).map(({prefix, argv: [streamlog]}) =>
      contestant(
        prefix + THROUGH,
        (target) => `${streamlog} export ${stream} | ${streamlog} import -q --into ${target}`,
      ),
    ),
    {
      ...contestant(
        'redis-cli: DUMP | RESTORE',
        (target) => `${redis} --raw dump ${stream} | head -c -1 | ${redis} -x restore ${target} 0`,
      ),
      missing,
    },
  ];
}

/** What is pending is as much again, which the others do not have. */
const goalsOf = (table) =>
  (/pending/.test(table.title) ? [] : GOALS)
    .filter(({title}) => table.title.endsWith(title))
    .map(({work, against, least}) =>
      goal({work: `${work}: ${table.title}`, against: `× ${against}`, value: ratio(table, work, against), least}),
    );
