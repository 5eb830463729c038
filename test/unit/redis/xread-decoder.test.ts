import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {XreadDecoder} from '../../../src/lib/redis/xread-decoder.js';
import {bytes, streamId, text} from '../arbitraries.js';
import {entriesReply} from './entry-replies.js';

const fields = fc.array(fc.tuple(bytes, bytes), {minLength: 1, maxLength: 6});
const entries = fc.array(fc.record({id: streamId, fields}), {maxLength: 8});
const cuts = fc.array(fc.nat({max: 40}), {minLength: 1, maxLength: 20});

/** Gives `reply` in pieces of these sizes, over and over, and returns what is read of it. */
function read(reader: XreadDecoder, reply: Buffer, sizes: readonly number[]) {
  let at = 0;
  for (let turn = 0; ; turn++) {
    const chunk = Buffer.from(reply.subarray(at, at + 1 + sizes[turn % sizes.length]!));
    const used = reader.read(chunk);
    at += chunk.length;
    if (used === undefined) continue;
    expect(at - chunk.length + used).toBe(reply.length);
    return reader.take().records({stream: 's'});
  }
}
const plain = (records: ReturnType<typeof read>) => records.map(({id, fields}) => ({id, fields}));

describe('the entries of a reply', () => {
  it('are those that were sent, whatever the chunks, one reply after the other', () => {
    fc.assert(
      fc.property(text, fc.array(fc.tuple(entries, cuts), {minLength: 1, maxLength: 4}), (stream, replies) => {
        const reader = new XreadDecoder();
        for (const [sent, sizes] of replies) {
          expect(plain(read(reader, entriesReply(stream, sent), sizes))).toEqual(sent);
        }
      }),
    );
  });

  it('stay what they are when others follow', () => {
    fc.assert(
      fc.property(entries, entries, cuts, (first, second, sizes) => {
        const reader = new XreadDecoder();
        const records = read(reader, entriesReply('s', first), sizes);
        read(reader, entriesReply('s', second), sizes);
        expect(plain(records)).toEqual(first);
      }),
    );
  });

  it('are without those that were deleted meanwhile', () => {
    const kept = {id: '2-0', fields: [['a', '1']] as const};
    const sent = [{id: '1-0', fields: undefined}, kept, {id: '3-0', fields: undefined}];
    expect(plain(read(new XreadDecoder(), entriesReply('s', sent), [3]))).toEqual([kept]);
  });

  it('come with what follows them left alone', () => {
    const reply = entriesReply('s', [{id: '1-0', fields: [['a', '1']]}]);
    expect(new XreadDecoder().read(Buffer.concat([reply, Buffer.from('+OK\r\n')]))).toBe(reply.length);
  });

  it('are many thousand', () => {
    const sent = Array.from({length: 5_000}, (_, n) => ({id: `${n}-0`, fields: [['n', String(n)] as const]}));
    expect(plain(read(new XreadDecoder(), entriesReply('s', sent), [16_383, 65_535]))).toEqual(sent);
  });
});

describe('what is no reply of entries', () => {
  it.each([
    'HTTP/1.1 400\r\n',
    '*1\r\n$1\r\na\r\n',
    '*1\r\n*2\r\n*1\r\n',
    ':1\r\n',
    '*1\r\n*2\r\n$1\r\ns\r\n$1\r\nx\r\n',
  ])('is refused: %j', (line) => {
    expect(() => new XreadDecoder().read(Buffer.from(line))).toThrow('Protocol error');
  });
});
