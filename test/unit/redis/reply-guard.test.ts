import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {ReplyGuard} from '../../../src/lib/redis/reply-guard.js';

/** What the guard says at the end of `text`, for each way to cut it in two. */
function ends(text: string): {replies: number; isError: boolean}[] {
  return Array.from({length: text.length}, (_, cut) => {
    const guard = new ReplyGuard();
    const replies = [text.slice(0, cut), text.slice(cut)].flatMap((part) => guard.check(Buffer.from(part))).length;
    return {replies, isError: guard.beganWithError};
  });
}

/** That of ioredis, which it does not export. */
const require = createRequire(import.meta.url);
const {Decoder} = require(join(dirname(require.resolve('ioredis')), 'resp/decoder.js'));

const reply: fc.Arbitrary<string> = fc.letrec((tie) => ({
  reply: fc.oneof(
    {maxDepth: 3},
    fc.constantFrom('+OK\r\n', ':7\r\n', ':-1\r\n', '$-1\r\n', '*-1\r\n', '*0\r\n', '-ERR no\r\n'),
    fc.string({maxLength: 5}).map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
    fc
      .array(tie('reply') as fc.Arbitrary<string>, {minLength: 1, maxLength: 3})
      .map((items) => `*${items.length}\r\n${items.join('')}`),
  ),
})).reply as fc.Arbitrary<string>;

it('counts each reply at the very byte at which the decoder of ioredis does', () => {
  fc.assert(
    fc.property(fc.array(reply, {minLength: 1, maxLength: 4}), (replies) => {
      let decoded = 0;
      const count = (): void => void decoded++;
      const decoder = new Decoder({onReply: count, onErrorReply: count, onPush: count, getTypeMapping: () => ({})});
      const guard = new ReplyGuard();
      let counted = 0;
      for (const byte of Buffer.from(replies.join(''))) {
        const chunk = Buffer.from([byte]);
        counted += guard.check(chunk).length;
        decoder.write(chunk);
        expect(counted).toBe(decoded);
      }
      expect(counted).toBe(replies.length);
    }),
  );
});

it('a line has to end with CR and LF', () => {
  for (const text of ['+OK\r\n', ':7\r\n', '$-1\r\n', '$2\r\nok\r\n', '*2\r\n:1\r\n$0\r\n\r\n'])
    expect(() => new ReplyGuard().check(Buffer.from(`${text.slice(0, -1)}x`))).toThrow('no end');
});

describe('wherever a reply is cut in two', () => {
  it.each(['$-1\r\n', '*-1\r\n', ':-1\r\n', '+OK\r\n', '$4\r\n-ERR\r\n', '*1\r\n-ERR no\r\n'])(
    '%j is one reply, and no error',
    (text) => {
      expect(ends(text)).toEqual(Array.from(text, () => ({replies: 1, isError: false})));
    },
  );

  it('an error is one', () => {
    const text = '-ERR max number of clients reached\r\n';
    expect(ends(text)).toEqual(Array.from(text, () => ({replies: 1, isError: true})));
  });
});
