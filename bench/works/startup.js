// Start-up: programs that do one small thing and end.
import {run} from '../measure/children.js';
import {builds, nodes, program, root} from '../measure/programs.js';
import {goal} from '../measure/report.js';
import {compare, ratio} from '../measure/rounds.js';

const STREAM = 'one-shot';
const PRODUCE = 'streamlog produce type=login';
/** One run is short, so a round is cheap and many are needed. */
const RUNS_A_ROUND = 10;

export const about = 'one-shot commands';

export async function measure(bench) {
  const {server} = bench;
  const env = {STREAMLOG_URL: server.url};
  const contestant = (name, {argv, missing, limit}, args, adds = 0) => ({
    name,
    limit,
    missing,
    async run() {
      await server.redis.unlink(STREAM);
      const {ms} = await run([...argv, ...args], {env});
      await server.expectCount(STREAM, adds);
      return ms;
    },
  });
  const produce = ['produce', '-s', STREAM, 'type=login'];
  const xadd = ['-h', '127.0.0.1', '-p', String(server.port), 'XADD', STREAM, '*', 'type', 'login'];
  const table = await compare({
    title: 'From start to exit',
    unit: 'ms',
    reference: PRODUCE,
    contestants: [
      ...builds(bench).flatMap(({prefix, argv}) => [
        contestant(prefix + PRODUCE, {argv}, produce, 1),
        contestant(`${prefix}streamlog --version`, {argv}, ['--version']),
        contestant(`${prefix}streamlog --help`, {argv}, ['--help']),
      ]),
      ...nodes().map(({name, ...node}) => contestant(`node -e 0, ${name}`, {...node, limit: true}, ['-e', '0'])),
      contestant('redis-cli XADD', program('redis-cli', 'redis-tools'), xadd, 1),
      ...nodes().map(({name, ...node}) =>
        contestant(`bin/run.js produce type=login, ${name}`, node, [`${root}/bin/run.js`, ...produce], 1),
      ),
    ],
    ...bench.turns,
    rounds: bench.turns.rounds * RUNS_A_ROUND,
  });
  // Asked of Node 26, which comes first; where only an older one is there, the line says which it was.
  const node = table.rows.find(({name}) => name.startsWith('node -e')).name;
  const times = ratio(table, node, PRODUCE);
  const goals = [goal({work: 'one-shot produce takes', against: `× ${node}`, value: times, most: 1.1, towards: 0.75})];
  return {tables: [table], goals};
}
