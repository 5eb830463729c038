/** The proxy knows where a request and a reply end, however the bytes come in. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {Framer, RequestReader} from './support/resp-stream.js';

const bulk = (content: Buffer): Buffer => Buffer.concat([Buffer.from(`$${content.length}\r\n`), content, CRLF]);
const CRLF = Buffer.from('\r\n');
const array = (items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items]);
const request = (...words: (string | Buffer)[]): Buffer => array(words.map((word) => bulk(Buffer.from(word))));

/** Content that looks like the protocol, and any other. */
const content = fc.oneof(
  fc.uint8Array({maxLength: 30}).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('\r\n', '*2\r\n', '$-1\r\n', '', '+OK\r\n').map((text) => Buffer.from(text)),
);

const {reply} = fc.letrec<{reply: Buffer}>((tie) => ({
  reply: fc.oneof(
    {maxDepth: 4},
    fc.constantFrom('+OK\r\n', '-ERR no\r\n', ':-12\r\n', '$-1\r\n', '*-1\r\n', '*0\r\n').map((t) => Buffer.from(t)),
    content.map(bulk),
    fc.array(tie('reply'), {maxLength: 4}).map(array),
  ),
}));

function inChunks(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const chunkSizes = fc.array(fc.integer({min: 1, max: 20}), {minLength: 1, maxLength: 10});

describe('replies', () => {
  it('are told apart in chunks of any size, and no byte is lost', () => {
    fc.assert(
      fc.property(fc.array(reply, {maxLength: 8}), chunkSizes, (replies, sizes) => {
        const framer = new Framer();
        const found: Buffer[] = [];
        let present: Buffer[] = [];
        for (const chunk of inChunks(Buffer.concat(replies), sizes)) {
          for (const {bytes, last} of framer.parts(chunk)) {
            present.push(bytes);
            if (last) found.push(Buffer.concat(present));
            if (last) present = [];
          }
        }
        expect(found).toEqual(replies);
        expect(present).toEqual([]);
      }),
    );
  });

  it('of RESP3 are refused, not misread', () => {
    expect(() => new Framer().parts(Buffer.from('%1\r\n+a\r\n:1\r\n'))).toThrow('no RESP2: "%1\\r\\n"');
  });
});

describe('requests', () => {
  it('are told apart in chunks of any size', () => {
    const words = fc.array(content, {minLength: 1, maxLength: 4});
    fc.assert(
      fc.property(fc.array(words, {maxLength: 6}), chunkSizes, (lines, sizes) => {
        const requests = lines.map((line) => request(...line));
        const reader = new RequestReader();
        const found = inChunks(Buffer.concat(requests), sizes).flatMap((chunk) => reader.read(chunk));
        expect(found.map(({bytes}) => bytes)).toEqual(requests);
      }),
    );
  });

  it.each([
    ['a name in any case', request('XAdd', 'Events', '*', 'a', '1'), ['xadd', 'events']],
    ['a subcommand', request('XGROUP', 'CREATE', 'events', 'g', '$'), ['xgroup', 'create']],
    ['a name alone', request('MULTI'), ['multi']],
    ['an empty argument', request('ECHO', ''), ['echo', '']],
    ['no subcommand in a long argument', request('EVAL', 'x'.repeat(65), '0'), ['eval', '']],
    ['a binary argument as text', request('GET', Buffer.from([0xff, 0xfe])), ['get', '\ufffd\ufffd']],
    ['a line typed by hand', Buffer.from('XLEN events\r\n'), ['xlen', 'events']],
    ['nothing in an empty line', Buffer.from('\r\n'), []],
    ['nothing in an empty array', Buffer.from('*0\r\n'), []],
  ])('say their words: %s', (_, bytes, words) => {
    expect(new RequestReader().read(bytes)).toEqual([{words, bytes}]);
  });

  it('that are not whole yet are held', () => {
    const reader = new RequestReader();
    const bytes = request('XADD', 'events', '*', 'a', '1');
    expect(reader.read(bytes.subarray(0, -1))).toEqual([]);
    expect(reader.read(bytes.subarray(-1))).toEqual([{words: ['xadd', 'events'], bytes}]);
  });
});
