// Programs that watch a server, each until it is stopped: `{sample(), stop()}`. `sample` is called each second; `stop` ends the program by its own
// ID, throws when it has not done its work, and says what memory it took.
import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {run} from './children.js';
import {freePort} from './server.js';

const [SCRAPE_MS, DOCTOR_MS] = [15_000, 30_000];

export async function startTop(streamlog, env) {
  // The shell is replaced by it, so it is the only child of script(1).
  const line = `stty columns 120 rows 50; exec '${streamlog}' top --sort lag`;
  const pty = spawn('script', ['-qefc', line, '/dev/null'], {
    env: {...env, SHELL: '/bin/sh', TERM: 'xterm-256color'},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let written = 0;
  pty.stdout.on('data', (data) => {
    written += data.length;
  });
  const children = () => readFileSync(`/proc/${pty.pid}/task/${pty.pid}/children`, 'utf8').trim();
  while (children() === '') await sleep(20);
  const pid = Number(children().split(' ')[0]);
  return program('top', pid, async () => {
    pty.stdin.write('q');
    await ended(pty);
    if (written < 10_000) throw new Error('top has drawn nothing');
  });
}

export async function startMetrics(streamlog, env, {streams, groups}) {
  const port = await freePort();
  const child = spawn(
    streamlog,
    ['metrics', '--quiet', '--listen', `127.0.0.1:${port}`, '--max-streams', String(streams), '--max-series', '100000'],
    {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  let failure;
  // The first one when it has read something.
  let lastMs = performance.now() - SCRAPE_MS + 5_000;
  let found = 0;
  const scrape = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    // Streams are read in turn where the server is slow, and rounds are 15 s apart.
    found = text.match(/^redis_stream_group_consumers\{/gm)?.length ?? 0;
    if (!text.includes('\nstreamlog_up 1\n')) throw new Error('metrics has no figures');
  };
  return program(
    'metrics',
    child.pid,
    async () => {
      child.kill('SIGTERM');
      await ended(child);
      if (failure !== undefined) throw failure;
      if (found === 0) throw new Error('metrics has no group');
      return {note: `the last scrape of metrics had ${found} of ${groups} groups`};
    },
    () => {
      if (performance.now() - lastMs < SCRAPE_MS) return;
      lastMs = performance.now();
      scrape().catch((error) => {
        failure ??= error;
      });
    },
  );
}

/** One run after the other: their peaks stand for the memory over time. */
export function startDoctor(streamlog, env) {
  const peaks = [];
  let isOver = false;
  let wake = () => {};
  const loop = (async () => {
    while (!isOver) {
      const startMs = performance.now();
      const {peakMb} = await run([streamlog, 'doctor', '-o', 'json'], {env, memory: true});
      peaks.push({atMs: startMs, mb: peakMb});
      const restMs = DOCTOR_MS - (performance.now() - startMs);
      if (!isOver) await Promise.race([sleep(Math.max(0, restMs)), new Promise((resolve) => (wake = resolve))]);
    }
  })();
  return {
    async stop() {
      isOver = true;
      wake();
      await loop;
      return {
        name: 'doctor',
        peakMb: Math.max(...peaks.map(({mb}) => mb)),
        slope: slope(peaks),
      };
    },
  };
}

/** A program whose memory is looked at each second. */
function program(name, pid, end, onSample) {
  const readings = [];
  let peakKb = 0;
  return {
    sample() {
      onSample?.();
      const path = `/proc/${pid}/status`;
      if (!existsSync(path)) throw new Error(`${name} has ended by itself`);
      const status = readFileSync(path, 'utf8');
      readings.push({atMs: performance.now(), mb: Number(/VmRSS:\s*(\d+)/.exec(status)[1]) / 1024});
      peakKb = Number(/VmHWM:\s*(\d+)/.exec(status)[1]);
    },
    async stop() {
      const more = await end();
      // Memory grows at first: what it does later is what goes on.
      return {
        name,
        peakMb: peakKb / 1024,
        slope: slope(readings.slice(Math.floor(readings.length / 3))),
        ...more,
      };
    },
  };
}

/** MB a minute, by least squares. */
function slope(readings) {
  if (readings.length < 2) return 0;
  const mean = (of) => readings.reduce((total, reading) => total + of(reading), 0) / readings.length;
  const [atMs, mb] = [mean((reading) => reading.atMs), mean((reading) => reading.mb)];
  const spread = mean((reading) => (reading.atMs - atMs) ** 2);
  return (mean((reading) => (reading.atMs - atMs) * (reading.mb - mb)) / spread) * 60_000;
}

export const ended = (child) =>
  child.exitCode !== null || child.signalCode !== null
    ? undefined
    : new Promise((resolve) => child.once('exit', resolve));
