import {describe, expect, it} from 'vitest';
import {colors} from '../../../src/lib/output/colors.js';
import {renderMarkdown} from '../../../src/lib/output/markdown.js';

const rendered = (markdown: string, width = 40, coloured = false): string =>
  renderMarkdown(markdown, {
    width,
    colors: colors(coloured),
    reference: (file) => (file === 'delivery.md' ? 'streamlog help delivery' : undefined),
  }).join('\n');

it.each([
  ['# Producing `x`', 'PRODUCING X'],
  ['one\ntwo **three** `four`', '  one two three four'],
  ['- one\n- two\n  goes on', '  - one\n  - two goes on'],
  ['1. one\n2. two', '  1. one\n  2. two'],
  ['In short:\n\n- one', '  In short:\n\n  - one'],
  ['In short:\n- one', '  In short:\n  - one'],
  ['```sh\na  b\n\n# c\n```', '    a  b\n\n    # c'],
  ['    as it is', '    as it is'],
  [
    '[Redis](https://redis.io) and [page](delivery.md#x)',
    '  Redis (https://redis.io) and page\n  (streamlog help delivery)',
  ],
  ['[delivery.md](delivery.md), [below](#x), [why](adr/1.md)', '  streamlog help delivery, below, why'],
])('%j', (markdown, text) => {
  expect(rendered(markdown)).toBe(text);
});

describe('a table', () => {
  const table = '| code | meaning |\n|---|---|\n| `a\\|b` | one two three four five six seven |\n| 65 | bad |';

  it('has columns within the width', () => {
    expect(rendered(table, 41)).toBe(
      [
        '  code  meaning',
        '  ----  ---------------------------------',
        '  a|b   one two three four five six seven',
        '  65    bad',
      ].join('\n'),
    );
    const narrow = rendered(table, 24).split('\n');
    expect(narrow.length).toBeGreaterThan(4);
    for (const line of narrow) expect(line.length).toBeLessThanOrEqual(24);
  });

  it('becomes a list where not even its words fit', () => {
    expect(rendered(table, 12)).toContain('  a|b\n      one\n');
  });
});

it('colours each word by itself, so that lines can break between them', () => {
  expect(rendered('`a b`', 4, true).split('\n')).toHaveLength(2);
});
