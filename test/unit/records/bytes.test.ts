import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {byteLength, bytesToJson, decodeBytes, displayBytes, sameBytes} from '../../../src/lib/records/bytes.js';
import {rawBytes, text} from '../arbitraries.js';

const toBuffer = (bytes: string | Buffer): Buffer => Buffer.from(bytes as string);

const NOT_UTF8 = [
  ['a lone continuation byte', Buffer.from([0x80])],
  ['a cut sequence', Buffer.from([0xe2, 0x82])],
  ['an overlong slash', Buffer.from([0xc0, 0xaf])],
  ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
  ['beyond U+10FFFF', Buffer.from([0xf4, 0x90, 0x80, 0x80])],
  ['Latin-1', Buffer.from('caf\u00e9', 'latin1')],
] as const;

describe('decoding', () => {
  it('keeps arbitrary bytes, byte for byte', () => {
    fc.assert(
      fc.property(fc.oneof(rawBytes, text.map(toBuffer)), (raw) => {
        const decoded = decodeBytes(raw);
        expect(toBuffer(decoded).equals(raw)).toBe(true);
        expect(byteLength(decoded)).toBe(raw.length);
      }),
    );
  });

  it('makes text of everything that is UTF-8', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(decodeBytes(toBuffer(value))).toBe(value);
      }),
    );
  });

  it('keeps a byte order mark and NULs in text', () => {
    expect(decodeBytes(Buffer.from('\ufeffa\u0000b'))).toBe('\ufeffa\u0000b');
  });

  it.each(NOT_UTF8)('leaves %s as bytes', (_, raw) => expect(decodeBytes(raw)).toBe(raw));
});

describe('comparing', () => {
  it('agrees with Redis, which compares bytes', () => {
    fc.assert(
      fc.property(rawBytes, rawBytes, (a, b) => {
        expect(sameBytes(decodeBytes(a), decodeBytes(b))).toBe(a.equals(b));
        expect(sameBytes(decodeBytes(a), decodeBytes(Buffer.from(a)))).toBe(true);
      }),
    );
  });

  it('does not take bytes for the text that stands in for them', () => {
    const latin1 = Buffer.from([0xff]);
    expect(sameBytes(latin1, displayBytes(latin1))).toBe(false);
  });
});

describe('JSON of one value', () => {
  it('is its text, or its bytes in base64', () => {
    fc.assert(
      fc.property(fc.oneof(rawBytes, text.map(toBuffer)), (raw) => {
        const value: unknown = JSON.parse(bytesToJson(decodeBytes(raw)));
        const back =
          typeof value === 'string' ? toBuffer(value) : Buffer.from((value as {$b64: string}).$b64, 'base64');
        expect(back.equals(raw)).toBe(true);
      }),
    );
  });

  it('does not mistake text that looks like base64 JSON for bytes', () => {
    expect(JSON.parse(bytesToJson('{"$b64":"AA=="}'))).toBe('{"$b64":"AA=="}');
  });
});

it('shows bytes as text, what is not UTF-8 replaced', () => {
  expect(displayBytes(Buffer.from([0x61, 0xff, 0x62]))).toBe('a\ufffdb');
  expect(displayBytes('a')).toBe('a');
});
