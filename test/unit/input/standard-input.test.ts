import {closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {CHUNK_BYTES} from '../../../src/lib/input/source.js';
import {FileInput} from '../../../src/lib/input/standard-input.js';

const CHUNKS = 11;
let directory: string;
let path: string;
let fd: number;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-input-'));
  path = join(directory, 'input');
  writeFileSync(path, Buffer.alloc(CHUNKS * CHUNK_BYTES, 'x'));
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));
afterEach(() => closeSync(fd));

/** Where the descriptor stands, as whoever comes after us finds it. */
const offset = (): number => Number(/^pos:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]);

describe.runIf(process.platform === 'linux')('a file that is left early stands behind what was used', () => {
  // A line that is given back may have begun in the chunk before.
  it.each(Array.from({length: CHUNKS - 1}, (_, at) => at + 1))('in the chunk before the one at %s', async (last) => {
    fd = openSync(path, 'r');
    const input = new FileInput(fd, 0);
    let at = 0;
    for await (const _ of input) if (at++ === last) break;
    const used = (last - 1) * CHUNK_BYTES + 1;
    await input.leaveBehind(used);
    expect(offset()).toBe(used);
  });

  it('and at its end where all of it was', async () => {
    fd = openSync(path, 'r');
    for await (const _ of new FileInput(fd, 0));
    expect(offset()).toBe(CHUNKS * CHUNK_BYTES);
  });
});
