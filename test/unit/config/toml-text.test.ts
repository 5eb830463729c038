/** Changes of a TOML file that leave the rest as it is, whatever the file looks like. */
import fc from 'fast-check';
import {parse} from 'smol-toml';
import {describe, expect, it} from 'vitest';
import {lineOf, withoutTable, withTable} from '../../../src/lib/config/toml-text.js';

const FILE = `# everything
# about prod
[context.prod]
url = "redis://p"  # here
# and this
words = [
  "a", # one
  "b",
]

# about dev
[context.dev]
url = """
[context.prod]
"""

[alias]
x = "ls"
`;

describe('lineOf', () => {
  it.each([
    [['context', 'prod'], 3],
    [['context', 'prod', 'url'], 4],
    [['context', 'prod', 'words'], 6],
    [['context', 'dev', 'url'], 13],
    [['context', 'dev', 'none'], 12],
    [['alias', 'x'], 18],
    [['nothing'], 1],
  ])('%j is in line %i', (path, line) => {
    expect(lineOf(FILE, path)).toBe(line);
  });

  it('finds what is written in other ways', () => {
    const other = '\ncontext.a.url = "x"\n"context".\'b\' = {url = "y"}\n[context]\nc = {url = "z"}\n';
    expect(lineOf(other, ['context', 'a', 'url'])).toBe(2);
    expect(lineOf(other, ['context', 'b', 'url'])).toBe(3);
    expect(lineOf(other, ['context', 'c'])).toBe(5);
  });
});

describe('withoutTable', () => {
  it('takes its lines and its comments, and nothing else', () => {
    expect(withoutTable(FILE, ['context', 'prod'])).toBe(
      '# about dev\n[context.dev]\nurl = """\n[context.prod]\n"""\n\n[alias]\nx = "ls"\n',
    );
    expect(withoutTable(FILE, ['context', 'dev'])).toBe(
      `${FILE.slice(0, FILE.indexOf('# about dev'))}[alias]\nx = "ls"\n`,
    );
  });

  it('knows the lines of DOS', () => {
    const dos = FILE.replaceAll('\n', '\r\n');
    expect(lineOf(dos, ['alias', 'x'])).toBe(18);
    expect(withoutTable(dos, ['context', 'prod'])).toBe(
      '# about dev\r\n[context.dev]\r\nurl = """\r\n[context.prod]\r\n"""\r\n\r\n[alias]\r\nx = "ls"\r\n',
    );
  });

  it('does nothing where a line sets other things too', () => {
    expect(withoutTable('context = {a = {url = "1"}, b = {url = "2"}}', ['context', 'a'])).toBeUndefined();
  });
});

describe('any file', () => {
  const key = fc.constantFrom('prod', 'dev', 'a.b', 'x y', '', 'é', '#', ']');
  const text = fc.string({unit: 'grapheme', maxLength: 12});
  const comment = fc.string({maxLength: 10}).map((words) => `# ${words.replace(/[\x00-\x1f\x7f]/g, '')}`);
  const quoted = (word: string): string => JSON.stringify(word).replace(/\x7f/g, '\\u007f');
  const value = fc.oneof(
    text.map(quoted),
    fc.integer().map(String),
    fc.array(text, {maxLength: 3}).map((all) => `[\n  ${all.map(quoted).join(', # it\n  ')}\n]`),
    fc.constant('"""\n[context.prod]\n# no comment\n"""'),
  );
  const line = fc.oneof(
    {weight: 2, arbitrary: fc.tuple(text, value).map(([name, set]) => `${quoted(name)} = ${set}`)},
    {weight: 1, arbitrary: comment},
    {weight: 1, arbitrary: fc.constant('')},
  );
  const table = fc
    .tuple(key, fc.array(line, {maxLength: 4}))
    .map(([name, lines]) => `[context.${quoted(name)}]\n${lines.join('\n')}`);
  const file = fc
    .array(fc.oneof(table, comment), {maxLength: 5})
    .map((parts) => parts.join('\n'))
    .filter(isToml);

  function isToml(whole: string): boolean {
    try {
      parse(whole);
      return true;
    } catch {
      return false;
    }
  }

  const commentsIn = (whole: string): string[] => whole.split('\n').filter((one) => /^# /.test(one));

  it('has after adding and removing a table what it had before, and every comment', () => {
    fc.assert(
      fc.property(file, (before) => {
        fc.pre(!Object.hasOwn((parse(before).context ?? {}) as object, 'new'));
        const added = withTable(before, ['context', 'new'], {url: 'redis://h', words: ['a', 'b']});
        expect(added).toBeDefined();
        expect(commentsIn(added!)).toEqual(commentsIn(before));
        const removed = withoutTable(added!, ['context', 'new'])!;
        const lines = (whole: string): string => whole.replace(/\n+$/, '');
        expect(lines(removed)).toBe(lines(before));
      }),
    );
  });

  it('loses one table and no other when it is removed', () => {
    fc.assert(
      fc.property(file, (before) => {
        const all = (parse(before).context ?? {}) as Record<string, object>;
        for (const name of Object.keys(all)) {
          const removed = withoutTable(before, ['context', name]);
          expect(removed).toBeDefined();
          const {[name]: _, ...others} = all;
          const left = (parse(removed!).context ?? {}) as Record<string, object>;
          const filled = (tables: Record<string, object>) =>
            Object.fromEntries(Object.entries(tables).filter(([, one]) => Object.keys(one).length > 0));
          expect(filled(left)).toEqual(filled(others));
        }
      }),
    );
  });
});
