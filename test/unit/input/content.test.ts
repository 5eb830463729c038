import {createHash} from 'node:crypto';
import zlib from 'node:zlib';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {binaryFormatOf} from '../../../src/lib/input/binary-format.js';
import {readContent} from '../../../src/lib/input/content.js';
import {crc32, slowCrc32} from '../../../src/lib/input/crc32.js';
import {chunks, cutAt, cuts} from './chunks.js';

interface Outcome {
  content: Buffer;
  failure?: string;
  encoded: string[];
}

async function read(...parts: Buffer[]): Promise<Outcome> {
  const out: Buffer[] = [];
  const encoded: string[] = [];
  const options = {
    name: 'FILE',
    pipeOf: async ({command}: {command: string}) => `${command} | streamlog produce`,
    onEncoded: (filter: string) => encoded.push(filter),
  };
  try {
    for await (const chunk of readContent(chunks(...parts), options)) out.push(chunk);
  } catch (error) {
    const {kind, message, hint} = error as {kind: string; message: string; hint?: string};
    return {
      content: Buffer.concat(out),
      encoded,
      failure: `${kind}: ${message}${hint === undefined ? '' : ` [${hint}]`}`,
    };
  }
  return {content: Buffer.concat(out), encoded};
}

const text = (records: number): Buffer =>
  Buffer.from(Array.from({length: records}, (_, n) => `{"n":${n},"h":"${hash(n)}"}\n`).join(''));
const hash = (n: number): string => createHash('md5').update(`${n}`).digest('hex');

/** A member with all that a header may have. */
function memberWithHeader(content: Buffer): Buffer {
  const flags = 0x02 | 0x04 | 0x08 | 0x10;
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3, 3, 0, 9, 9, 9]);
  const size = Buffer.alloc(8);
  size.writeUInt32LE(crc32(content, 0), 0);
  size.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, Buffer.from('name\0comment\0'), Buffer.alloc(2), zlib.deflateRawSync(content), size]);
}

describe('gzip', () => {
  it('gives the same as the plain input, whatever the members and the chunks are', async () => {
    const member = fc.record({
      content: fc.oneof(fc.uint8Array({maxLength: 300}), fc.constant(text(3_000)), fc.constant(Buffer.alloc(300_000))),
      level: fc.integer({min: 0, max: 9}),
      named: fc.boolean(),
      zeros: fc.nat({max: 20}),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(member, {minLength: 1, maxLength: 4}), cuts, async (members, where) => {
        const data = members.map(({content, level, named, zeros}) =>
          Buffer.concat([
            named ? memberWithHeader(Buffer.from(content)) : zlib.gzipSync(content, {level}),
            Buffer.alloc(zeros),
          ]),
        );
        const content = Buffer.concat(members.map(({content}) => content));
        // What looks like another format in it is not plain input either.
        fc.pre((await read(content)).failure === undefined && (await read(content)).encoded.length === 0);
        const found = await read(...cutAt(Buffer.concat(data), where));
        expect(found.failure).toBeUndefined();
        expect(found.content.equals(content)).toBe(true);
      }),
      {numRuns: 60},
    );
  });

  it('that is cut off anywhere fails, behind what could be read of it', async () => {
    const content = text(200);
    const data = zlib.gzipSync(content);
    let last = 0;
    for (let end = 2; end < data.length; end += 7) {
      const found = await read(data.subarray(0, end));
      expect(found.failure).toBe('data: the gzip data of FILE is cut off');
      expect(content.subarray(0, found.content.length).equals(found.content)).toBe(true);
      expect(found.content.length).toBeGreaterThanOrEqual(last);
      last = found.content.length;
    }
    expect(last).toBeGreaterThan(content.length / 2);
  });

  it('that is changed or followed by something else fails', async () => {
    const content = text(10);
    const data = zlib.gzipSync(content);
    const changed = (at: number): Buffer => {
      const copy = Buffer.from(data);
      copy[at < 0 ? copy.length + at : at]! ^= 0x40;
      return copy;
    };
    expect(await read(changed(-6))).toMatchObject({
      content,
      failure: 'data: the gzip data of FILE has a wrong checksum',
    });
    expect(await read(changed(-1))).toMatchObject({
      content,
      failure: 'data: the gzip data of FILE has a wrong checksum',
    });
    expect((await read(changed(2))).failure).toBe('data: the gzip data of FILE is corrupt');
    expect((await read(changed(3))).failure).toBeDefined();
    expect(await read(data, Buffer.from('more\n'))).toMatchObject({
      content,
      failure: 'data: the gzip data of FILE is followed by something else',
    });
    expect((await read(zlib.gzipSync(data))).failure).toBe(
      'data: FILE is compressed twice [gzip -dc FILE | streamlog produce]',
    );
  });

  it('has a checksum that is the same without node:zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        const whole = crc32(Buffer.concat([first, second]), 0);
        expect(slowCrc32(second, slowCrc32(first, 0))).toBe(whole);
        expect(crc32(second, crc32(first, 0))).toBe(whole);
      }),
    );
  });
});

