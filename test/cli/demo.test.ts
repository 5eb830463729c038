import {readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {expect, test} from 'vitest';
import {until} from '../support/redis-server.js';
import {startStreamlog, streamlog} from '../support/run-cli.js';

const stages = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('streamlog-demo-'));

test('the demo shows its commands, proves that every event was processed, and leaves nothing behind', async () => {
  const before = stages();

  // What is configured is no part of it.
  const {code, stdout, stderr} = await streamlog(['demo'], {env: {STREAMLOG_CONFIG: '/nonexistent/config.toml'}});

  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\$ streamlog produce type=login user=ada\n\d+-\d+$/m);
  expect(stdout).toMatch(/\{"name":"w2","pending":[1-9]\d*,/);
  expect(stdout).toMatch(/^\$ streamlog top --once\n\{"at":/m);
  // It finds nothing.
  expect(stdout).toMatch(/^\$ streamlog doctor\n\n {3}Trimming/m);
  expect(stdout).toMatch(/^\{"stream":"events".*"groups":2,.*"verified":true,"state":"imported"/m);
  expect(stdout).toMatch(/^\{"stream":"events".*"state":"identical"/m);
  expect(stdout).toMatch(/^proved: all 5001 events were processed by billing .* all 5001 were seen by audit\.\n$/m);
  expect(code).toBe(0);
  expect(stages()).toEqual(before);
});

test('an interrupted demo takes its workers, its server and its files with it', async () => {
  const before = stages();
  const demo = startStreamlog(['demo']);
  await until(() => demo.stdout().includes('--name w3'), 'the workers run');

  demo.process.kill('SIGINT');

  expect((await demo.finished).code).toBe(130);
  expect(stages()).toEqual(before);
});

test('the demo says what to install where there is no server program', async () => {
  const {code, stderr} = await streamlog(['demo'], {env: {PATH: '/nonexistent'}});

  expect(stderr).toContain('there is no redis-server or valkey-server on the path\nhint: install it');
  expect(code).toBe(78);
});
