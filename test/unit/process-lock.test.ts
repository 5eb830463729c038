import {createHook} from 'node:async_hooks';
import {spawn} from 'node:child_process';
import {existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {ProcessLock} from '../../src/lib/process-lock.js';
import {endWithUs} from '../support/leftovers.js';
import {until} from '../support/redis-server.js';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

/** Another process that holds the lock until it is killed. */
async function holder() {
  const module = join(import.meta.dirname, '../../src/lib/process-lock.ts');
  const script = `import {ProcessLock} from ${JSON.stringify(module)};
    await ProcessLock.acquire(process.argv[1]);
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await until(() => said === 'held\n', 'the other process has the lock');
  return child;
}

it('is one process’ at a time, and free again when that gives it back', async () => {
  const first = await ProcessLock.acquire(path);
  expect(first?.isHeld).toBe(true);
  expect(await ProcessLock.acquire(path)).toBeUndefined();
  expect(first?.isHeld).toBe(true);
  first?.release();
  expect(readdirSync(directory)).toEqual([]);
  const second = await ProcessLock.acquire(path);
  expect(second?.isHeld).toBe(true);
  second?.release();
});

it('stays with a process that is stopped, and is free when that was killed', async () => {
  const child = await holder();
  expect(await ProcessLock.acquire(path)).toBeUndefined();
  child.kill('SIGSTOP');
  expect(await ProcessLock.acquire(path)).toBeUndefined();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  expect(existsSync(path)).toBe(true);
  const lock = await ProcessLock.acquire(path);
  expect(lock?.isHeld).toBe(true);
  lock?.release();
  expect(readdirSync(directory)).toEqual([]);
});

it('of many that find one left behind, one gets it', async () => {
  for (let turn = 0; turn < 5; turn++) {
    const child = await holder();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    const all = await Promise.all(Array.from({length: 8}, () => ProcessLock.acquire(path)));
    const held = all.filter((lock) => lock?.isHeld);
    expect(held).toHaveLength(1);
    for (const lock of all) lock?.release();
  }
  expect(readdirSync(directory)).toEqual([]);
});

it('says so when its name was taken away, and leaves the one that has it now alone', async () => {
  const first = await ProcessLock.acquire(path);
  rmSync(path);
  const second = await ProcessLock.acquire(path);
  expect([first?.isHeld, second?.isHeld]).toEqual([false, true]);
  first?.release();
  expect(await ProcessLock.acquire(path)).toBeUndefined();
  second?.release();
});

it('has a place under any name, however long, and in any depth', async () => {
  const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100));
  mkdirSync(deep, {recursive: true});
  for (const name of ['lock', 'n'.repeat(230)]) {
    const lock = await ProcessLock.acquire(join(deep, name));
    expect(lock?.isHeld).toBe(true);
    expect(readdirSync(deep)).toHaveLength(1);
    expect(await ProcessLock.acquire(join(deep, name))).toBeUndefined();
    lock?.release();
  }
});

it('takes no file for a lock', async () => {
  writeFileSync(path, 'mine');
  await expect(ProcessLock.acquire(path)).rejects.toMatchObject({kind: 'io'});
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect(readdirSync(directory)).toEqual(['lock']);
});

it.runIf(process.platform === 'linux')('listens no more where it could not be had', async () => {
  /** Sockets that were made in the directory, and are there still. */
  const sockets = (): number =>
    readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .filter((line) => line.includes(` ${directory}/`)).length;
  writeFileSync(path, 'mine');
  await expect(ProcessLock.acquire(path)).rejects.toMatchObject({kind: 'io'});
  await until(() => sockets() === 0, 'nothing listens');
  rmSync(path);
  const lock = await ProcessLock.acquire(path);
  expect(sockets()).toBe(1);
  expect(await ProcessLock.acquire(path)).toBeUndefined();
  await until(() => sockets() === 1, 'whoever was too late listens no more');
  lock?.release();
});

it('stays with another who took it just after the one left behind was found to be free', async () => {
  const child = await holder();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  const elsewhere = join(directory, 'elsewhere');
  const another = await ProcessLock.acquire(elsewhere);
  let isTaken = false;
  // Behind connect(2), which finds nobody, and before that is heard of.
  const connecting = createHook({
    init(_id, type) {
      if (type !== 'PIPECONNECTWRAP' || isTaken) return;
      isTaken = true;
      process.nextTick(() => {
        rmSync(path);
        linkSync(elsewhere, path);
      });
    },
  }).enable();
  try {
    const late = await ProcessLock.acquire(path);
    expect([isTaken, late?.isHeld]).toEqual([true, undefined]);
    expect(existsSync(path)).toBe(true);
    // Whoever has it answers there.
    expect(await ProcessLock.acquire(path)).toBeUndefined();
  } finally {
    connecting.disable();
    another?.release();
  }
});
