// What the programs that watch a server cost: top in a terminal, metrics with a scrape each 15 s, and doctor each 30 s, side by side, on 2,000
// streams and 500 groups under a steady load. And whether what top says of rates and drain is what was really added and read.
import {spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {goal} from '../measure/report.js';
import {LOAD_COMMANDS, SteadyLoad} from '../measure/steady-load.js';
import {ended, startDoctor, startMetrics, startTop} from '../measure/watchers.js';

const SIZE = {streams: 2_000, groups: 500};
/** Five minutes of the usual five seconds; each program alone for a tenth of it. */
const [TOGETHER, ALONE, COMPARED] = [60, 6, 6];
const SAMPLE_MS = 1_000;
/** Nothing of ours may take longer. */
const SLOW_MICROSECONDS = 5_000;

export const about = 'top, metrics and doctor side by side on 2,000 streams and 500 groups under load';

export async function measure({server, streamlog, seconds, turns: {log}}) {
  await server.redis.config('SET', 'slowlog-log-slower-than', SLOW_MICROSECONDS);
  const load = await SteadyLoad.start(server.port, SIZE);
  const env = {...process.env, STREAMLOG_URL: server.url, STREAMLOG_CONFIG: '/dev/null'};
  const start = {
    top: () => startTop(streamlog, env),
    metrics: () => startMetrics(streamlog, env, SIZE),
    doctor: () => startDoctor(streamlog, env),
  };
  const phases = [];
  try {
    const phase = async (name, programs, length) => {
      log(`${name}: ${length} s`);
      phases.push({
        name,
        ...(await watched(
          server,
          programs.map((program) => start[program]),
          length,
        )),
      });
    };
    await phase('the load alone', [], seconds * ALONE);
    for (const program of Object.keys(start)) await phase(`${program} alone`, [program], seconds * ALONE);
    await phase('all three', Object.keys(start), seconds * TOGETHER);
    const compared = await compare({streamlog, env, load, seconds: Math.max(20, seconds * COMPARED), log});
    const slow = await slowCommands(server);
    return {tables: tablesOf(phases, compared), goals: goalsOf(phases.at(-1), compared, slow)};
  } finally {
    load.stop();
  }
}

/** Runs `programs` for `length` seconds: the share of the server's time by command, and their memory. */
async function watched(server, programs, length) {
  const before = await commandTimes(server);
  const running = await Promise.all(programs.map((start) => start()));
  const startMs = performance.now();
  const endMs = startMs + length * 1_000;
  while (performance.now() < endMs) {
    for (const program of running) program.sample?.();
    await sleep(SAMPLE_MS);
  }
  const elapsed = (performance.now() - startMs) * 1_000;
  const after = await commandTimes(server);
  const memories = await Promise.all(running.map((program) => program.stop()));
  const times = Array.from(after, ([command, time]) => ({
    command,
    percent: ((time - (before.get(command) ?? 0)) / elapsed) * 100,
  }));
  const ours = times.filter(({command, percent}) => !LOAD_COMMANDS.includes(command) && percent > 0);
  const sum = (some) => some.reduce((total, {percent}) => total + percent, 0);
  return {
    percent: sum(ours),
    loadPercent: sum(times) - sum(ours),
    commands: ours.toSorted((one, other) => other.percent - one.percent),
    memories,
  };
}

/** Microseconds by command; this program's own INFO is not counted. */
async function commandTimes({redis}) {
  const text = await redis.info('commandstats');
  return new Map(
    Array.from(text.matchAll(/^cmdstat_(\S+):calls=\d+,usec=(\d+)/gm), ([, command, time]) => [command, Number(time)]),
  );
}

/** The last reading of `top --json` beside what the load counted in the same seconds. */
async function compare({streamlog, env, load, seconds, log}) {
  log(`rates and drain: ${seconds} s`);
  const top = spawn(streamlog, ['top', '--match', 'busy:*', '--json'], {env, stdio: ['ignore', 'pipe', 'inherit']});
  let text = '';
  top.stdout.setEncoding('utf8').on('data', (data) => {
    text += data;
  });
  await sleep(seconds * 1_000);
  const counted = load.figures(seconds);
  top.kill('SIGTERM');
  await ended(top);
  const last = JSON.parse(text.trim().split('\n').at(-1));
  return counted.flatMap(({name, ...truth}) => {
    const stream = last.streams.find(({stream}) => stream === name);
    const [group] = stream.groups;
    const rows = {
      addedPerSec: stream.addedPerSec,
      deliveredPerSec: group.deliveredPerSec,
      lag: group.lag,
      drainMs: group.drainMs,
    };
    return Object.entries(rows)
      .filter(([figure]) => truth[figure] !== null && !(figure === 'lag' && truth.lag < 100))
      .map(([figure, said]) => ({
        name: `${name} ${figure}`,
        said,
        counted: truth[figure],
        off: said === null ? Number.POSITIVE_INFINITY : Math.abs(said / truth[figure] - 1) * 100,
      }));
  });
}

/** Commands that held the server for more than 5 ms and were not sent by the load. */
async function slowCommands({redis}) {
  const entries = await redis.slowlog('GET', 128);
  return entries
    .map(([, , , words]) => words.slice(0, 2).join(' ').toLowerCase())
    .filter((words) => !LOAD_COMMANDS.includes(words.split(' ')[0]) && !/^(config|slowlog)/.test(words));
}

const row = (name, value) => ({name, median: value, lowest: value, highest: value, spread: 0, figures: [value]});

function tablesOf(phases, compared) {
  const all = phases.at(-1);
  return [
    {
      title: "Share of the server's time",
      unit: '%',
      rows: phases.flatMap(({name, percent, loadPercent}) => [
        row(name, percent),
        ...(name === 'all three' ? [row('the load, meanwhile', loadPercent)] : []),
      ]),
      skipped: [],
    },
    {
      title: 'The same by command, all three',
      unit: '%',
      rows: all.commands.slice(0, 12).map(({command, percent}) => row(command, percent)),
      skipped: [],
    },
    {
      note: all.memories.flatMap(({note}) => note ?? []).join('\n'),
      title: 'Most memory, all three',
      unit: 'MB',
      rows: all.memories.map(({name, peakMb}) => row(name, peakMb)),
      skipped: [],
    },
    {
      title: 'Growth of memory, all three',
      unit: 'MB a minute',
      rows: all.memories.map(({name, slope}) => row(name, slope)),
      skipped: [],
    },
    {
      title: 'How far top is from an own count',
      unit: '%',
      rows: compared.map(({name, off, said, counted}) =>
        row(`${name}: ${round(said)}, counted ${round(counted)}`, off),
      ),
      skipped: [],
    },
  ];
}

const round = (value) => (value === null ? 'unknown' : Math.round(value));

function goalsOf({percent, memories}, compared, slow) {
  return [
    goal({work: "top, metrics and doctor together, of the server's time", against: '%', value: percent, most: 3}),
    goal({
      work: 'the highest of their memory',
      against: 'MB',
      value: Math.max(...memories.map(({peakMb}) => peakMb)),
      most: 120,
    }),
    goal({
      work: 'the fastest growth of it',
      against: 'MB a minute',
      value: Math.max(...memories.map(({slope}) => slope)),
      most: 1,
    }),
    goal({
      work: 'the rate or drain that is furthest from the count',
      against: '%',
      value: Math.max(...compared.map(({off}) => off)),
      most: 5,
    }),
    goal({
      work: `commands above 5 ms${slow.length === 0 ? '' : ` (${[...new Set(slow)].join(', ')})`}`,
      against: 'number',
      value: slow.length,
      most: 0,
    }),
  ];
}
