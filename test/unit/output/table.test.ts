import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {cellsOf} from '../../../src/lib/output/cell-width.js';
import {displayOf} from '../../../src/lib/output/display.js';
import {type Column, renderFacts, renderTable} from '../../../src/lib/output/table.js';

const of = (columns: number) => displayOf({terminal: false, color: false, columns, rows: 24});
const plain = of(80);
interface Row {
  name: string;
  count: number;
}
/** Names that take more, or fewer, cells than they have characters. */
const cell = fc
  .array(
    fc.oneof(
      fc.constantFrom('日本', '👨‍👩‍👧', 'e\u0301', '🇪🇸', '❤️', '\u0301', '\u001b[2J', '\u202e', '\n', ' ', 'x'),
      fc.string({unit: 'binary'}),
    ),
  )
  .map((parts) => parts.join(''));
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

  it('separates thousands on a terminal', () => {
    const terminal = displayOf({terminal: true, color: false, columns: 80, rows: 24});
    const rows = [
      {name: 'a', count: 1_234_567},
      {name: 'b', count: 999},
    ];
    expect(renderTable(rows, columns, terminal)).toBe('group    pending\na      1,234,567\nb            999\n');
    expect(renderFacts([['left', 1_000]], terminal)).toBe('left  1,000\n');
  });

  it('colours headings only', () => {
    const shown = {terminal: true, columns: 80, rows: 24};
    const table = renderTable([{name: 'a', count: 1}], columns, displayOf({...shown, color: true}));
    expect(table.split('\n')[0]).toContain('\u001b[1mgroup\u001b[22m');
    expect(table.split('\n')[1]).toBe('a            1');
  });
});

interface Wide {
  name: string;
  group: string;
  numbers: number[];
}
const wide: Column<Wide>[] = [
  {heading: 'stream', least: 8, cell: ({name}) => name},
  {heading: 'group', least: 8, priority: 1, cell: ({group}) => group},
  ...['entries', 'lag', 'memory', 'last entry'].map((heading, at) => ({
    heading,
    right: true,
    priority: at + 1,
    cell: ({numbers}: Wide) => numbers[at]!,
  })),
];
const row = (name: string): Wide => ({name, group: 'billing', numbers: [1_200, 34, 5_600, 78]});

describe('a table that is too wide', () => {
  it('cuts names in the middle first', () => {
    const table = renderTable([row('orders:eu-west-1:2026-12-01'), row('payments')], wide, of(60));
    expect(table.split('\n')).toEqual([
      'stream             group    entries  lag  memory  last entry',
      'orders:e…26-12-01  billing     1200   34    5600          78',
      'payments           billing     1200   34    5600          78',
      '',
    ]);
  });

  it('then leaves out columns, the least important first, and says which', () => {
    const table = renderTable([row('orders:eu-west-1:2026-12-01')], wide, of(40));
    expect(table.split('\n')).toEqual([
      'stream     group    entries  lag  memory',
      'orde…2-01  billing     1200   34    5600',
      'hidden at this width: last entry',
      '',
    ]);
  });

  it.each([40, 60, 80, 120])('has no line of more than %i, whatever the cells are', (width) => {
    fc.assert(
      fc.property(
        fc.array(fc.record({name: cell, group: cell, numbers: fc.array(fc.nat(), {minLength: 4, maxLength: 4})}), {
          maxLength: 5,
        }),
        (rows) => {
          const lines = renderTable(rows, wide, of(width)).split('\n');
          for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(width);
          // A line for each row, the heading, and perhaps what is hidden.
          expect(lines.length).toBeGreaterThanOrEqual(rows.length + 2);
        },
      ),
    );
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

  it('go on in the next line where they are too wide', () => {
    expect(
      renderFacts(
        [
          ['data', '/home/user/streamlog  (1.2 MB)'],
          ['left', 3],
        ],
        of(24),
      ),
    ).toBe('data  /home/user/streaml\n      og  (1.2 MB)\nleft  3\n');
  });

  it('may be none', () => expect(renderFacts([], plain)).toBe(''));
});
