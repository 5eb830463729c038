import {describe, expect, it} from 'vitest';
import type {GroupDetail} from '../../../../src/lib/observe/group-detail.js';
import {RecentMinute} from '../../../../src/lib/observe/recent-minute.js';
import type {Snapshot} from '../../../../src/lib/observe/snapshot.js';
import {rowKey} from '../../../../src/lib/observe/snapshot-rows.js';
import {cellsOf} from '../../../../src/lib/output/cell-width.js';
import {displayOf} from '../../../../src/lib/output/display.js';
import {initialState, type TopState} from '../../../../src/lib/output/top-state.js';
import {renderTop, type TopModel, type TopOptions, topLines} from '../../../../src/lib/output/views/top-view.js';
import {BAD_DAY, groupFacts, snapshotOf, streamFacts} from '../../snapshots.js';

const OPTIONS: TopOptions = {
  every: '1s',
  everyMs: 1_000,
  groupsOnly: false,
  limit: 1_000,
  columns: undefined,
  context: 'prod',
  isReadonly: true,
  server: ['-C', 'prod'],
};

/** A minute in which the rates of `snapshot` have grown from nothing. */
function minuteOf(snapshot: Snapshot): RecentMinute {
  const minutes = new RecentMinute();
  for (let second = 0; second < 60; second++) {
    const part = (figure: number | null): number | null => (figure === null ? null : (figure * second) / 59);
    const streams = snapshot.streams.map((stream) => ({
      ...stream,
      addedPerSec: part(stream.addedPerSec),
      groups:
        stream.groups?.map((group) => ({
          ...group,
          deliveredPerSec: part(group.deliveredPerSec),
          lag: part(group.lag),
        })) ?? null,
    }));
    minutes.take({streams}, second * 1_000);
  }
  return minutes;
}

const DETAIL: GroupDetail = {
  consumers: [
    {name: 'w1', pending: 57, idleMs: 3_700_000, inactiveMs: 3_700_000},
    {name: 'w\u202e2', pending: 0, idleMs: 200, inactiveMs: 200},
  ],
  consumerCount: 2,
  pending: [{id: '1526919030474-55', consumer: 'w1', idleMs: 3_700_000, deliveries: 12, givenBack: false}],
};

interface Scene {
  columns: number;
  rows?: number;
  state?: Partial<TopState>;
  snapshot?: Snapshot;
  options?: Partial<TopOptions>;
  awayMs?: number;
  unicode?: boolean;
  color?: boolean;
}

function screen({
  columns,
  rows = 30,
  state = {},
  snapshot = BAD_DAY,
  options,
  awayMs,
  unicode = true,
  color = false,
}: Scene): string[] {
  const model: TopModel = {snapshot, minutes: minuteOf(snapshot), detail: DETAIL, awayMs};
  const display = {...displayOf({terminal: true, color, columns, rows}), unicode};
  return topLines(model, {...initialState('lag'), ...state}, {...OPTIONS, ...options}, display);
}

/** The time of the head is that of the reader. */
const text = (lines: string[]): string => `${lines.join('\n').replace(/\d\d:\d\d:\d\d/, '14:03:22')}\n`;

const billing = {selected: rowKey('orders', 'billing')};

describe.each([40, 80, 120, 200])('at %i columns', (columns) => {
  it.each([
    ['list', {view: 'list'}],
    ['detail', {view: 'detail', ...billing}],
    ['stream', {view: 'detail', selected: rowKey('mail')}],
    ['help', {view: 'help'}],
  ] as const)('the %s is as it was reviewed', async (name, state) => {
    const lines = screen({columns, state, rows: name === 'list' ? 20 : 60});
    expect(Math.max(...lines.map(cellsOf))).toBeLessThanOrEqual(columns);
    await expect(text(lines)).toMatchFileSnapshot(`golden/top-${name}-${columns}.txt`);
  });

  it.each(['list', 'detail', 'consumers', 'pending', 'help'] as const)(
    'no line of the %s is wider than any window',
    (view) => {
      for (const rows of [1, 5, 24])
        for (const width of [columns - 1, columns]) {
          const lines = screen({columns: width, rows, state: {view, ...billing}, snapshot: HOSTILE});
          expect(lines.length).toBeLessThanOrEqual(Math.max(2, rows));
          for (const line of lines) expect(cellsOf(line), line).toBeLessThanOrEqual(width);
        }
    },
  );
});

const NAMES = [
  '\u001b[2J\u001b]0;x\u0007',
  'a\nb',
  '\u202eevil',
  '\udc80\udcff',
  '-rf',
  "it's $(x)",
  '漢字'.repeat(30),
  '\u0301x',
  ' ',
];
const HOSTILE = snapshotOf(
  NAMES.map((stream) =>
    streamFacts({
      stream,
      deadLetters: {stream: `${stream}:dead`, length: 3, newestAgeMs: 1},
      groups: NAMES.map((group) => groupFacts({group, lag: 10, behindMs: 4, trend: 'growing', maxDeliveries: 20})),
    }),
  ),
);

