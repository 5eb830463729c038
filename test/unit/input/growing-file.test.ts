/** What is read of a file while others append to it, truncate and refill it, against a list of what was written. */
import {appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {GrowingFile} from '../../../src/lib/input/growing-file.js';
import {seededRandom} from '../../support/seeded-random.js';

let directory: string;
let path: string;
let file: GrowingFile;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-growing-'));
  path = join(directory, 'log');
  writeFileSync(path, '');
  file = GrowingFile.open(path, () => new Error('no file') as never)!;
});
afterEach(() => {
  file.close();
  rmSync(directory, {recursive: true, force: true});
});

/** All that there is now; undefined when the content is another one. */
async function rest(): Promise<string | undefined> {
  let text = '';
  for (;;) {
    const chunk = await file.read();
    if (chunk === undefined) return undefined;
    if (chunk.length === 0) return text;
    text += chunk.toString();
  }
}

it.each([1, 2, 3, 4, 5])(
  'reads each generation of the content as it was written, and notices each new one (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    let line = 0;
    let generation = '';
    let read = '';
    for (let step = 0; step < 400; step++) {
      const text = Array.from(
        {length: 1 + random.below(random.oneIn(20) ? 30_000 : 20)},
        () => `line ${++line}\n`,
      ).join('');
      if (random.oneIn(8)) {
        truncateSync(path);
        appendFileSync(path, text);
        generation = text;
        if (read.length > 0) {
          expect(await rest()).toBeUndefined();
          expect(await file.seek(0)).toBe(true);
        }
        read = '';
      } else {
        appendFileSync(path, text);
        generation += text;
      }
      if (random.oneIn(3)) {
        read += (await rest()) ?? '(changed)';
        expect(read.length).toBe(generation.length);
        expect(read).toBe(generation);
        expect(await file.hasMore()).toBe(false);
      }
    }
  },
);

it('says how far whole lines go', async () => {
  expect(await file.lastLineEnd()).toEqual({bytes: 0, line: 0});
  appendFileSync(path, 'half');
  expect(await file.lastLineEnd()).toEqual({bytes: 0, line: 0});
  appendFileSync(path, ` a line\n\nthird\nrest`);
  expect(await file.lastLineEnd()).toEqual({bytes: 19, line: 3});
  appendFileSync(path, 'x'.repeat(600_000));
  expect(await file.lastLineEnd()).toEqual({bytes: 19, line: 3});
});

it('is no other than a file', () => {
  expect(GrowingFile.open(join(directory, 'none'), () => new Error() as never)).toBeUndefined();
  expect(() => GrowingFile.open(directory, (name) => new Error(`${name} is none`) as never)).toThrow('is none');
});
