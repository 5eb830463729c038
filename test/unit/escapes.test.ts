import {expect, it} from 'vitest';
import {unescapedBytes} from '../../src/lib/escapes.js';

it('escapes stand for bytes, and all else for itself', () => {
  expect(unescapedBytes(String.raw`a\0\n\r\t\\\xfFé`)).toEqual(
    Buffer.concat([Buffer.from('a\0\n\r\t\\'), Buffer.of(0xff), Buffer.from('é')]),
  );
  expect(unescapedBytes('')).toEqual(Buffer.alloc(0));
});

it.each(['\\', 'a\\', '\\q', '\\x1', '\\xzz', '\\é', '\\\n'])('%j is no text with escapes', (text) => {
  expect(unescapedBytes(text)).toBeUndefined();
});
