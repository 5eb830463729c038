import fc from 'fast-check';
import {expect, it} from 'vitest';
import {offered, readWord, SHELLS} from '../../../src/lib/completion/shell-words.js';

it.each([
  ['orders', 'orders', ''],
  ['two\\ words', 'two words', ''],
  ["'two w", 'two w', "'"],
  ['"it\'s \\"x\\" \\n', 'it\'s "x" \\n', '"'],
  ['a\'b c\'"d e"f', 'ab cd ef', ''],
  ["'$x`y`'", '$x`y`', ''],
  ['trailing\\', 'trailing', ''],
  ['', '', ''],
])('bash: %s', (word, text, quote) => {
  expect(readWord('bash', word)).toEqual({text, quote});
});

it.each(['$x', '"$x"', '`x`', '$(rm -r x)', "$'x'"])('bash alone knows what %s is', (word) => {
  expect(readWord('bash', word)).toBeUndefined();
});

const name = fc.string({unit: 'binary', minLength: 1});

it('what is offered for bash is read as the same name, also behind an open quote', () => {
  fc.assert(
    fc.property(name, fc.constantFrom('', '"', "'"), (text, quote) => {
      const shown = offered('bash', text, quote);
      if (shown !== undefined) expect(readWord('bash', `${quote}${shown}`)).toEqual({text, quote});
    }),
  );
});

it('what would change the screen, end the line or be a flag is offered by no shell', () => {
  const unfit = ['-x', 'a\nb', 'a\tb', '\u001b[2J', 'a\u202eb', '\udcff', '{"$b64":"AA=="}'];
  for (const shell of SHELLS) for (const text of unfit) expect(offered(shell, text, '')).toBeUndefined();
});
