/** `produce --follow`: a log is added line by line while others write to it and rotate it. */
import {execFileSync} from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {freePort, serverForAll, startRedis, until} from '../support/redis-server.js';
import {RUNTIMES, type Running, startShell, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
let log: string;
/** Of the test that runs. */
let stream: string;
let turn = 0;
let running: Running[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-follow-'));
  log = join(directory, 'app.log');
  stream = `s${++turn}`;
  running = [];
});
afterEach(async () => {
  for (const {process} of running) process.kill('SIGKILL');
  await Promise.all(running.map(({finished}) => finished));
  rmSync(directory, {recursive: true, force: true});
});

const ONCE = ['--exactly-once'];
const args = (...more: string[]): string[] => ['produce', '-q', '-s', stream, '--follow', log, ...more];

function follow(...more: string[]): Running {
  const run = startStreamlog(args(...more), {server});
  running.push(run);
  return run;
}

const lines = (from: number, to: number): string => {
  let text = '';
  for (let n = from; n <= to; n++) text += `{"n":${n}}\n`;
  return text;
};
const numbers = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => String(from + index));
const values = async (): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, [, value]]) => value!);
const has = (count: number): Promise<void> =>
  until(async () => (await server.redis.xlen(stream)) >= count, `${stream} has ${count} entries`);
const checkpoint = (): {bytes: number; records: number} => JSON.parse(readFileSync(`${log}.checkpoint`, 'utf8'));
const kept = (records: number): Promise<void> =>
  until(() => existsSync(`${log}.checkpoint`) && checkpoint().records === records, `${records} records are kept`);

async function stop(run: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<{code: number | null; stderr: string}> {
  run.process.kill(signal);
  const {code, stderr} = await run.finished;
  return {code, stderr};
}
const kill = (run: Running): Promise<unknown> => stop(run, 'SIGKILL');

describe.each(RUNTIMES)('%s', (_, command) => {
  it('adds whole lines as they come, through rename and truncation, and ends by a signal', async () => {
    const run = startShell(`exec ${command} ${args('--exactly-once').join(' ')}`, {server});
    running.push(run);
    // It does not exist yet.
    await until(() => existsSync(`${log}.checkpoint`), 'it is at work');
    writeFileSync(log, lines(1, 2));
    await has(2);
    appendFileSync(log, '{"n":');
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, `3}\n${lines(4, 4)}`);
    await has(4);
    writeFileSync(log, lines(5, 6));
    await has(6);
    copyFileSync(log, `${log}.2`);
    truncateSync(log);
    appendFileSync(log, `${lines(7, 7)}{"n":8`);
    await has(7);
    expect(await stop(run)).toEqual({code: 143, stderr: ''});
    appendFileSync(log, '8}\n');
    const next = follow(...ONCE);
    await has(8);
    expect((await stop(next)).code).toBe(143);
    expect(await values()).toEqual([...numbers(1, 7), '88']);
  });
});

const ways: [name: string, flags: string[]][] = [
  ['by XADD', []],
  ['--exactly-once', ONCE],
];

describe.each(ways)('%s, after a kill', (_, flags) => {
  it('reads what was written meanwhile to a file that was rotated, twice, and then the new one', async () => {
    writeFileSync(log, lines(1, 5));
    const run = follow(...flags);
    await kept(5);
    await kill(run);
    appendFileSync(log, lines(6, 8));
    renameSync(log, `${log}.2`);
    writeFileSync(`${log}.1`, lines(9, 10));
    writeFileSync(log, lines(11, 12));
    const next = follow(...flags);
    await has(12);
    expect((await stop(next)).stderr).toBe('');
    expect(await values()).toEqual(numbers(1, 12));
  });

  it('reads the rest in the copy of a file that was truncated, and then the file', async () => {
    writeFileSync(log, lines(1, 5));
    const run = follow(...flags);
    await kept(5);
    await kill(run);
    appendFileSync(log, lines(6, 8));
    copyFileSync(log, `${log}.1`);
    writeFileSync(log, lines(9, 30));
    const next = follow(...flags);
    await has(30);
    expect((await stop(next)).stderr).toBe('');
    expect(await values()).toEqual(numbers(1, 30));
  });

  it('says that it cannot read on in a file that is compressed by now, and reads the new one from its start', async () => {
    writeFileSync(log, lines(1, 5));
    const run = follow(...flags);
    await kept(5);
    await kill(run);
    writeFileSync(`${log}.1.gz`, gzipSync(readFileSync(log)));
    unlinkSync(log);
    writeFileSync(log, lines(8, 9));
    const next = follow(...flags);
    await has(7);
    const {code, stderr} = await stop(next);
    expect(code).toBe(143);
    expect(stderr).toContain('the file of which 40 bytes were added is gone');
    expect(stderr).toContain(`it may be in ${log}.1.gz`);
    expect(await values()).toEqual([...numbers(1, 5), '8', '9']);
  });
});

