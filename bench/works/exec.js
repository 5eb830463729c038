// A handler for each entry, four at a time, beside xargs without any stream.
import {join} from 'node:path';
import {run} from '../measure/children.js';
import {writeLines} from '../measure/inputs.js';
import {builds, program} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {compare, ratio} from '../measure/rounds.js';

const OURS = 'streamlog consume --exec true -P 4';
const XARGS = 'xargs -P 4 -n 1 true';
/** Handlers for so many events of the other works, since starting a program takes as long as producing hundreds. */
const SHARE = 1 / 250;

export const about = 'a handler for each entry';

export async function measure(bench) {
  const count = Math.max(1, Math.round(bench.events * SHARE));
  const title = `${count.toLocaleString('en-US')} handlers`;
  const table = await compare({
    title,
    unit: 'events/s',
    reference: OURS,
    contestants: await handlers(bench, count),
    ...bench.turns,
  });
  return {
    tables: [table],
    goals: [goal({work: OURS, against: `× ${XARGS}`, value: ratio(table, OURS, XARGS), least: 0.7, towards: 1})],
  };
}

async function handlers({server, directory, ...bench}, count) {
  const stream = server.newName('handled');
  await server.fill(stream, 'flat', count);
  const numbers = writeLines(join(directory, 'numbers'), count, (n) => `${n}\n`);
  const xargs = program('xargs', 'findutils');
  const rate = ({ms}) => (count / ms) * 1_000;
  return [
    ...builds(bench).map(({prefix, argv}) => ({
      name: prefix + OURS,
      async run() {
        const group = server.newName('g');
        const words = ['consume', '-s', stream, '-g', group, '--exec', 'true', '-P', '4', '--exit'];
        const done = await run([...argv, ...words], {env: {STREAMLOG_URL: server.url}});
        await server.expectConsumed(stream, group);
        return rate(done);
      },
    })),
    {
      name: XARGS,
      limit: true,
      missing: xargs.missing,
      run: async () => rate(await run(['xargs', '-P', '4', '-n', '1', 'true'], {from: numbers})),
    },
    {
      // What a handler is to streamlog: a line for the shell.
      name: "xargs -P 4 -n 1 sh -c 'true'",
      missing: xargs.missing,
      run: async () => rate(await run(['xargs', '-P', '4', '-n', '1', 'sh', '-c', 'true'], {from: numbers})),
    },
  ];
}
