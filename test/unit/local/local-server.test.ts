import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {localPaths, reportLocalServer, runningLocalServer} from '../../../src/lib/local/local-server.js';
import {describeTarget, parseTarget} from '../../../src/lib/redis/server-target.js';

let stateDirectory: string;

beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'streamlog-state-'));
});
afterEach(() => rmSync(stateDirectory, {recursive: true, force: true}));

it.each(['/home/me/.local/state', '/with space', '/50%', '/a@b', '/what?', '/#1', '/größe', '/ümlaut/日本'])(
  'its URL leads to the socket under %s',
  (directory) => {
    const {url, socket} = localPaths(directory);
    expect(describeTarget(parseTarget({url, connectTimeoutMs: 1}))).toBe(socket);
  },
);

it('does not run where there is nothing', () => {
  expect(runningLocalServer(join(stateDirectory, 'none'))).toBeUndefined();
});

it.each([
  ['nothing', ''],
  ['text', 'redis\n'],
  ['zero', '0\n'],
  ['a negative number', '-1\n'],
  ['a process that cannot be', '9999999999\n'],
  ['a process that is no server', `${process.pid}\n`],
])('does not run when the pid file holds %s', (_, content) => {
  const place = localPaths(stateDirectory);
  mkdirSync(place.dataDirectory, {recursive: true});
  writeFileSync(place.pidFile, content);
  expect(runningLocalServer(stateDirectory)).toBeUndefined();
});

it('counts what its data takes, however deep it lies', () => {
  const place = localPaths(stateDirectory);
  mkdirSync(join(place.dataDirectory, 'appendonlydir'), {recursive: true});
  writeFileSync(join(place.dataDirectory, 'appendonlydir', 'a'), 'x'.repeat(1_000));
  writeFileSync(join(place.dataDirectory, 'b'), 'x'.repeat(24));
  expect(reportLocalServer(place)).toMatchObject({running: false, pid: null, bytes: 1_024});
});