it('notices a file that was truncated and filled beyond its offset while it did not look', async () => {
  writeFileSync(log, lines(1, 5));
  const run = follow(...ONCE);
  await kept(5);
  run.process.kill('SIGSTOP');
  writeFileSync(log, lines(6, 40));
  run.process.kill('SIGCONT');
  await has(40);
  await stop(run);
  expect(await values()).toEqual(numbers(1, 40));
});

it('reads what it had not read of a truncated file in its copy, without adding anything twice', async () => {
  writeFileSync(log, lines(1, 5));
  const run = follow();
  await kept(5);
  run.process.kill('SIGSTOP');
  appendFileSync(log, lines(6, 9));
  copyFileSync(log, `${log}.2`);
  writeFileSync(log, lines(10, 12));
  copyFileSync(log, `${log}.1`);
  writeFileSync(log, lines(13, 14));
  run.process.kill('SIGCONT');
  await has(14);
  await stop(run);
  expect(await values()).toEqual(numbers(1, 14));
});

it('a line that was cut in two by a truncation is one line', async () => {
  writeFileSync(log, `${lines(1, 2)}{"n":`);
  const run = follow(...ONCE);
  await kept(2);
  copyFileSync(log, `${log}.1`);
  writeFileSync(log, `3}\n${lines(4, 4)}{"n":`);
  await has(4);
  await kill(run);
  copyFileSync(log, `${log}.2`);
  writeFileSync(log, `5}\n`);
  const next = follow(...ONCE);
  await has(5);
  await stop(next);
  expect(await values()).toEqual(numbers(1, 5));
});

it('no line is joined with the beginning of one that was carried into a file which is gone', async () => {
  writeFileSync(log, `${lines(1, 2)}{"n":`);
  const run = follow(...ONCE);
  await kept(2);
  copyFileSync(log, `${log}.1`);
  writeFileSync(log, `3}\n${lines(4, 4)}`);
  await kept(4);
  await kill(run);
  unlinkSync(log);
  writeFileSync(log, lines(5, 6));
  const next = follow(...ONCE);
  await has(6);
  expect((await stop(next)).stderr).toContain('is gone');
  expect(await values()).toEqual(numbers(1, 6));
});

it('skips the zero bytes that a program leaves which does not append to its truncated log, and says so', async () => {
  writeFileSync(log, lines(1, 5));
  const run = follow(...ONCE);
  await kept(5);
  await kill(run);
  copyFileSync(log, `${log}.1`);
  writeFileSync(log, Buffer.concat([Buffer.alloc(300_000), Buffer.from(lines(6, 8))]));
  const next = follow(...ONCE);
  await has(8);
  await kill(next);
  appendFileSync(log, lines(9, 9));
  const last = follow(...ONCE);
  await has(9);
  expect((await stop(last)).stderr).toBe('');
  expect(next.stderr()).toContain(`${log} begins with 300000 zero bytes`);
  expect(await values()).toEqual(numbers(1, 9));
});

