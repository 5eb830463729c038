import {mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type RotatedFile, rotatedFiles, rotatedSince} from '../../../src/lib/input/rotated-files.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-rotated-'));
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

const write = (name: string, writtenSeconds: number): void => {
  writeFileSync(join(directory, name), name);
  utimesSync(join(directory, name), writtenSeconds, writtenSeconds);
};
const found = async (log: string): Promise<string[]> =>
  (await rotatedFiles(join(directory, log))).map(({path}) => basename(path));

it.each([
  'app.log.1',
  'app.log.12.gz',
  'app.log-20261201',
  'app.log-20261201.zst',
  'app.log-2026120113',
  'app.log-1796083200',
  'app.log.2026-12-01',
  'app.log.2026-12-01_10',
  'app.log.20261201-101010',
  'app.1.log',
  'app-2026-12-01.log',
  'app-2026-12-01-1.log.gz',
])('%s is a rotated app.log', async (name) => {
  write(name, 1);
  expect(await found('app.log')).toEqual([name]);
});

it.each([
  'app.log',
  'app.log.checkpoint',
  'app.log.checkpoint.lock',
  'app.log.bak',
  'app.log.old',
  'app.log~',
  'app-1.log',
  'app2.log',
  'app.log.1.txt',
  'xapp.log.1',
  'app.log.123456',
  'error.log.1',
])('%s is another file', async (name) => {
  write(name, 1);
  expect(await found('app.log')).toEqual([]);
});

it('what is being compressed counts once: as the original, until that is gone', async () => {
  for (const name of ['app.log.1', 'app.log.1.gz', 'app.log.2.gz']) write(name, 1);
  expect((await found('app.log')).sort()).toEqual(['app.log.1', 'app.log.2.gz']);
  rmSync(join(directory, 'app.log.1'));
  expect((await found('app.log')).sort()).toEqual(['app.log.1.gz', 'app.log.2.gz']);
});

it('takes the name of the log as it is', async () => {
  for (const name of ['a+b.log.1', 'aab.log.1', 'a+bxlog.1']) write(name, 1);
  expect(await found('a+b.log')).toEqual(['a+b.log.1']);
  write('log.1', 1);
  expect(await found('log')).toEqual(['log.1']);
});

it('gives them in the order in which they were written, those of the same moment by their numbers', async () => {
  write('app.log.1', 30);
  write('app.log-20261201', 40);
  write('app.log.3', 20);
  write('app.log.10', 20);
  write('app.log.2.gz', 20);
  expect(await found('app.log')).toEqual(['app.log.10', 'app.log.3', 'app.log.2.gz', 'app.log.1', 'app.log-20261201']);
});

describe('what was rotated since', () => {
  const hour = 3_600_000;
  const now = Date.now();
  const file = (id: string, number: number, writtenMs: number, createdMs: number): RotatedFile => ({
    id,
    number,
    writtenMs,
    createdMs,
    path: `app.log.${number}`,
    sizeBytes: 1,
    isCompressed: false,
  });
  const since = (rotated: RotatedFile[], id: string, writtenMs: number): string[] =>
    rotatedSince(rotated, {id, writtenMs}).map((found) => found.id);

  it('has a later time, or a lower number with the same time', () => {
    const rotated = [file('old', 4, 10, 1), file('read', 3, 20, 2), file('same', 2, 20, 3), file('new', 1, 30, 4)];
    expect(since(rotated, 'read', 20)).toEqual(['same', 'new']);
  });

  it('was created later, where the clock was set back', () => {
    const rotated = [
      file('old', 3, now - 2 * hour, now - 3 * hour),
      file('ahead', 2, now + hour, now - hour),
      file('new', 1, now - 10, now - 20),
    ];
    expect(since(rotated, 'ahead', now + hour)).toEqual(['new']);
    expect(since(rotated, 'new', now - 10)).toEqual([]);
    expect(since(rotated, 'old', now - 2 * hour)).toEqual(['ahead', 'new']);
  });

  it('is no copy that was made while it was written: only a time to come says that the clock was set back', () => {
    const rotated = [file('backup', 2, now - 50, now - 50), file('read', 1, now - 10, now - hour)];
    expect(since(rotated, 'read', now - 10)).toEqual([]);
  });
});
