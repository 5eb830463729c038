import {mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import zlib, {gunzipSync} from 'node:zlib';
import fc from 'fast-check';
import {afterAll, describe, expect, it} from 'vitest';
import {type Compression, Compressor} from '../../../src/lib/transfer/compression.js';
import {type InterruptedExport, readInterrupted} from '../../../src/lib/transfer/interrupted-export.js';
import {linesOf, section} from './sections.js';

const directory = mkdtempSync(join(tmpdir(), 'streamlog-interrupted-'));
afterAll(() => rmSync(directory, {recursive: true, force: true}));
const name = join(directory, 'F.part');

/** What a run finds in a file with these bytes, and the bytes that it keeps. */
async function found(bytes: Buffer, compression?: Compression): Promise<InterruptedExport & {kept: Buffer}> {
  writeFileSync(name, bytes);
  const cut = async (sizeBytes: number): Promise<void> => truncateSync(name, sizeBytes);
  const file = {fd: openSync(name, 'r'), name, sizeBytes: bytes.length};
  return {...(await readInterrupted(file, compression, cut)), kept: readFileSync(name)};
}

/** The lines in members of at least so many bytes of text. */
async function compressed(lines: readonly Buffer[], compression: Compression, memberBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const compressor = new Compressor(compression, async (bytes) => void chunks.push(bytes), memberBytes);
  for (const line of lines) await compressor.write(line);
  await compressor.endMember();
  return Buffer.concat(chunks);
}

describe('what an interrupted run has left', () => {
  it('is kept up to its last whole line, wherever it was cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(section, {minLength: 1, maxLength: 2}), fc.nat(), async (sections, pick) => {
        fc.pre(new Set(sections.map(({header}) => header.stream)).size === sections.length);
        const lines = sections.flatMap(linesOf);
        const whole = Buffer.concat(lines);
        const bytes = whole.subarray(0, pick % whole.length);
        const {kept, sizeBytes, finished, open} = await found(bytes);
        expect(kept.equals(whole.subarray(0, sizeBytes))).toBe(true);
        expect(sizeBytes === 0 || kept.at(-1) === 0x0a).toBe(true);
        const begun = sections[finished.length]!;
        expect(finished).toEqual(sections.slice(0, finished.length).map(({header}) => header.stream));
        const own = linesOf(begun);
        const before = Buffer.concat(sections.slice(0, finished.length).flatMap(linesOf)).length;
        // All whole lines of the section, if one of them is of an entry.
        let size = before;
        let count = 0;
        while (count < own.length && size + own[count]!.length <= bytes.length) size += own[count++]!.length;
        const hasEntry = count > 1 && begun.entries.length > 0;
        expect(sizeBytes).toBe(hasEntry ? size : before);
        expect(open?.lastId).toBe(
          hasEntry ? begun.entries[Math.min(count - 2, begun.entries.length - 1)]!.id : undefined,
        );
        expect(open?.totals.bytes).toBe(hasEntry ? size - before : undefined);
      }),
      {numRuns: 60},
    );
  });

  const compressions: Compression[] = 'createZstdCompress' in zlib ? ['gzip', 'zstd'] : ['gzip'];
  it.each(compressions)('is kept up to its last whole member of %s', async (compression) => {
    await fc.assert(
      fc.asyncProperty(section, fc.nat(), fc.integer({min: 1, max: 2_000}), async (drawn, pick, memberBytes) => {
        const whole = await compressed(linesOf(drawn), compression, memberBytes);
        const {kept, open, finished} = await found(whole.subarray(0, pick % (whole.length + 1)), compression);
        expect(kept.equals(whole.subarray(0, kept.length))).toBe(true);
        const text = Buffer.concat(linesOf(drawn));
        if (compression === 'gzip' && kept.length > 0) {
          const read = gunzipSync(kept);
          expect(read.equals(text.subarray(0, read.length))).toBe(true);
          expect(read.at(-1)).toBe(0x0a);
        }
        expect(finished.length === 1).toBe(kept.length === whole.length);
        if (finished.length === 0 && kept.length > 0) expect(open?.stream).toBe(drawn.header.stream);
      }),
      {numRuns: 40},
    );
  });

  it('is refused where it is compressed in another way', async () => {
    const lines = ['{}\n'].map((text) => Buffer.from(text));
    await expect(found(await compressed(lines, 'gzip', 1), undefined)).rejects.toThrow('it is compressed with gzip');
    await expect(found(Buffer.from('{"streamlog"'), 'gzip')).rejects.toThrow('it is not compressed');
  });
});