it('reads what was rotated after the clock was set back', async () => {
  writeFileSync(log, lines(1, 3));
  const ahead = Date.now() / 1_000 + 3_600;
  utimesSync(log, ahead, ahead);
  const run = follow(...ONCE);
  await kept(3);
  await kill(run);
  renameSync(log, `${log}.2`);
  writeFileSync(`${log}.1`, lines(4, 5));
  writeFileSync(log, lines(6, 7));
  const next = follow(...ONCE);
  await has(7);
  expect((await stop(next)).stderr).toBe('');
  expect(await values()).toEqual(numbers(1, 7));
});

it('reports what is written to a rotated file after the next one has begun, once, and where it is', async () => {
  writeFileSync(log, lines(1, 3));
  const run = follow(...ONCE);
  await kept(3);
  renameSync(log, `${log}.1`);
  writeFileSync(log, lines(4, 5));
  await has(5);
  appendFileSync(`${log}.1`, lines(8, 8));
  await until(() => run.stderr().includes('tail'), 'it is reported');
  appendFileSync(`${log}.1`, lines(9, 9));
  appendFileSync(log, lines(6, 6));
  await has(6);
  const {stderr} = await stop(run);
  const size = Buffer.byteLength(lines(1, 3));
  expect(stderr).toBe(
    `streamlog: warning: ${log}.1 was still written to after the next file had begun: what is behind its first ${size} bytes ` +
      `is not added; tail -c +${size + 1} prints it\n`,
  );
  const late = execFileSync('tail', ['-c', `+${size + 1}`, `${log}.1`], {encoding: 'utf8'});
  expect(late).toBe(lines(8, 9));
  expect(await values()).toEqual(numbers(1, 6));
});

it('goes on in a file that has replaced the log and has all that was read, as an editor writes it', async () => {
  writeFileSync(log, lines(1, 800));
  const run = follow();
  await kept(800);
  writeFileSync(`${log}.new`, lines(1, 810));
  renameSync(`${log}.new`, log);
  await has(810);
  appendFileSync(log, lines(811, 811));
  await has(811);
  await stop(run);
  expect(await values()).toEqual(numbers(1, 811));
});

it('follows a link through the rotation of what it stands for, also while it was down', async () => {
  mkdirSync(join(directory, 'pods'));
  const target = join(directory, 'pods', '0.log');
  symlinkSync('pods/0.log', log);
  writeFileSync(target, lines(1, 2));
  const run = follow(...ONCE);
  await kept(2);
  appendFileSync(target, lines(3, 3));
  await has(3);
  await kill(run);
  appendFileSync(target, lines(4, 4));
  renameSync(target, `${target}.20261201-101010`);
  writeFileSync(target, lines(5, 6));
  const next = follow(...ONCE);
  await has(6);
  expect((await stop(next)).stderr).toBe('');
  expect(await values()).toEqual(numbers(1, 6));
});

it('adds each line once though lines were added and the checkpoint does not know, and the file is gone', async () => {
  writeFileSync(log, lines(1, 5));
  const run = follow(...ONCE);
  await kept(5);
  const old = readFileSync(`${log}.checkpoint`);
  appendFileSync(log, lines(6, 9));
  await has(9);
  await kill(run);
  writeFileSync(`${log}.checkpoint`, old);
  unlinkSync(log);
  writeFileSync(log, lines(10, 12));
  const next = follow(...ONCE);
  await has(12);
  expect((await stop(next)).stderr).toContain('is gone');
  expect(await values()).toEqual(numbers(1, 12));
});

it('a stream that is gone gets the file again that is being read, and what it lacks of earlier ones is said', async () => {
  writeFileSync(log, lines(1, 5));
  const run = follow(...ONCE);
  await kept(5);
  renameSync(log, `${log}.1`);
  writeFileSync(log, lines(6, 8));
  await kept(8);
  await stop(run);
  await server.redis.del(stream, ...(await server.redis.keys(`{${stream}}:streamlog:*`)));
  appendFileSync(log, lines(9, 9));
  const next = follow(...ONCE);
  await has(4);
  expect((await stop(next)).stderr).toContain('the stream lacks 5 records of earlier files');
  appendFileSync(log, lines(10, 10));
  const last = follow(...ONCE);
  await has(5);
  expect((await stop(last)).stderr).toBe('');
  expect(await values()).toEqual(numbers(6, 10));
});

