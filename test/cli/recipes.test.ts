/**
 * The recipes of docs/producing.md, as they are printed there: taken out of the
 * page, with other paths, and run with the programs that they name.
 */
import {execFile} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {serverForEach, until} from '../support/redis-server.js';
import {cleanEnvironment, EXECUTABLE, startShell} from '../support/run-cli.js';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/producing.md'), 'utf8');

const server = serverForEach();
let directory: string;
let environment: Record<string, string>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-recipes-'));
  for (const name of ['log', 'lib', 'bin']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'bin', 'streamlog'), `#!/bin/sh\nexec "${EXECUTABLE}" "$@"\n`);
  chmodSync(join(directory, 'bin', 'streamlog'), 0o755);
  const path = [join(directory, 'bin'), process.env.PATH, '/usr/sbin'].join(delimiter);
  environment = cleanEnvironment(server, {PATH: path});
});
afterEach(async () => {
  rmSync(directory, {recursive: true, force: true});
});

/** The block of the page in `language` that has `word` in it, with our paths in place of those that it names. */
function recipe(language: string, word: string): string {
  const blocks = [...PAGE.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const [, , text] = blocks.find(([, kind, body]) => kind === language && body!.includes(word))!;
  return text!
    .replaceAll('/var/log/app', join(directory, 'log'))
    .replaceAll('/var/lib/app', join(directory, 'lib'))
    .replaceAll('/usr/local/bin', join(directory, 'bin'))
    .replaceAll('/run/app.pid', join(directory, 'app.pid'));
}

function run(program: string, ...args: string[]): Promise<{code: number; stderr: string}> {
  return new Promise((resolve) => {
    execFile(program, args, {env: environment}, (error, _, stderr) => {
      resolve({code: error === null ? 0 : Number(error.code), stderr});
    });
  });
}

const values = async (stream: string): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, [, value]]) => value!);

/** A program that writes numbered lines, and opens its log anew when it is told to, somewhat late. */
const WRITER = `
  log=$1; exec 3>>"$log"; reopen=
  trap 'reopen=20' HUP
  echo "$BASHPID" > "$2"
  for ((n = 1; n <= 3000; n++)); do
    printf '{"n":' >&3
    if [ "$reopen" = 0 ]; then printf '%s}\\n' "$n" >&3; exec 3>>"$log"; reopen=; continue; fi
    [ -z "$reopen" ] || reopen=$((reopen - 1))
    printf '%s}\\n' "$n" >&3
    ((n % 40)) || sleep 0.05
  done
  > "$2.done"
  while [ -e "$2.done" ]; do sleep 0.05; done`;

it('cron and logrotate: of 3,000 lines that are written meanwhile none is lost and none comes twice', async () => {
  const log = join(directory, 'log', 'events.ndjson');
  const configuration = join(directory, 'logrotate.conf');
  writeFileSync(log, '');
  writeFileSync(configuration, recipe('logrotate', 'firstaction'), {mode: 0o644});
  writeFileSync(join(directory, 'bin', 'add-events'), recipe('sh', 'add "$log"'), {mode: 0o755});
  const cron = recipe('cron', 'add-events').replace(/^(\S+ +){5}/, '');
  const rotate = () => run('logrotate', '--force', '--state', join(directory, 'state'), configuration);

  const pidFile = join(directory, 'app.pid');
  const writer = startShell(`set -- '${log}' '${pidFile}'\n${WRITER}`, {env: environment});
  await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'), 'the writer is at work');
  let rotations = 0;
  while (!existsSync(`${pidFile}.done`)) {
    // As it happens on a machine: neither waits for the other.
    const [rotated] = await Promise.all([rotate(), run('sh', '-c', cron)]);
    expect(rotated).toEqual({code: 0, stderr: ''});
    rotations++;
    await run('sh', '-c', cron);
  }
  rmSync(`${pidFile}.done`);
  expect((await writer.finished).code).toBe(0);
  expect(await run('sh', '-c', cron)).toEqual({code: 0, stderr: ''});
  expect(rotations).toBeGreaterThan(2);
  const found = (await values('events')).map(Number);
  expect([...found].sort((a, b) => a - b)).toEqual(Array.from({length: 3_000}, (_, n) => n + 1));
});

