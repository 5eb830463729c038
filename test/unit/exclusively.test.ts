import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {withLockFile} from '../../src/lib/cli/lock-file.js';

let directory: string;
let lockFile: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-lock-'));
  lockFile = join(directory, 'lock');
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

it('never lets two be at work at once', async () => {
  let atWork = 0;
  const seen: number[] = [];
  const work = async (): Promise<void> => {
    seen.push(++atWork);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    atWork--;
  };
  await Promise.all(Array.from({length: 5}, () => withLockFile(lockFile, work)));
  expect(seen).toEqual([1, 1, 1, 1, 1]);
});

it('leaves nothing behind', async () => {
  expect(await withLockFile(lockFile, async () => existsSync(lockFile))).toBe(true);
  expect(readdirSync(directory)).toEqual([]);
});

it('is given back when the work fails, with its failure', async () => {
  await expect(withLockFile(lockFile, async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(lockFile)).toBe(false);
});

it('fails as local I/O where there is no directory for it', async () => {
  await expect(withLockFile(join(directory, 'none', 'lock'), async () => {})).rejects.toMatchObject({
    kind: 'io',
    code: 'ENOENT',
  });
});