it('says once that it cannot keep its checkpoint, and keeps it as soon as it can', async () => {
  writeFileSync(log, lines(1, 2));
  const run = follow();
  await kept(2);
  unlinkSync(`${log}.checkpoint`);
  mkdirSync(`${log}.checkpoint`);
  appendFileSync(log, lines(3, 3));
  await until(() => run.stderr().includes('trying again'), 'it says so');
  appendFileSync(log, lines(4, 4));
  await has(4);
  rmdirSync(`${log}.checkpoint`);
  await kept(4);
  const {code, stderr} = await stop(run);
  expect(code).toBe(143);
  expect(stderr).toMatch(/^streamlog: warning: cannot keep the checkpoint .*; trying again\n$/);
});

it.each(ways)('goes on where --resume stopped, and --resume where it stopped (%s)', async (_, flags) => {
  const resume = () => streamlog(['produce', '-q', '-s', stream, '--file', log, '--resume', ...flags], {server});
  writeFileSync(log, lines(1, 3));
  utimesSync(log, -10, -10);
  expect((await resume()).code).toBe(0);
  renameSync(log, `${log}.1`);
  writeFileSync(log, lines(4, 5));
  const run = follow(...flags);
  await kept(5);
  await stop(run);
  appendFileSync(log, lines(6, 7));
  expect((await resume()).code).toBe(0);
  appendFileSync(log, lines(8, 8));
  const next = follow(...flags);
  await has(8);
  expect((await stop(next)).stderr).toBe('');
  expect(await values()).toEqual(numbers(1, 8));
});

it('begins behind the last whole line with --from end, also when it is killed before the next one', async () => {
  writeFileSync(log, `${lines(1, 3)}{"n":`);
  const run = follow('--from', 'end');
  await until(() => existsSync(`${log}.checkpoint`) && checkpoint().bytes === 24, 'it has begun');
  await kill(run);
  appendFileSync(log, `4}\n${lines(5, 5)}`);
  const next = follow('--from', 'end');
  await has(2);
  await stop(next);
  expect(await values()).toEqual(['4', '5']);
});

it('says once that the log is missing, and goes on when it is there', async () => {
  const run = follow();
  await until(() => run.stderr().includes('waiting'), 'it says so');
  writeFileSync(log, lines(1, 1));
  await has(1);
  unlinkSync(log);
  await until(() => run.stderr().split('waiting').length === 3, 'it says so again');
  writeFileSync(log, lines(2, 2));
  await has(2);
  expect((await stop(run)).stderr).toBe(`streamlog: warning: ${log} does not exist; waiting for it\n`.repeat(2));
});

it('waits for a Redis that is not there yet, says so, and then adds everything in order', async () => {
  const port = await freePort();
  writeFileSync(log, lines(1, 2));
  const run = follow('--url', `redis://127.0.0.1:${port}`);
  await until(() => run.stderr().includes('trying again'), 'it says so');
  appendFileSync(log, lines(3, 3));
  const own = await startRedis({args: ['--port', String(port)]});
  try {
    await until(async () => (await own.redis.xlen(stream)) === 3, 'all is added');
    expect((await own.redis.xrange(stream, '-', '+')).map(([, [, value]]) => value)).toEqual(numbers(1, 3));
    expect((await stop(run)).code).toBe(143);
  } finally {
    await own.stop();
  }
});

it.each([
  ['something', 5],
  ['nothing', 0],
])(
  'finds the rest in the copy of a log that is truncated while it waits for Redis, when %s was confirmed',
  async (_, records) => {
    writeFileSync(log, lines(1, 5));
    const first = follow();
    await kept(5);
    await kill(first);
    if (records === 0)
      writeFileSync(
        `${log}.checkpoint`,
        JSON.stringify({...checkpoint(), bytes: 0, line: 0, records: 0, hashedBytes: checkpoint().bytes}),
      );
    appendFileSync(log, lines(6, 7));
    const port = await freePort();
    const run = follow('--url', `redis://127.0.0.1:${port}`);
    await until(() => run.stderr().includes('trying again'), 'it has found its file');
    copyFileSync(log, `${log}.1`);
    writeFileSync(log, lines(8, 40));
    const own = await startRedis({args: ['--port', String(port)]});
    try {
      await until(async () => (await own.redis.xlen(stream)) >= 40 - records, 'all is added');
      expect((await stop(run)).code).toBe(143);
      const found = await own.redis.xrange(stream, '-', '+');
      expect(found.map(([, [, value]]) => value)).toEqual(numbers(records + 1, 40));
    } finally {
      await own.stop();
    }
  },
);

