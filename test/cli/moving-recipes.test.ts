/** The recipes of docs/moving.md for exports and imports, as they are printed there: with other paths, on servers of their own. */
import {execFile} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {section} from '../support/handmade-section.js';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll} from '../support/redis-server.js';
import {cleanEnvironment, EXECUTABLE, streamlog} from '../support/run-cli.js';
import {fullInfo} from '../support/stream-facts.js';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/moving.md'), 'utf8');
const production = serverForAll();
const staging = serverForAll();
const directory = mkdtempSync(join(tmpdir(), 'streamlog-moving-'));
const backups = join(directory, 'backups');
let environment: Record<string, string>;

const at = Date.now() - 3_600_000;
const ORDERS = section(
  {
    stream: 'orders',
    lastGeneratedId: '9-0',
    entriesAdded: 4,
    maxDeletedId: '1-0',
    groups: [{name: 'billing', lastDeliveredId: '8-0', entriesRead: 3, consumers: ['w1']}],
  },
  [
    {id: '1-0', pending: [{group: 'billing', consumer: 'w1', deliveredAt: at, deliveries: 2}]},
    {id: '2-0', fields: {n: '2', email: 'a@example.org'}},
    {
      id: '8-0',
      fields: {n: '8', email: 'b@example.org'},
      pending: [{group: 'billing', consumer: 'w1', deliveredAt: at, deliveries: 7}],
    },
    {id: '9-0', fields: {n: '9', email: 'a@example.org'}},
  ],
);

beforeAll(async () => {
  mkdirSync(join(directory, 'config/streamlog'), {recursive: true});
  mkdirSync(join(directory, 'bin'));
  writeFileSync(
    join(directory, 'config/streamlog/config.toml'),
    Object.entries({production, old: production, staging, new: staging})
      .map(([name, {url}]) => `[context.${name}]\nurl = "${url}"\n`)
      .join('\n'),
  );
  writeFileSync(join(directory, 'bin', 'streamlog'), `#!/bin/sh\nexec "${EXECUTABLE}" "$@"\n`);
  chmodSync(join(directory, 'bin', 'streamlog'), 0o755);
  environment = cleanEnvironment(undefined, {
    PATH: [join(directory, 'bin'), process.env.PATH].join(delimiter),
    XDG_CONFIG_HOME: join(directory, 'config'),
    XDG_STATE_HOME: join(directory, 'state'),
  });
  expect((await streamlog(['import'], {server: production, input: ORDERS})).code).toBe(0);
});
afterAll(async () => {
  await run('streamlog local stop');
  rmSync(directory, {recursive: true, force: true});
});

/** The block under the heading that has `word` in it, with our paths. */
function recipe(heading: string, language: string, word: string): string {
  const [part] = PAGE.slice(PAGE.indexOf(`### Recipe: ${heading}`)).split(/\n### /);
  const blocks = [...part!.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const [, , text] = blocks.find(([, kind, body]) => kind === language && body!.includes(word))!;
  return text!.replaceAll('/var/backups/streams', backups).replaceAll('/usr/local/bin', join(directory, 'bin'));
}

function run(script: string): Promise<{code: number; stdout: string; stderr: string}> {
  return new Promise((resolve) => {
    execFile('bash', ['-c', `set -o pipefail; ${script}`], {env: environment}, (error, stdout, stderr) => {
      resolve({code: error === null ? 0 : Number(error.code), stdout, stderr});
    });
  });
}

it('a backup every night: is whole, keeps two weeks, and comes back', async () => {
  const program = join(directory, 'bin', 'backup-streams');
  writeFileSync(program, recipe('a backup every night', 'sh', 'export'), {mode: 0o755});
  mkdirSync(join(backups, '2020-01-01'), {recursive: true});
  utimesSync(join(backups, '2020-01-01'), 1, 1);
  const cron = recipe('a backup every night', 'cron', 'backup').replace(/^(\S+ +){5}/, '');
  for (let night = 0; night < 2; night++) expect(await run(cron)).toMatchObject({code: 0, stderr: ''});
  expect(readdirSync(backups)).toHaveLength(1);

  const restored = await run(recipe('a backup every night', 'sh', 'restored:'));

  expect(restored).toMatchObject({code: 0, stderr: ''});
  expect(await fullInfo(staging.redis, 'restored:orders')).toEqual(await fullInfo(production.redis, 'orders'));
});

it('a bug of production on a laptop: what is stuck, as old as it was, without addresses', async () => {
  const {code, stdout, stderr} = await run(recipe('a bug of production', 'sh', '--pending-only'));

  expect(code, stderr).toBe(0);
  const pending = jsonLines(stdout).at(-1)!;
  expect(pending).toMatchObject({stream: 'orders', group: 'billing', pending: 1, lowestId: '8-0'});
  const {stdout: entry} = await run('streamlog get -s orders 8-0');
  expect(JSON.parse(entry)).toMatchObject({fields: {n: '8', email: expect.stringMatching(/^masked:[\da-f]{16}$/)}});
});

it('a move with a short outage: the second run finds both identical', async () => {
  const {code, stdout, stderr} = await run(recipe('a move with a short outage', 'sh', 'export'));

  expect(code, stderr).toBe(0);
  expect(jsonLines(stdout).map(({state}) => state)).toEqual(['imported', 'identical']);
  expect(await fullInfo(staging.redis, 'orders')).toEqual(await fullInfo(production.redis, 'orders'));
});
