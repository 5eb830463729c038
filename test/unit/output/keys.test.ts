import {expect, it} from 'vitest';
import {KeyDecoder} from '../../../src/lib/output/keys.js';

const keys = (...chunks: (string | Buffer)[]): string[] => {
  const decoder = new KeyDecoder();
  return chunks.flatMap((chunk) => decoder.keys(Buffer.from(chunk as string)));
};

it.each([
  ['q', ['q']],
  ['qé😀', ['q', 'é', '😀']],
  ['\u0003\u001a\u0001\u001c', ['ctrl-c', 'ctrl-z', 'ctrl-a', 'ctrl-\\']],
  ['\r\n\t\u007f', ['enter', 'enter', 'tab', 'backspace']],
  ['\u001b[A\u001b[B\u001bOC\u001b[D', ['up', 'down', 'right', 'left']],
  ['\u001b[5~\u001b[6~\u001b[H\u001b[4~\u001b[3~', ['page-up', 'page-down', 'home', 'end', 'delete']],
  ['\u001b[1;5A\u001b[5;2~', ['up', 'page-up']],
  ['\u001b', ['escape']],
  ['\u001b\u001b[A', ['escape', 'up']],
  ['\u001bx', ['escape', 'x']],
  ['a\u001b[200~b\u001b[?1;2cc', ['a', 'b', 'c']],
])('%j is %j', (text, expected) => {
  expect(keys(text)).toEqual(expected);
});

it('takes sequences and characters that come in pieces', () => {
  const bytes = Buffer.from('a\u001b[1;5Aé😀\u001bOB');
  const escapeAt = [bytes.indexOf(0x1b), bytes.lastIndexOf(0x1b)];
  for (let cut = 0; cut <= bytes.length; cut++) {
    // An ESC that ends a chunk is a key of its own.
    if (escapeAt.includes(cut - 1)) continue;
    expect(keys(bytes.subarray(0, cut), bytes.subarray(cut)), String(cut)).toEqual(['a', 'up', 'é', '😀', 'down']);
  }
});
