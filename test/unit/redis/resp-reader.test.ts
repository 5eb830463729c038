import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {RespReader} from '../../../src/lib/redis/resp-reader.js';

type Told = readonly [what: string, value?: string | number];

/** Reads the chunks; each is wiped afterwards, since bytes are valid during the call only. */
function read(chunks: readonly Buffer[]): Told[] {
  const reported: Told[] = [];
  const reader = new RespReader({
    text: (bytes, start, end) => reported.push(['text', bytes.toString('latin1', start, end)]),
    integer: (value) => reported.push(['integer', value]),
    nil: () => reported.push(['nil']),
    error: (text) => reported.push(['error', text]),
  });
  for (const chunk of chunks) reader.read(Buffer.from(chunk));
  return reported;
}

const line = fc.string({unit: fc.constantFrom('a', 'Z', ' ', '$', '-', '*', ':', '0'), maxLength: 12});
const reply: fc.Arbitrary<[wire: string, told: Told[]]> = fc.oneof(
  fc.string({unit: fc.constantFrom('a', '\r', '\n', '$', '1', '\xff', '\0'), maxLength: 20}).map(bulk),
  fc.constantFrom(9, 10, 99, 100, 1_000).map((length) => bulk('x'.repeat(length))),
  line.map((text): [string, Told[]] => [`+${text}\r\n`, [['text', text]]]),
  line.map((text): [string, Told[]] => [`-ERR ${text}\r\n`, [['error', `ERR ${text}`]]]),
  fc.integer().map((value): [string, Told[]] => [`:${value}\r\n`, [['integer', value]]]),
  fc.constantFrom('$-1\r\n', '*-1\r\n').map((connection): [string, Told[]] => [connection, [['nil']]]),
  fc
    .array(fc.integer(), {minLength: 1, maxLength: 3})
    .map((all): [string, Told[]] => [
      `*${all.length}\r\n${all.map((value) => `:${value}\r\n`).join('')}`,
      all.map((value) => ['integer', value]),
    ]),
);
const replies = fc.array(reply, {maxLength: 8}).map((all) => ({
  bytes: Buffer.from(all.map(([connection]) => connection).join(''), 'latin1'),
  told: all.flatMap(([, reported]) => reported),
}));

function bulk(text: string): [string, Told[]] {
  return [`$${text.length}\r\n${text}\r\n`, [['text', text]]];
}

describe('replies', () => {
  it('are told once and whole, wherever the bytes are cut in two', () => {
    fc.assert(
      fc.property(replies, ({bytes, told}) => {
        for (let at = 0; at <= bytes.length; at++) {
          expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(told);
        }
      }),
    );
  });

  it('are told once and whole, in chunks of any size and byte by byte', () => {
    fc.assert(
      fc.property(replies, fc.array(fc.integer({min: 1, max: 9}), {minLength: 1}), ({bytes, told}, sizes) => {
        for (const pattern of [sizes, [1]]) {
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = pattern[turn % pattern.length]!;
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(read(chunks)).toEqual(told);
        }
      }),
    );
  });

  it('that are none of Redis are refused', () => {
    for (const text of ['HTTP/1.1 400 Bad Request\r\n', '\r\n\r\n', '%1\r\n'])
      expect(() => read([Buffer.from(text)])).toThrow('what answers is not Redis');
  });
});
