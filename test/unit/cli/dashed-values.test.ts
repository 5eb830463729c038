/** What is attached to a flag is its value, whatever it looks like. */
import {Flags, type Interfaces, Parser} from '@oclif/core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {hasDashedValue, prefixed, readingPrefixed, stripPrefixes} from '../../../src/lib/cli/dashed-values.js';

const flags: Interfaces.FlagInput = {
  stream: Flags.string({char: 's'}),
  field: Flags.string({char: 'F', multiple: true, multipleNonGreedy: true}),
  output: Flags.string({char: 'o', options: ['json', '-json']}),
  quiet: Flags.boolean({char: 'q'}),
  verbose: Flags.boolean({char: 'v'}),
};

const parse = async (argv: string[]) => {
  const output = await Parser.parse(prefixed(argv, flags), {flags: readingPrefixed(flags), args: {}, strict: false});
  stripPrefixes(output.raw);
  return output;
};

const value = fc.constantFrom(
  '-s',
  '-q',
  '--stream',
  '--stream=x',
  '-sx',
  '--',
  '-',
  '-odd.json',
  '---',
  'x',
  '-=-',
  '-o=-s',
);

it('a value that begins with a dash is read as it was typed', async () => {
  const way = fc.constantFrom('--stream=', '-s=', '-s', '-qs', '-vqs', '-qs=');
  const field = fc.constantFrom('--field=', '-F', '-qF=');
  await fc.assert(
    fc.asyncProperty(way, value, fc.array(fc.tuple(field, value), {maxLength: 3}), async (prefix, text, fields) => {
      const argv = [prefix + text, ...fields.map((pair) => pair.join(''))];
      const {flags: read, raw, argv: rest} = await parse(argv);
      const values = fields.map(([, typed]) => typed);
      expect(read).toMatchObject({stream: text, ...(values.length > 0 ? {field: values} : {})});
      expect(rest).toEqual([]);
      expect(raw.flatMap((token) => (token.type === 'flag' && token.flag === 'stream' ? [token.input] : []))).toEqual([
        text,
      ]);
      if (text.startsWith('-') && text !== '-') expect(hasDashedValue(argv)).toBe(true);
    }),
  );
});

it('what is no attached value keeps its form', () => {
  for (const argv of [
    ['-s', '-q'],
    ['--', '--stream=-s', '-s-s'],
    ['--quiet=-s', '--unknown=-s', '-x-s'],
    ['a=-b', '-', '--stream', '--output=-json', '-o-json'],
  ])
    expect(prefixed(argv, flags)).toEqual(argv);
});