describe('text of UTF-16 and UTF-32', () => {
  const wide = (encoding: string, value: string): Buffer => {
    const units = encoding.startsWith('UTF-16')
      ? Buffer.from(value, 'utf16le')
      : Buffer.concat(
          Array.from(value, (char) => {
            const code = Buffer.alloc(4);
            code.writeUInt32LE(char.codePointAt(0)!);
            return code;
          }),
        );
    if (encoding.endsWith('LE')) return units;
    return encoding.startsWith('UTF-16') ? units.swap16() : units.swap32();
  };

  it.each(['UTF-16LE', 'UTF-16BE', 'UTF-32LE', 'UTF-32BE'])('becomes UTF-8 behind its mark: %s', async (encoding) => {
    await fc.assert(
      fc.asyncProperty(fc.string({unit: 'binary'}), cuts, async (value, where) => {
        const plain = `a,${value}`;
        const found = await read(...cutAt(wide(encoding, `\ufeff${plain}`), where));
        expect(found).toEqual({content: Buffer.from(plain), encoded: [`iconv -f ${encoding.slice(0, 6)} -t UTF-8`]});
      }),
    );
  });

  it('keeps half a surrogate pair as bytes that are no UTF-8', async () => {
    expect((await read(wide('UTF-16LE', '\ufeffa\ud800b\udc00'))).content).toEqual(
      Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62, 0xed, 0xb0, 0x80]),
    );
  });

  it('that ends within a character, or holds none that there is, fails', async () => {
    expect((await read(wide('UTF-16BE', '\ufeffab').subarray(0, 5))).failure).toBe(
      'data: the text of FILE ends in the middle of a character of UTF-16',
    );
    expect((await read(Buffer.from([0xff, 0xfe, 0, 0, 1, 2, 3, 4]))).failure).toContain('is not UTF-32');
  });

  it('is read in gzip too', async () => {
    expect(await read(zlib.gzipSync(wide('UTF-16LE', '\ufeffä\n')))).toEqual({
      content: Buffer.from('ä\n'),
      encoded: ['gzip -dc', 'iconv -f UTF-16 -t UTF-8'],
    });
  });
});

describe('a format that holds no lines', () => {
  const tar = Buffer.alloc(1024);
  tar.write('events.ndjson');
  tar.write('ustar', 257);
  it.each([
    ['compressed with xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1]), 'xz -dc FILE | streamlog produce'],
    ['compressed with bzip2', Buffer.from('BZh91AY&SY\x01', 'latin1'), 'bzip2 -dc FILE | streamlog produce'],
    ['a zip archive', Buffer.from('PK\x03\x04\x14\0', 'latin1'), 'unzip -p FILE | streamlog produce'],
    ['a spreadsheet', Buffer.from(`PK\x03\x04${'\0'.repeat(26)}[Content_Types].xml`), 'save it as CSV'],
    ['a tar archive', tar, 'tar -xOf FILE | streamlog produce'],
    ['an SQLite database', Buffer.from('SQLite format 3\0\x10'), "sqlite3 -json FILE 'SELECT ...' | jq -c '.[]'"],
    ['a Parquet file', Buffer.from('PAR1\x15\0\x15'), 'duckdb'],
    ['a dump of Redis', Buffer.from('REDIS0011\xfa\x09redis-ver', 'latin1'), 'load it into a Redis server'],
    ['a program', Buffer.from('MZ\x90\0\x03\0', 'latin1'), 'data=@FILE'],
    ['a PDF document', Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'), 'pdftotext FILE -'],
    ['a program', Buffer.from('\x7fELF\x02\x01\x01\0'), 'to store a file as one value: streamlog produce data=@FILE'],
    ['an image', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'data=@FILE'],
  ])('is refused by name: %s', async (name, data, hint) => {
    for (const input of [data, zlib.gzipSync(data)]) {
      const {content, failure} = await read(input);
      expect(failure).toContain(`data: FILE is ${name}, not lines of text [`);
      expect(failure).toContain(hint);
      expect(content).toHaveLength(0);
    }
  });

  it('is never one that is text', () => {
    for (const line of [
      '%PDF-1.7',
      'PAR1,b',
      'MZ',
      'GIF89a',
      'REDIS0011',
      'ORC',
      'BZh9',
      'PK',
      'LZIP',
      'Obj',
      'RIFF1234WEBP',
    ])
      for (const rest of ['\nté', '\0té'])
        expect([line, binaryFormatOf(Buffer.from(line + rest).subarray(0, -1))]).toEqual([line, undefined]);
    fc.assert(
      fc.property(fc.string({unit: 'grapheme'}), fc.nat({max: 3}), (value, cut) => {
        const bytes = Buffer.from(value);
        expect(binaryFormatOf(bytes.subarray(0, bytes.length - Math.min(cut, bytes.length)))).toBeUndefined();
      }),
    );
  });
});

it('plain input passes as it is, chunk by chunk, and a line is not held back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({minLength: 1}), {maxLength: 5}), async (lines) => {
      const parts = lines.map((line) => Buffer.from(`${line}\n`));
      fc.pre(!lines.some((line) => /[\ufffe\ufeff\0]/.test(line)));
      const found: string[] = [];
      for await (const chunk of readContent(chunks(...parts), {name: 'FILE', pipeOf: async () => ''}))
        found.push(chunk.toString());
      expect(found).toEqual(lines.map((line) => `${line}\n`));
    }),
  );
});
