import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {displayOf} from '../../../src/lib/output/display.js';
import {type RecordStyle, RecordWriter} from '../../../src/lib/output/record-writer.js';
import {recordToJson, type StreamRecord} from '../../../src/lib/records/entry.js';
import {record as anyRecord} from '../arbitraries.js';
import {memorySink} from './memory-sink.js';

const place = {terminal: true, color: false, columns: 80, rows: 24};
const pipe: RecordStyle = {shape: 'json', display: displayOf({...place, terminal: false})};
const terminal: RecordStyle = {shape: 'table', display: displayOf(place)};

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
  it('writes a line for people: ID, time, stream, fields', async () => {
    expect(await written(terminal, login)).toBe('1526919030474-55  2018-05-21T16:10:30.474Z  events  type=login\n');
  });

  it('quotes what would run into its neighbour', async () => {
    const fields = [
      ['a', 'two words'],
      ['b', ''],
      ['c', 'say "x"'],
      ['d=e', 'f'],
    ] as const;
    expect(await written(terminal, {...login, fields})).toMatch(/ {2}a="two words" b="" c="say \\"x\\"" "d=e"=f\n$/);
  });

  it('names group and consumer where they are known, and how often only from the second time on', async () => {
    const received = {...login, group: 'billing', consumer: 'w1'};
    expect(await written(terminal, {...received, deliveries: 1})).toMatch(/type=login {2}billing\/w1\n$/);
    expect(await written(terminal, {...received, deliveries: 2})).toMatch(/type=login {2}billing\/w1 delivery 2\n$/);
  });

  it('shows a hostile record as one harmless line', async () => {
    expect(await written(terminal, hostile)).toBe(
      '1-0  1970-01-01T00:00:00.001Z  ev\\x1b[2Jents  na\\u202eme=a\\r\\nb\\x07  g\\x9b/c\\x7f delivery 2\n',
    );
  });

  it.each<[string, RecordStyle]>([
    ['lines', terminal],
    ['--json', {...terminal, shape: 'json'}],
    ['--format', {...terminal, format: '%t %s %f{a} %g %c\\n'}],
  ])('never writes a character that a terminal obeys: %s', async (_, style) => {
    await fc.assert(
      fc.asyncProperty(anyRecord, async (record) => {
        const shown = await written(style, record);
        expect(shown.indexOf('\n')).toBe(shown.length - 1);
        expect(shown.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('writes with --json the JSON of a pipe, escaped but the same', async () => {
    const shown = await written({...terminal, shape: 'json'}, hostile);
    expect(JSON.parse(shown)).toEqual(JSON.parse(recordToJson(hostile)));
  });

  it('colours what it adds, and the colours of data are only shown', async () => {
    const coloured = {...terminal, display: displayOf({...place, color: true})};
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