it('the unit of a log that logrotate rotates: of 3,000 lines none is lost and none comes twice', async () => {
  const log = join(directory, 'log', 'events.ndjson');
  const configuration = join(directory, 'logrotate.conf');
  writeFileSync(log, '');
  writeFileSync(configuration, recipe('logrotate', 'delaycompress'), {mode: 0o644});
  const command = /^ExecStart=(.*)$/m.exec(recipe('ini', '--follow'))![1]!;
  const follower = startShell(`exec ${command}`, {env: environment});
  await until(() => existsSync(join(directory, 'lib', 'checkpoint')), 'it has begun');

  const pidFile = join(directory, 'app.pid');
  const writer = startShell(`set -- '${log}' '${pidFile}'\n${WRITER}`, {env: environment});
  await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'), 'the writer is at work');
  let rotations = 0;
  for (; !existsSync(`${pidFile}.done`); rotations++) {
    const added = await server.redis.xlen('app');
    expect(await run('logrotate', '--force', '--state', join(directory, 'state'), configuration)).toEqual({
      code: 0,
      stderr: '',
    });
    // What is compressed at the next rotation has to be read by then.
    await until(
      async () => existsSync(`${pidFile}.done`) || (await server.redis.xlen('app')) > added + 100,
      'it goes on',
    );
  }
  rmSync(`${pidFile}.done`);
  expect((await writer.finished).code).toBe(0);
  await until(async () => (await server.redis.xlen('app')) >= 3_000, 'all is added');
  follower.process.kill('SIGTERM');
  expect(await follower.finished).toMatchObject({code: 143, stderr: ''});
  expect(rotations).toBeGreaterThan(2);
  expect((await values('app')).map(Number)).toEqual(Array.from({length: 3_000}, (_, n) => n + 1));
});

it('logrotate leaves the file as it is while Redis is away', async () => {
  const log = join(directory, 'log', 'events.ndjson');
  const configuration = join(directory, 'logrotate.conf');
  writeFileSync(log, '{"n":1}\n');
  writeFileSync(join(directory, 'app.pid'), '');
  writeFileSync(configuration, recipe('logrotate', 'firstaction'), {mode: 0o644});
  writeFileSync(join(directory, 'bin', 'add-events'), recipe('sh', 'add "$log"'), {mode: 0o755});
  environment.STREAMLOG_URL = 'redis://127.0.0.1:1';
  expect((await run('logrotate', '--force', '--state', join(directory, 'state'), configuration)).code).not.toBe(0);
  expect(readFileSync(log, 'utf8')).toBe('{"n":1}\n');
  expect(existsSync(`${log}.1`)).toBe(false);
});

it('the journal: each entry with all that is in it', async () => {
  // What systemd.journal-fields(7) and the JSON of journalctl have: bytes, repeated fields, and with --all no null for what is long.
  const entries = [
    {MESSAGE: 'started', PRIORITY: '6'},
    {MESSAGE: [104, 105, 255], _PID: '1'},
    {MESSAGE: 'x'.repeat(10_000), TAG: ['a', 'b'], COREDUMP: null},
  ];
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  writeFileSync(join(directory, 'entries'), text);
  const asked = join(directory, 'asked');
  writeFileSync(join(directory, 'bin', 'journalctl'), `#!/bin/sh\necho "$@" > ${asked}\ncat ${directory}/entries\n`, {
    mode: 0o755,
  });
  const command = /^ExecStart=\/bin\/bash -c '(.*)'$/m.exec(recipe('ini', 'journalctl'))![1]!;
  expect(await run('bash', '-c', command)).toEqual({code: 0, stderr: ''});
  expect(readFileSync(asked, 'utf8').split(/\s+/)).toContain('--all');
  const found = await server.redis.xrange('journal', '-', '+');
  expect(found.map(([, [name, value]]) => [name, value!.length])).toEqual([
    ['MESSAGE', 7],
    ['MESSAGE', '[104,105,255]'.length],
    ['MESSAGE', 10_000],
  ]);
});
