// The benchmark: the executable beside its peers, on one machine, in one go. bench/README.md says how to read it.
//
//   npm run bench -- [WORK…] [--rounds N] [--events N] [--seconds N] [--executable PATH] [--before PATH] [--no-keep] [--quick]
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, relative, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {stopAll} from './measure/children.js';
import {busy, machine, versions} from './measure/machine.js';
import {program, root} from './measure/programs.js';
import {goalsTable, keep, workText} from './measure/report.js';
import {Server} from './measure/server.js';

const WORKS = [
  'produce',
  'consume',
  'filter',
  'serve',
  'startup',
  'exec',
  'memory',
  'guarantees',
  'transfer',
  'observe',
  'copy',
];
const USUAL = {rounds: 5, events: 500_000, seconds: 5};
const QUICK = {rounds: 1, events: 5_000, seconds: 1};

const print = (text) => process.stdout.write(`${text}\n`);
const log = (text) => process.stderr.write(`bench: ${text}\n`);

try {
  await bench(readArguments());
} catch (error) {
  log(error.message);
  process.exitCode = 1;
}

async function bench({works, options, streamlog, before, quick, keeps}) {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-bench-'));
  const clear = () => {
    stopAll();
    rmSync(directory, {recursive: true, force: true});
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  process.once('exit', clear);
  const setting = {at: new Date().toISOString(), machine: machine(), versions: versions(streamlog), options};
  const goals = [];
  try {
    const warning = busy(setting.machine);
    if (warning !== undefined) log(warning);
    if (quick) log('--quick shows that everything works; its figures say nothing.');
    for (const name of works) {
      const result = await measure(name, {directory, streamlog, before, options});
      goals.push(...result.goals);
      print(workText(name, result, setting));
      if (keeps) {
        const path = keep(join(root, 'bench/runs', setting.at.slice(0, 10)), name, result, setting);
        log(`kept in ${relative(process.cwd(), path)}`);
      }
    }
  } finally {
    clear();
  }
  if (works.length > 1) print(goalsTable(goals));
}

/** One work, on a server of its own. */
async function measure(name, {directory, streamlog, before, options}) {
  const {about, measure} = await import(`./works/${name}.js`);
  const redis = program('redis-server');
  if (redis.missing !== undefined) throw new Error(redis.missing);
  const server = await Server.start(redis.argv[0], directory);
  const {events, seconds, rounds} = options;
  try {
    return {
      about,
      ...(await measure({server, streamlog, before, directory, events, seconds, turns: {rounds, log, before}})),
    };
  } finally {
    server.stop();
    stopAll();
  }
}

function readArguments() {
  const text = {type: 'string'};
  const flag = {type: 'boolean', default: false};
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {rounds: text, events: text, seconds: text, executable: text, before: text, 'no-keep': flag, quick: flag},
  });
  const unknown = positionals.find((name) => !WORKS.includes(name));
  if (unknown !== undefined) throw new Error(`there is no work "${unknown}"; there are ${WORKS.join(', ')}`);
  const streamlog = resolve(values.executable ?? join(root, 'dist/streamlog'));
  if (!existsSync(streamlog)) throw new Error(`${streamlog} is missing; npm run build makes it`);
  const before = values.before === undefined ? undefined : resolve(values.before);
  if (before !== undefined && !existsSync(before)) throw new Error(`${before} is missing`);
  const options = Object.fromEntries(
    Object.entries(values.quick ? QUICK : USUAL).map(([name, usual]) => [name, wholeNumber(name, values[name], usual)]),
  );
  return {
    works: positionals.length === 0 ? WORKS : WORKS.filter((name) => positionals.includes(name)),
    options,
    streamlog,
    before,
    quick: values.quick,
    keeps: !values.quick && !values['no-keep'] && before === undefined,
  };
}

function wholeNumber(name, text, usual) {
  const number = Number(text ?? usual);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} takes a whole number of at least 1`);
  return number;
}
