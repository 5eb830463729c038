// Bulk produce: NDJSON from a file through standard input into a new stream.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {ndjsonLine, writeLines, xadd} from '../measure/inputs.js';
import {builds, output, peer, program, python, runtimes} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {best, compare, ratio} from '../measure/rounds.js';

const STREAM = 'events';
const PLAIN = 'streamlog produce -q';
const ONCE = 'streamlog produce -q --exactly-once';
const ENCODED = 'redis-cli --pipe, input already encoded';

/** With a share of the events for longer lines. */
const SHAPES = [
  {shape: 'flat', title: 'Flat events of 80 bytes', share: 1},
  {shape: 'nested', title: 'Nested events of 1 KB', share: 0.1},
  {shape: 'text', title: 'Non-ASCII text', share: 0.5},
];

export const about = 'NDJSON into a stream';

export async function measure(bench) {
  const tables = [];
  for (const {shape, title, share} of SHAPES) {
    const count = Math.max(1, Math.round(bench.events * share));
    tables.push(
      await compare({
        title: `${title}: ${count.toLocaleString('en-US')} events`,
        unit: 'events/s',
        reference: PLAIN,
        contestants: contestants(bench, shape, count),
        ...bench.turns,
      }),
    );
  }
  return {tables, goals: goals(tables[0])};
}

function contestants(bench, shape, count) {
  const {server, directory} = bench;
  const lines = writeLines(join(directory, `${shape}.ndjson`), count, ndjsonLine(shape));
  const encoded = writeLines(
    join(directory, `${shape}.resp`),
    count,
    xadd(STREAM, shape, () => '*'),
  );
  const toRedis = ['-h', '127.0.0.1', '-p', String(server.port)];
  const contestant = (name, {argv, missing, limit}, args, options = {}) => ({
    name,
    limit,
    missing,
    async run() {
      await server.redis.unlink(STREAM);
      const {ms} = await run([...argv, ...args], {from: lines, env: {STREAMLOG_URL: server.url}, ...options});
      await server.expectEvents(STREAM, shape, count);
      return (count / ms) * 1_000;
    },
  });
  const produce = ['produce', '-s', STREAM];
  const words = [String(server.port), STREAM];
  const cli = program('redis-cli', 'redis-tools');
  const jq = program('jq');
  return [
    ...builds(bench).flatMap(({prefix, argv}) => [
      contestant(prefix + PLAIN, {argv}, [...produce, '-q']),
      contestant(`${prefix}streamlog produce, IDs to a file`, {argv}, produce, {to: join(directory, 'ids')}),
      contestant(prefix + ONCE, exactlyOnce(argv[0]), [...produce, '-q', '--exactly-once']),
    ]),
    contestant(ENCODED, {...cli, limit: true}, [...toRedis, '--pipe'], {from: encoded}),
    ...runtimes().map(({name, ...runtime}) =>
      contestant(`ioredis pipeline() of 1,000, ${name}`, runtime, [peer('produce-ioredis.js'), ...words]),
    ),
    ...runtimes().map(({name, ...runtime}) =>
      contestant(`node-redis, 1,000 in flight, ${name}`, runtime, [peer('produce-node-redis.js'), ...words]),
    ),
    contestant('jq | redis-cli --pipe', {argv: ['bash'], missing: jq.missing ?? cli.missing}, [
      peer('produce-jq.sh'),
      ...words,
    ]),
    contestant('redis-py pipeline of 1,000', python(['redis'], 'python3-redis'), [
      peer('produce-redis-py.py'),
      ...words,
    ]),
  ];
}

function exactlyOnce(streamlog) {
  const known = output(['bash', '-c', `"${streamlog}" produce --help | grep -o -m 1 -e --exactly-once`]);
  return known === undefined ? {missing: 'this build has no --exactly-once'} : {argv: [streamlog]};
}

function goals(table) {
  const ioredis = best(table, /^ioredis/);
  return [
    goal({
      work: 'bulk produce, flat, plain',
      against: '× redis-cli --pipe',
      value: ratio(table, PLAIN, ENCODED),
      least: 0.6,
      towards: 0.9,
    }),
    goal({work: 'bulk produce, flat, plain', against: `× ${ioredis}`, value: ratio(table, PLAIN, ioredis), least: 2.5}),
    goal({
      work: 'the same, --exactly-once',
      against: '× redis-cli --pipe',
      value: ratio(table, ONCE, ENCODED),
      least: 0.45,
      towards: 0.55,
    }),
  ];
}
