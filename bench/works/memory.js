// The most memory that was resident, once for each size: it has to be the same for all.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {expectLines, ndjsonLine, writeLines} from '../measure/inputs.js';
import {goal} from '../measure/report.js';
import {compare} from '../measure/rounds.js';

/** Times the events of the other works: 100,000, 1,000,000 and 5,000,000 of the usual 500,000. */
const SIZES = [0.2, 2, 10];
const PENDING = 2;

export const about = 'peak memory, whatever the size';

export async function measure(bench) {
  const sizes = SIZES.map((share) => Math.max(1, Math.round(bench.events * share)));
  const once = {unit: 'MB', ...bench.turns, rounds: 1, warmUp: false};
  const contestants = (makes) =>
    sizes.map((count) => ({name: count.toLocaleString('en-US'), run: () => makes(bench, count)}));
  const tables = [
    await compare({title: 'produce, events of 80 bytes', contestants: contestants(produce), ...once}),
    await compare({title: 'consume --batch 1000, events of 80 bytes', contestants: contestants(consume), ...once}),
    await compare({title: 'On entries that are all pending', contestants: await onPending(bench), ...once}),
  ];
  return {tables, goals: goals(tables)};
}

async function produce({server, streamlog, directory}, count) {
  const stream = server.newName('sized');
  const from = writeLines(join(directory, 'sized.ndjson'), count, ndjsonLine('flat'));
  const done = await run([streamlog, 'produce', '-s', stream], {from, env: {STREAMLOG_URL: server.url}, memory: true});
  await server.expectEvents(stream, 'flat', count);
  await server.redis.unlink(stream);
  return done.peakMb;
}

async function consume({server, streamlog, directory}, count) {
  const stream = server.newName('sized');
  await server.fill(stream, 'flat', count);
  const words = ['consume', '-s', stream, '-g', 'g', '--batch', '1000', '--exit'];
  const to = join(directory, 'records');
  const done = await run([streamlog, ...words], {to, env: {STREAMLOG_URL: server.url}, memory: true});
  await server.expectConsumed(stream, 'g');
  await server.redis.unlink(stream);
  return done.peakMb;
}

async function onPending({server, streamlog, directory, events}) {
  const count = events * PENDING;
  const stream = server.newName('sized');
  await server.fill(stream, 'flat', count);
  await server.makePending(stream, 'g', count);
  const contestant = (words) => ({
    name: `${words.join(' ')}, ${count.toLocaleString('en-US')}`,
    async run() {
      const to = join(directory, 'details');
      const env = {STREAMLOG_URL: server.url};
      const {peakMb} = await run([streamlog, ...words, '-s', stream], {to, env, memory: true});
      if (words[0] === 'pending') await expectLines(to, count);
      await server.expectPending(stream, 'g', count);
      await server.expectCount(stream, count);
      return peakMb;
    },
  });
  return [contestant(['pending', '-g', 'g', '--details']), contestant(['trim', '--safe', '--maxlen', '1'])];
}

function goals(tables) {
  const peaks = tables.flatMap(({rows}) => rows.map(({median}) => median));
  const growth = ({rows}) => rows.at(-1).median / rows[0].median;
  return [
    goal({work: 'the highest of all peaks', against: 'MB', value: Math.max(...peaks), most: 150, towards: 90}),
    goal({work: 'produce, most events', against: '× fewest', value: growth(tables[0]), most: 1.1}),
    goal({work: 'consume, most events', against: '× fewest', value: growth(tables[1]), most: 1.1}),
  ];
}