it('a signal while Redis is away ends it, and the next run adds what is missing', async () => {
  writeFileSync(log, lines(1, 2));
  const port = await freePort();
  const run = follow('--url', `redis://127.0.0.1:${port}`);
  await until(() => run.stderr().includes('trying again'), 'it says so');
  expect((await stop(run)).code).toBe(143);
  const next = follow();
  await has(2);
  await stop(next);
});

it('a second one on the same checkpoint ends with 75', async () => {
  writeFileSync(log, lines(1, 1));
  follow();
  await has(1);
  const {code, stderr} = await streamlog(args(), {server});
  expect(code).toBe(75);
  expect(stderr).toContain('another run is using the checkpoint');
});

it('a directory that is moved takes the checkpoint along: 75, which says so, until it is back', async () => {
  const home = join(directory, 'logs');
  mkdirSync(home);
  log = join(home, 'app.log');
  writeFileSync(log, lines(1, 2));
  const run = follow();
  await kept(2);
  renameSync(home, join(directory, 'moved'));
  mkdirSync(home);
  writeFileSync(log, lines(3, 4));
  expect(await run.finished).toMatchObject({
    code: 75,
    stderr: expect.stringContaining(
      `the lock ${log}.checkpoint.lock was deleted, or moved with its directory, while it was in use\n` +
        `hint: run the same again when ${log}.checkpoint is where it was`,
    ),
  });
  renameSync(join(directory, 'moved/app.log'), `${log}.1`);
  renameSync(join(directory, 'moved/app.log.checkpoint'), `${log}.checkpoint`);
  const next = follow();
  await has(4);
  expect((await stop(next)).code).toBe(143);
  expect(await values()).toEqual(numbers(1, 4));
});

it('a line that is no record ends it with 65 until it is mended or skipped', async () => {
  writeFileSync(log, `${lines(1, 2)}bad\n${lines(3, 3)}`);
  const {code, stderr} = await follow().finished;
  expect(code).toBe(65);
  expect(stderr).toContain('line 3');
  const run = follow('--on-bad-line', 'skip');
  await has(3);
  await stop(run);
  expect(await values()).toEqual(numbers(1, 3));
});

it.each<[what: string, flags: () => string[], said: string]>([
  ['an empty name', () => ['--follow', ''], 'takes the path of a file'],
  ['standard input', () => ['--follow', '-'], 'takes the path of a file'],
  ['a directory', () => ['--follow', directory], 'takes a file'],
  ['a FIFO', () => ['--follow', join(directory, 'fifo')], 'takes a file'],
  ['a compressed file', () => ['--follow', `${log}.1.gz`], 'is compressed'],
  ['CSV', () => ['--follow', log, '--input', 'csv'], 'csv'],
  ['a file to read', () => ['--follow', log, '--file', log], '--file'],
  ['arguments', () => ['--follow', log, 'a=1'], 'not both'],
  ['--atomic', () => ['--follow', log, '--atomic'], '--atomic'],
])('does not go with %s: 2', async (_, flags, said) => {
  execFileSync('mkfifo', [join(directory, 'fifo')]);
  const {code, stderr} = await streamlog(['produce', '-s', stream, ...flags()], {server});
  expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
});

it('a directory that does not exist: 74', async () => {
  const {code, stderr} = await streamlog(['produce', '--follow', join(directory, 'none', 'app.log')], {server});
  expect(code).toBe(74);
  expect(stderr).toContain('none: no such file');
});
