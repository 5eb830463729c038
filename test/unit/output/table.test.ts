import {describe, expect, it} from 'vitest';
import {colors} from '../../../src/lib/output/colors.js';
import {type Column, renderFacts, renderTable} from '../../../src/lib/output/table.js';

const plain = colors(false);
interface Row {
  name: string;
  count: number;
}
const columns: Column<Row>[] = [
  {heading: 'group', cell: ({name}) => name},
  {heading: 'pending', right: true, cell: ({count}) => count},
];

describe('a table', () => {
  it('lines up names on the left and numbers on the right', () => {
    const rows = [
      {name: 'billing', count: 7},
      {name: 'a', count: 1_234_567_890},
    ];
    expect(renderTable(rows, columns, plain)).toBe(
      ['group       pending', 'billing           7', 'a        1234567890', ''].join('\n'),
    );
  });

  it('lines up wide characters by what a terminal shows', () => {
    const rows = [
      {name: '日本語', count: 1},
      {name: 'abcdef', count: 2},
    ];
    expect(renderTable(rows, columns, plain)).toBe(
      ['group   pending', '日本語        1', 'abcdef        2', ''].join('\n'),
    );
  });

  it('keeps a hostile cell in its row', () => {
    const rows = [{name: 'a\u001b[1A\r\nforged', count: 1}];
    const table = renderTable(rows, columns, plain);
    expect(table.split('\n')).toHaveLength(3);
    expect(table).toContain('a\\x1b[1A\\r\\nforged');
  });

  it('shows an empty cell, and its headings when there are no rows', () => {
    expect(renderTable([{name: '', count: 0}], columns, plain)).toBe('group  pending\n             0\n');
    expect(renderTable([], columns, plain)).toBe('group  pending\n');
  });

  it('colours headings only', () => {
    const table = renderTable([{name: 'a', count: 1}], columns, colors(true));
    expect(table.split('\n')[0]).toContain('\u001b[1mgroup\u001b[22m');
    expect(table.split('\n')[1]).toBe('a            1');
  });
});

describe('facts', () => {
  it('stand one under the other', () => {
    expect(
      renderFacts(
        [
          ['stream', 'events'],
          ['left', 3],
        ],
        plain,
      ),
    ).toBe('stream  events\nleft    3\n');
  });

  it('keep a hostile value in its line', () => {
    expect(renderFacts([['stream', 'a\nb\u009b']], plain)).toBe('stream  a\\nb\\x9b\n');
  });

  it('may be none', () => expect(renderFacts([], plain)).toBe(''));
});
