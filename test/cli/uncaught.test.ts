/** A bug that gets past everything else: one line and exit code 1, and nothing of what the error carries. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {startUnderNode} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Running, startStreamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-uncaught-'));
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});

const RUNTIMES: [name: string, start: (preloaded: string) => Running][] = [
  ['the executable', (file) => startStreamlog(['tail', '-q'], {server, env: {BUN_OPTIONS: `--preload ${file}`}})],
  ['Node', (file) => startUnderNode(['tail', '-q'], server, {NODE_OPTIONS: `--import=${file}`})],
];

// As ioredis' are: with the command that failed, and its arguments.
const RAISED = "Object.assign(new Error('boom'), {command: {name: 'auth', args: ['geheim']}})";

it.each(
  RUNTIMES.flatMap(([name, start]) => [
    [name, 'an error that is thrown', start, `throw ${RAISED};`] as const,
    [name, 'a rejection', start, `Promise.reject(${RAISED});`] as const,
  ]),
)('%s tells %s in one line, without what it carries', async (_, __, start, statement) => {
  const file = join(directory, 'raise.mjs');
  // A run with BUN_OPTIONS is refused where it can be seen.
  writeFileSync(
    file,
    `delete process.env.BUN_OPTIONS; process.on('SIGUSR2', () => setImmediate(() => { ${statement} }));\n`,
  );
  const running = start(file);
  await until(async () => /name=streamlog .*cmd=xread/.test(await list()), 'it waits for entries');

  running.process.kill('SIGUSR2');

  const {code, stdout, stderr} = await running.finished;
  expect(stdout + stderr).toMatch(/^streamlog: this is a bug in streamlog: Error: boom\nhint: .*\n$/);
  expect(code).toBe(1);
});

const list = async (): Promise<string> => String(await server.redis.client('LIST'));
