// What the guarantees of consume cost: the executable beside itself with less of
// them, and beside xargs, in turn, on a server of its own. Prints medians and
// ratios; absolute times say something about this machine only.
//
//   node bench/guarantees.js [rounds]
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

const rounds = Number(process.argv[2] ?? 5);
const READ = 200_000;
const HANDLED = 1_000;
const streamlog = join(import.meta.dirname, '../dist/streamlog');
const directory = mkdtempSync(join(tmpdir(), 'streamlog-bench-'));
const socket = join(directory, 'redis.sock');
const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', directory, '--save', ''], {
  stdio: 'ignore',
});
const env = {...process.env, STREAMLOG_URL: `unix://${socket}`};
const shell = (line) =>
  execFileSync('bash', ['-c', line.replaceAll('streamlog ', `${streamlog} `)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });

let group = 0;
const consume = (flags) => `streamlog consume -s many -g g${group++} --batch 1000 --exit ${flags} >${directory}/out`;
const works = {
  'consume, acknowledged when written': () => consume(''),
  'consume --ack none': () => consume('--ack none'),
  'consume --no-ack (at-most-once)': () => consume('--no-ack'),
  'consume --exec true -P 4': () => `streamlog consume -s few -g g${group++} --exec true -P 4 --exit`,
  'xargs -P 4 -n 1 true': () => `seq ${HANDLED} | xargs -P 4 -n 1 true`,
};
try {
  while (!ready()) await sleep(20);
  shell(
    `seq ${READ} | sed 's/.*/{"type":"login","user":"&","ip":"10.0.0.1","ok":true,"note":"about eighty bytes"}/' | streamlog produce -q -s many`,
  );
  shell(`streamlog produce -q -s few -n ${HANDLED} type=login user=1`);
  const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, line] of Object.entries(works)) {
      const startMs = performance.now();
      shell(line());
      // The first round warms up.
      if (round > 0) times[name].push(performance.now() - startMs);
    }
  }
  report(times);
} finally {
  server.kill('SIGKILL');
  rmSync(directory, {recursive: true, force: true});
}

function ready() {
  try {
    execFileSync(streamlog, ['ls'], {env, stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

function report(times) {
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  print(`| work | median ms | lowest | highest |\n|---|---|---|---|`);
  for (const [name, list] of Object.entries(times)) {
    print(`| ${name} | ${[median(list), Math.min(...list), Math.max(...list)].map(Math.round).join(' | ')} |`);
  }
  const ratio = (a, b) => (median(times[a]) / median(times[b])).toFixed(2);
  const names = Object.keys(works);
  print(
    `\nacknowledging takes ${ratio(names[0], names[2])} times as long as at-most-once, and ${ratio(names[0], names[1])} times as long as leaving all pending`,
  );
  print(`a handler an entry takes ${ratio(names[3], names[4])} times as long as xargs without any stream`);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
