import {execFileSync} from 'node:child_process';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {decodeName, encodeName, nameFromText} from '../../src/lib/records/names.js';
import {bytesWord, nameWord, shellWord} from '../../src/lib/shell-word.js';
import {text} from './arbitraries.js';

/** What a command would get for each of the words. */
const readByBash = (words: readonly string[]): string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${words.join(' ')}`], {encoding: 'utf8', env: {PATH: process.env.PATH}})
    .split('\0')
    .slice(0, -1);

it('is one word that bash reads as exactly the text, in any locale', () => {
  // No argument of a command can hold NUL, nor what is not UTF-8.
  const name = text.map((value) => value.replaceAll('\0', '').toWellFormed());
  const special = fc.string({
    unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;~#=%\n\t -aé\u001b\u0085\u202e🙂\u{e0001}0'),
  });

  fc.assert(
    fc.property(fc.array(fc.oneof(special, name), {minLength: 1, maxLength: 50}), (texts) => {
      const words = texts.map(shellWord);
      expect(readByBash(words)).toEqual(texts);
      expect(words.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
    {numRuns: 10},
  );
});

/** Names of any bytes, and those that look like JSON for other ones. */
const anyName = fc.oneof(
  fc.uint8Array({maxLength: 12}).map((bytes) => decodeName(Buffer.from(bytes))),
  fc.string({unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;~#=% \n\t-aé\u001b0')}),
  fc.constantFrom('{"$b64":"b3JkZXJz"}', '{"$b64":"?"}', '-x', ''),
);
const bytesOf = (name: string): Buffer => Buffer.from(encodeName(name) as string);
const readBySh = (line: string): Buffer => execFileSync('sh', ['-c', line], {env: {PATH: process.env.PATH}});

it('a name is one word that means it to our own commands, in every shell', () => {
  fc.assert(
    fc.property(fc.array(anyName, {minLength: 1, maxLength: 30}), (names) => {
      const words = names.map(nameWord);
      const read = readBySh(`printf '%s\\0' ${words.join(' ')}`)
        .toString()
        .split('\0')
        .slice(0, -1);
      expect(read.map(nameFromText)).toEqual(names);
      expect(words.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
    {numRuns: 20},
  );
});

it('its bytes are one word, or what printf prints for one', () => {
  fc.assert(
    fc.property(anyName, (name) => {
      const {word, isPlain} = bytesWord(name);
      expect(readBySh(isPlain ? `printf '%s' ${word}` : `printf ${word}`)).toEqual(bytesOf(name));
      expect(word).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
    {numRuns: 50},
  );
});

it('gives the bytes of a name that is not text as options take them', () => {
  expect(shellWord(decodeName(Buffer.from([0x61, 0xff])))).toBe(`'{"$b64":"Yf8="}'`);
});

it('leaves alone what needs no quotes', () => {
  expect(['orders:1', 'host-4711', 'łódź', '{x}', ''].map(shellWord)).toEqual([
    'orders:1',
    'host-4711',
    'łódź',
    "'{x}'",
    "''",
  ]);
});
