import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readFieldArguments} from '../../../src/lib/input/field-arguments.js';
import type {FileReading} from '../../../src/lib/input/whole-file.js';

const reading: FileReading = {stopping: new AbortController().signal, warn: () => {}};
let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-arguments-'));
  writeFileSync(path('text'), 'two\nlines\n');
  writeFileSync(path('bytes'), Buffer.from([0xff, 0x00]));
  writeFileSync(path('empty'), '');
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));

describe('field=value', () => {
  it('is divided by its first =, so that a value may hold more', async () => {
    expect(await readFieldArguments(['q=a=b==', 'empty=', '=nameless', 'sp ace= x \n', '🙂=é'], reading)).toEqual([
      ['q', 'a=b=='],
      ['empty', ''],
      ['', 'nameless'],
      ['sp ace', ' x \n'],
      ['🙂', 'é'],
    ]);
  });

  it('may repeat a field, and name it __proto__', async () => {
    expect(await readFieldArguments(['tag=a', 'tag=b', '__proto__=c'], reading)).toEqual([
      ['tag', 'a'],
      ['tag', 'b'],
      ['__proto__', 'c'],
    ]);
  });

  it('takes the value from a file with @, byte for byte', async () => {
    expect(
      await readFieldArguments([`a=@${path('text')}`, `b=@${path('bytes')}`, `c=@${path('empty')}`], reading),
    ).toEqual([
      ['a', 'two\nlines\n'],
      ['b', Buffer.from([0xff, 0x00])],
      ['c', ''],
    ]);
  });

  it('means an @ itself by two', async () => {
    expect(await readFieldArguments(['to=@@alice', 'at=@@', 'mail=bob@example.org'], reading)).toEqual([
      ['to', '@alice'],
      ['at', '@'],
      ['mail', 'bob@example.org'],
    ]);
  });

  it('is a usage error without =', async () => {
    await expect(readFieldArguments(['type=login', 'oops'], reading)).rejects.toThrow(
      expect.objectContaining({kind: 'usage', message: '"oops" is not field=value'}),
    );
  });

  it('is an I/O failure when the file cannot be read, with the way out', async () => {
    for (const file of [path('missing'), directory, '']) {
      await expect(readFieldArguments([`a=@${file}`], reading)).rejects.toThrow(
        expect.objectContaining({kind: 'io', hint: expect.stringContaining('@@')}),
      );
    }
  });
});
