/** The recipes of docs/moving.md for mirrors and the switch-over, as they are printed there, run on two servers. */
import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, expect, it} from 'vitest';
import {serverForAll, until} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, startShell, streamlog} from '../support/run-cli.js';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/moving.md'), 'utf8');

const source = serverForAll();
const target = serverForAll();
let directory: string;
let env: Record<string, string>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-moving-'));
  mkdirSync(join(directory, 'streamlog'));
  const contexts = {old: source, production: source, new: target, standby: target};
  const tables = Object.entries(contexts).map(
    ([name, {url}]) => `[context.${name}]\nurl = "${url}"\nreadonly = true\n`,
  );
  writeFileSync(join(directory, 'streamlog', 'config.toml'), tables.join('\n'));
  writeFileSync(join(directory, 'start'), `#!/bin/sh\nexec "${EXECUTABLE}" "$@"\n`);
  chmodSync(join(directory, 'start'), 0o755);
  env = {XDG_CONFIG_HOME: directory};
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));
beforeEach(async () => {
  await source.redis.flushall();
  await target.redis.flushall();
  for (let n = 1; n <= 500; n++) await source.redis.xadd('orders', '*', 'n', String(n));
});

/** The code blocks below a heading. */
function blocksUnder(heading: string): string[] {
  const [, after] = PAGE.split(`### Recipe: ${heading}\n`);
  return [...after!.split(/^##/m)[0]!.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, text]) => text!);
}

it('the mirror keeps a copy, and the check watches it', async () => {
  const [unit, check] = blocksUnder('a mirror for a failover site');
  const command = /^ExecStart=(.*)$/m.exec(unit!)![1]!.replace('/usr/local/bin/streamlog', join(directory, 'start'));
  const running = startShell(`exec ${command}`, {env});
  await until(async () => (await target.redis.xlen('orders')) === 500, 'everything is copied');
  const watched = startShell(check!, {env});
  expect(await watched.finished).toMatchObject({code: 0, stdout: expect.stringContaining('OK')});
  await source.redis.xadd('orders', '*', 'n', '501');
  await until(async () => (await target.redis.xlen('orders')) === 501, 'what comes is copied');
  running.process.kill('SIGTERM');
  expect((await running.finished).code).toBe(143);
});

it('after the switch-over, workers get what was not acknowledged, and nothing is missing', async () => {
  const {redis} = source;
  await redis.xgroup('CREATE', 'orders', 'billing', '0');
  await redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 200, 'STREAMS', 'orders', '>');
  const ids = (await redis.xrange('orders', '-', '+', 'COUNT', 150)).map(([id]) => id);
  await redis.xack('orders', 'billing', ...ids);
  const [first, second] = blocksUnder('a switch-over');
  const lastWords = `${first}\nuntil streamlog check orders -C old -g copy:new -c 'lag>0' > checked; do sleep 0.1; done\n${second}`;
  const {code, stdout, stderr} = await startShell(`set -m\ncd ${directory}\n${lastWords}`, {env}).finished;
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
  expect(stdout).toContain('"verified":500');
  const worked = await streamlog(['consume', 'orders', '-g', 'billing', '--name', 'w2', '--exit', '-f', '%f{n}\n'], {
    server: target,
  });
  expect(worked.stdout.trim().split('\n').map(Number)).toEqual(Array.from({length: 350}, (_, n) => 151 + n));
});

it.each(RUNTIMES)('%s copies, mirrors and renumbers', async (_, command) => {
  const to = `--to-url ${target.url}`;
  const run = (words: string) => startShell(`exec ${command} copy orders ${to} ${words}`, {server: source}).finished;
  expect(await run('--verify')).toMatchObject({code: 0, stdout: expect.stringContaining('"verified":500')});
  expect(await run('--to renumbered --new-ids')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"copied":500'),
  });
  const running = startShell(`exec ${command} copy orders ${to} --to mirrored --follow`, {server: source});
  await until(async () => (await target.redis.xlen('mirrored')) === 500, 'everything is copied');
  running.process.kill('SIGINT');
  expect((await running.finished).code).toBe(130);
  expect(await target.redis.xrange('mirrored', '-', '+')).toEqual(await source.redis.xrange('orders', '-', '+'));
});
