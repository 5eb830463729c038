// Copies: the whole of a stream into another one on the same server, under its IDs and under new ones.
import {run} from '../measure/children.js';
import {builds} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {compare, ratio} from '../measure/rounds.js';

const PIPE = 'streamlog range, into streamlog produce';
const COPY = 'streamlog copy';

const TABLES = [
  {shape: 'flat', title: 'Flat events of 80 bytes', share: 1},
  {shape: 'nested', title: 'Nested events of 1 KB', share: 0.1},
];

export const about = 'a stream into another one';

export async function measure(bench) {
  const tables = [];
  for (const {shape, title, share} of TABLES) {
    const count = Math.max(1, Math.round(bench.events * share));
    tables.push(
      await bench.server.withFilled(shape, count, (stream) =>
        compare({
          title: `${title}: ${count.toLocaleString('en-US')} events`,
          unit: 'events/s',
          reference: PIPE,
          contestants: contestants(bench, {stream, count}),
          ...bench.turns,
        }),
      ),
    );
  }
  const goals = tables.map((table) =>
    goal({work: `${COPY}, ${table.title}`, against: `× ${PIPE}`, value: ratio(table, COPY, PIPE), least: 1}),
  );
  return {tables, goals};
}

function contestants({server, ...bench}, {stream, count}) {
  const contestant = (name, command) => ({
    name,
    async run() {
      const to = server.newName('copy');
      const {ms} = await run(command(to), {env: {STREAMLOG_URL: server.url}});
      await server.expectCount(to, count);
      await server.redis.unlink(to, `{${to}}:streamlog:copy:${to}`);
      return (count / ms) * 1_000;
    },
  });
  return builds(bench).flatMap(({prefix, argv}) => {
    const words = argv.map((word) => `'${word}'`).join(' ');
    const copy = [...argv, 'copy', stream, '--quiet', '--to'];
    return [
      contestant(prefix + PIPE, (to) => [
        'bash',
        '-c',
        `${words} range -s ${stream} | ${words} produce --input envelope -q -s ${to}`,
      ]),
      contestant(prefix + COPY, (to) => [...copy, to]),
      contestant(`${prefix}${COPY} --new-ids`, (to) => [...copy, to, '--new-ids']),
    ];
  });
}
