/** Variables that have the runtime run something else: seen, and refused, in the executable; nothing to Node. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {startUnderNode} from '../support/http.js';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-runtime-'));
  writeFileSync(join(directory, 'before.mjs'), 'globalThis.before = true;\n');
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});

it.each(['BUN_OPTIONS', 'BUN_INSPECT_PRELOAD'])('the executable does nothing with %s: 78', async (name) => {
  const file = join(directory, 'before.mjs');
  const value = name === 'BUN_OPTIONS' ? `--preload ${file}` : file;
  const {code, stdout, stderr} = await streamlog(['produce', 'a=1'], {server, env: {[name]: value}});
  expect({code, stdout}).toEqual({code: 78, stdout: ''});
  expect(stderr).toContain(`the variable ${name} changes what this program runs`);
  expect(await server.redis.exists('events')).toBe(0);
});

it('an empty one changes nothing, and neither does any under Node', async () => {
  expect((await streamlog(['produce', '-s', 'empty', 'a=1'], {server, env: {BUN_OPTIONS: ''}})).code).toBe(0);
  const underNode = startUnderNode(['produce', '-s', 'node', 'a=1'], server, {BUN_OPTIONS: '--smol'});
  expect((await underNode.finished).code).toBe(0);
});
