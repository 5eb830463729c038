import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {cellsOf} from '../../../src/lib/output/cell-width.js';
import {displayOf} from '../../../src/lib/output/display.js';
import {type RecordStyle, RecordWriter} from '../../../src/lib/output/record-writer.js';
import {recordToJson, type StreamRecord} from '../../../src/lib/records/entry.js';
import {record as anyRecord} from '../arbitraries.js';
import {memorySink} from './memory-sink.js';

const window = {terminal: true, color: false, columns: 80, rows: 24};
const pipe: RecordStyle = {shape: 'json', display: displayOf({...window, terminal: false})};
const terminal: RecordStyle = {shape: 'table', utc: true, display: displayOf(window)};

const login: StreamRecord = {stream: 'events', id: '1526919030474-55', fields: [['type', 'login']]};
const hostile: StreamRecord = {
  stream: 'ev\u001b[2Jents',
  id: '1-0',
  fields: [['na\u202eme', 'a\r\nb\u0007']],
  group: 'g\u009b',
  consumer: 'c\u007f',
  deliveries: 2,
};

async function written(style: RecordStyle, ...records: StreamRecord[]): Promise<string> {
  const {sink, text} = memorySink();
  await new RecordWriter(sink, style).write(records);
  return text();
}

describe('in a pipe', () => {
  it('writes NDJSON, one record a line', async () => {
    expect(await written(pipe, login, hostile)).toBe(`${recordToJson(login)}\n${recordToJson(hostile)}\n`);
  });

  it('writes no colour, whatever records hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord), async (records) => {
        const lines = (await written(pipe, ...records)).split('\n');
        expect(lines.pop()).toBe('');
        expect(lines).toEqual(records.map((record) => recordToJson(record)));
      }),
    );
  });

  it('writes what --format says, byte for byte', async () => {
    const {sink, writes} = memorySink();
    const jpeg = Buffer.from([0xff, 0xd8, 0x0a, 0x00]);
    const records = [jpeg, 'text'].map((value): StreamRecord => ({stream: 's', id: '1-0', fields: [['blob', value]]}));
    await new RecordWriter(sink, {...pipe, format: '%f{blob}\\0'}).write(records);
    expect(Buffer.concat(writes).equals(Buffer.concat([jpeg, Buffer.from('\0text\0')]))).toBe(true);
  });
});