describe('the screen', () => {
  it('shows names so that a terminal does not act upon them', () => {
    for (const view of ['list', 'detail', 'consumers', 'pending'] as const)
      for (const [index, name] of NAMES.entries()) {
        const lines = screen({
          columns: 120,
          rows: 40,
          state: {view, selected: rowKey(name, NAMES[index])},
          snapshot: HOSTILE,
        });
        expect(lines.join('')).not.toMatch(/[\p{Cc}\u202e\udc80-\udcff]/u);
      }
  });

  it('is grey while Redis is away, and says since when', () => {
    const lines = screen({columns: 120, awayMs: 12_400, color: true});
    expect(lines[2]).toContain(' Redis at 10.0.4.7:6379 is away since 12s; trying again');
    for (const [index, line] of lines.entries())
      if (index !== 2 && line !== '') expect(line).toMatch(/^\u001b\[2m[^\u001b]*\u001b\[22m$/);
    expect(text(lines)).toContain('billing');
  });

  it('has no colours with NO_COLOR, and shows by a sign what is selected', () => {
    const lines = screen({columns: 120, state: billing});
    expect(lines.join('')).not.toContain('\u001b');
    expect(lines.filter((line) => line.startsWith('>'))).toEqual([expect.stringMatching(/^> {3}billing /)]);
  });

  it('has nothing but ASCII without UTF-8', () => {
    for (const view of ['list', 'detail', 'help'] as const)
      expect(text(screen({columns: 120, rows: 70, state: {view, ...billing}, unicode: false}))).toMatch(/^[\n -~]*$/);
  });

  it('says that a window is too narrow', () => {
    expect(screen({columns: 39})).toEqual(['too narrow: top needs 40 columns', 'q quits']);
  });

  it('drops columns in one order as the window gets narrower', () => {
    const headings = (columns: number): string[] =>
      screen({columns})
        .find((line) => line.includes('LAG'))!
        .trim()
        .split(/ {2,}/);
    const gone: string[] = [];
    for (let columns = 200, before = headings(200); columns >= 40; columns--) {
      const now = headings(columns);
      gone.push(...before.filter((heading) => !now.includes(heading)));
      before = now;
    }
    expect(gone).toEqual(['MEMORY', 'MAX DEL', 'DONE/S', 'OUT/S', 'LAST 60 S', ...gone.slice(5)]);
    expect(headings(40)).toEqual(expect.arrayContaining(['STREAM/GROUP', 'LAG', 'BEHIND']));
  });

  it('shows the columns that were asked for', () => {
    const lines = screen({columns: 120, options: {columns: ['lag', 'entries']}});
    expect(lines[3]).toMatch(/^ {2}STREAM\/GROUP +LAG +ENTRIES$/);
  });

  it('shows only groups, with the names of their streams', () => {
    const lines = screen({columns: 120, options: {groupsOnly: true}});
    expect(lines.slice(4, 8).map((line) => line.trim().split(/ {2,}/)[0]!.replace('> ', ''))).toEqual([
      'orders/billing',
      'mail/search',
      'orders/search',
      'orders/audit',
    ]);
  });

  it('keeps the selected row in the window', () => {
    const streams = Array.from({length: 500}, (_, n) => streamFacts({stream: `s${String(n).padStart(3, '0')}`}));
    for (const n of ['000', '001', '250', '498', '499']) {
      const lines = screen({columns: 80, rows: 12, snapshot: snapshotOf(streams), state: {selected: rowKey(`s${n}`)}});
      expect(lines.filter((line) => line.startsWith(`> s${n}`))).toHaveLength(1);
      expect(lines).toHaveLength(12);
    }
  });

  it('says what a stream that is gone was', () => {
    expect(text(screen({columns: 80, state: {view: 'detail', selected: 'x'}}))).toContain('\nit is gone\n');
  });

  it('says why there are no rows', () => {
    const of = (snapshot: Snapshot, state: Partial<TopState> = {}): string =>
      screen({columns: 80, snapshot, state})[3]!;
    expect(of(snapshotOf([]))).toBe('no streams');
    expect(of(snapshotOf([], {discovered: false}))).toBe('looking for streams');
    expect(of(BAD_DAY, {filter: 'zz\u0007'})).toBe('no stream or group has "zz\\x07" in its name');
  });

  it('says what is left out, and what takes long', () => {
    const many = snapshotOf(BAD_DAY.streams, {
      roundMs: 3_000,
      discovered: false,
      skipped: [{streams: 840, reason: 'limit'}],
    });
    expect(screen({columns: 200, snapshot: many})[2]).toBe(
      ' still looking for streams; reading 3 streams takes 3s a round; --match narrows; 840 streams more; --max-streams raises the limit',
    );
  });
});

it('the table of --once has all rows, and nothing about keys', () => {
  const model: TopModel = {snapshot: BAD_DAY, minutes: minuteOf(BAD_DAY), detail: undefined, awayMs: undefined};
  const display = {...displayOf({terminal: true, color: false, columns: 120, rows: 4}), unicode: true};
  const table = renderTop(model, initialState('lag'), OPTIONS, display);
  expect(table.split('\n')).toHaveLength(4 + 7 + 1);
  expect(table).not.toMatch(/quit|>/);
});
