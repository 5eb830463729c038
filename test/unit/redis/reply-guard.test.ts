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

it('a reply counts once its carriage return is there, as it does for the decoder', () => {
  for (const text of ['+OK\r\n', ':7\r\n', '$-1\r\n', '$2\r\nok\r\n', '*2\r\n:1\r\n$0\r\n\r\n']) {
    const guard = new ReplyGuard();
    expect(guard.check(Buffer.from(text.slice(0, -1)))).toEqual([text.length - 1]);
    expect(guard.check(Buffer.from('\n'))).toEqual([]);
    expect(() => new ReplyGuard().check(Buffer.from(`${text.slice(0, -1)}x`))).toThrow('no end');
  }
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