describe('on a terminal', () => {
  it('writes a line for people: time, ID, fields; the stream once above them', async () => {
    expect(await written(terminal, login, {...login, id: '1526919030474-7'})).toBe(
      [
        'events',
        '2018-05-21T16:10:30.474Z  1526919030474-55  type=login',
        '2018-05-21T16:10:30.474Z  1526919030474-7   type=login',
        '',
      ].join('\n'),
    );
  });

  it('names each stream where entries of several are read, in a column', async () => {
    const shown = await written({...terminal, several: true}, login, {...login, stream: 'orders'});
    expect(shown).toMatch(/^2018\S+ {2}1526919030474-55 {2}events {2}type=login\n2018.* {2}orders {2}type=login\n$/);
  });

  it('times are local, unless UTC is asked for', async () => {
    const zone = process.env.TZ;
    process.env.TZ = 'America/New_York';
    expect(await written({...terminal, utc: false}, login)).toContain('\n2018-05-21 12:10:30.474  1526919030474-55  ');
    process.env.TZ = zone;
  });

  it('columns stay aligned from one batch to the next', async () => {
    const {sink, text} = memorySink();
    const writer = new RecordWriter(sink, terminal);
    for (const id of ['1526919030474-55', '1526919030474-7']) await writer.write([{...login, id}]);
    expect(
      text()
        .split('\n')
        .map((line) => line.indexOf('type=')),
    ).toEqual([-1, 44, 44, -1]);
  });

  it('cuts long values to the width, all of them alike, and nothing with full', async () => {
    const fields = [
      ['a', 'x'.repeat(50)],
      ['b', 'y'.repeat(60)],
      ['c', 'z'],
    ] as const;
    const [, line] = (await written(terminal, {...login, fields})).split('\n');
    expect(line).toBe(`2018-05-21T16:10:30.474Z  1526919030474-55  a=${'x'.repeat(12)}… b=${'y'.repeat(12)}… c=z`);
    expect(await written({...terminal, full: true}, {...login, fields})).toContain(
      `a=${'x'.repeat(50)} b=${'y'.repeat(60)} c=z`,
    );
  });

  it.each([20, 40, 60, 80, 120])('no line is wider than %i, whatever a record holds', async (columns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, {maxLength: 4}), fc.boolean(), async (records, several) => {
        const shown = await written({...terminal, several, display: displayOf({...window, columns})}, ...records);
        for (const line of shown.split('\n')) expect([cellsOf(line) <= columns, line]).toEqual([true, line]);
      }),
    );
  });

  it('with pretty, each field stands on lines of its own, and JSON is indented', async () => {
    const fields = [
      ['user', 'u1'],
      ['body', '{"n":1.0,"list":[1,{}]}'],
      ['trace', 'a\n  b\u001b[2J'],
    ] as const;
    expect(await written({...terminal, pretty: true}, {...login, fields, deliveries: 2})).toBe(
      [
        'events',
        '2018-05-21T16:10:30.474Z  1526919030474-55  delivery 2',
        '  user   u1',
        '  body   {',
        '           "n": 1.0,',
        '           "list": [',
        '             1,',
        '             {}',
        '           ]',
        '         }',
        '  trace  a',
        '           b\\x1b[2J',
        '',
      ].join('\n'),
    );
  });

  it('quotes what would run into its neighbour', async () => {
    const fields = [
      ['a', 'two words'],
      ['b', ''],
      ['c', 'say "x"'],
      ['d=e', 'f'],
    ] as const;
    expect(await written({...terminal, full: true}, {...login, fields})).toMatch(
      / {2}a="two words" b="" c="say \\"x\\"" "d=e"=f\n$/,
    );
  });

  it('names group and consumer where they are known, and how often only from the second time on', async () => {
    const received = {...login, group: 'billing', consumer: 'w1'};
    expect(await written(terminal, {...received, deliveries: 1})).toMatch(/^events {2}billing\/w1\n.*type=login\n$/);
    expect(await written(terminal, {...received, deliveries: 2})).toMatch(
      /^events {2}billing\/w1\n.*type=login {2}delivery 2\n$/,
    );
  });

  it('shows a hostile record as harmless lines', async () => {
    expect(await written(terminal, hostile)).toBe(
      'ev\\x1b[2Jents  g\\x9b/c\\x7f\n1970-01-01T00:00:00.001Z  1-0  na\\u202eme=a\\r\\nb\\x07  delivery 2\n',
    );
  });

  it.each<[string, RecordStyle]>([
    ['lines', {...terminal, display: displayOf({...window, columns: 200})}],
    ['--json', {...terminal, shape: 'json'}],
    ['--format', {...terminal, format: '%t %s %f{a} %g %c\\n'}],
  ])('never writes a character that a terminal obeys: %s', async (_, style) => {
    await fc.assert(
      fc.asyncProperty(anyRecord, async (record) => {
        const shown = await written(style, record);
        expect(shown.split('\n')).toHaveLength(style.shape === 'table' && style.format === undefined ? 3 : 2);
        expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('writes with --json the JSON of a pipe, escaped but the same', async () => {
    const shown = await written({...terminal, shape: 'json'}, hostile);
    expect(JSON.parse(shown)).toEqual(JSON.parse(recordToJson(hostile)));
  });

  it('colours what it adds, and the colours of data are only shown', async () => {
    const coloured = {...terminal, display: displayOf({...window, color: true})};
    const shown = await written(coloured, {...login, fields: [['a', '\u001b[31mred']]});
    expect(shown).toContain('\u001b[33m1526919030474-55\u001b[39m');
    expect(shown).toContain('=\\x1b[31mred');
  });
});

it('writes a batch at once, so that a reader never sees half of it late', async () => {
  for (const style of [pipe, terminal, {...pipe, format: '%o\\n'}]) {
    const {sink, writes} = memorySink();
    await new RecordWriter(sink, style).write([login, login, login]);
    expect(writes).toHaveLength(1);
  }
});

it('writes nothing for no records', async () => {
  const {sink, writes} = memorySink();
  await new RecordWriter(sink, pipe).write([]);
  await new RecordWriter(sink, {...pipe, format: '%o'}).write([]);
  expect(writes).toEqual([]);
});

it('refuses a bad --format before anything is read', () => {
  expect(() => new RecordWriter(memorySink().sink, {...pipe, format: '%q'})).toThrow(
    expect.objectContaining({kind: 'usage'}),
  );
});
