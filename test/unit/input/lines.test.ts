import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {readCsv} from '../../../src/lib/input/csv.js';
import {readLines} from '../../../src/lib/input/lines.js';
import {InputCut} from '../../../src/lib/input/source.js';
import {allItems, allOf, chunks, cutAt, cuts} from './chunks.js';

const read = async (parts: (string | Uint8Array)[], maxBytes = 1024 ** 2) =>
  allOf(readLines(chunks(...parts), {maxBytes}));

async function texts(...parts: (string | Uint8Array)[]): Promise<string[]> {
  return (await read(parts)).map((line) =>
    'bytes' in line ? line.bytes.toString() : `too long: ${line.tooLongBytes}`,
  );
}

/** Lines as a naive program would find them in the whole. */
function linesOf(whole: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = whole.indexOf('\n'); end !== -1; end = whole.indexOf('\n', start)) {
    lines.push(whole.subarray(start, end));
    start = end + 1;
  }
  if (start < whole.length) lines.push(whole.subarray(start));
  return lines;
}

const whole = fc
  .array(fc.oneof(fc.uint8Array({maxLength: 30}), fc.constantFrom('', '\r', '\n\n', 'é🙂\u2028', '\u0000')), {
    maxLength: 12,
  })
  .map((parts) =>
    Buffer.concat(parts.flatMap((part) => [Buffer.from(part as string), Buffer.from('\n')]).slice(0, -1)),
  );

describe('lines', () => {
  it('are the same whatever the chunks are', async () => {
    await fc.assert(
      fc.asyncProperty(whole, cuts, fc.integer({min: 0, max: 40}), async (bytes, where, maxBytes) => {
        const expected = linesOf(bytes).map((line, index) =>
          line.length > maxBytes
            ? {number: index + 1, tooLongBytes: line.length}
            : {number: index + 1, bytes: Buffer.from(line)},
        );
        const found = await read(cutAt(bytes, where), maxBytes);
        expect(found.map((line) => ('bytes' in line ? {...line, bytes: Buffer.from(line.bytes)} : line))).toEqual(
          expected,
        );
      }),
    );
  });

  it('come out of one chunk of a megabyte as of bytes one by one', async () => {
    const long = 'x'.repeat(1024 ** 2 - 3);
    expect(await texts(`a\n${long}\n`)).toEqual(['a', long]);
    expect(await texts(...[...Buffer.from('ab\nc\n')].map((byte) => Uint8Array.of(byte)))).toEqual(['ab', 'c']);
  });

  it('keep a character whole that two chunks share', async () => {
    const [first, ...rest] = Buffer.from('🙂\n');
    expect(await texts(Uint8Array.of(first!), Uint8Array.from(rest))).toEqual(['🙂']);
  });

  it('keep what belongs to them: a CR in front of the newline, NUL bytes, a last line without newline', async () => {
    expect(await texts('a\r\n\0\nb')).toEqual(['a\r', '\0', 'b']);
  });

  it('are none in an empty input, and blank ones where there are newlines only', async () => {
    expect(await texts()).toEqual([]);
    expect(await texts('')).toEqual([]);
    expect(await texts('\n\n')).toEqual(['', '']);
  });

  it('are counted, not kept, above the limit, and do not harm the next one', async () => {
    const parts = [...Array.from({length: 100}, () => 'x'.repeat(1000)), '\nok\n'];
    expect(await read(parts, 2_000)).toEqual([
      {number: 1, tooLongBytes: 100_000},
      {number: 2, bytes: Buffer.from('ok')},
    ]);
    expect(await read(['12345\n'], 5)).toEqual([{number: 1, bytes: Buffer.from('12345')}]);
    expect(await read(['123456'], 5)).toEqual([{number: 1, tooLongBytes: 6}]);
  });

  it('are whole: one that is cut off is dropped, and no failure', async () => {
    async function* cut(): AsyncGenerator<string> {
      yield 'one\ntw';
      throw new InputCut();
    }
    expect(await allOf(readLines(cut(), {maxBytes: 100}))).toEqual([{number: 1, bytes: Buffer.from('one')}]);
    expect(await allItems(readCsv(cut(), {maxRecordBytes: 100}))).toEqual([]);
  });

  it('leave as soon as they are whole, not when the input ends', async () => {
    let release = (): void => {};
    async function* slow(): AsyncGenerator<string> {
      yield 'one\ntwo\nth';
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield 'ree\n';
    }
    const pages = readLines(slow(), {maxBytes: 100});
    expect((await pages.next()).value).toHaveLength(2);
    const rest = pages.next();
    release();
    expect((await rest).value).toEqual([{number: 3, bytes: Buffer.from('three')}]);
  });
});
