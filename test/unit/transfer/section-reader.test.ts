import {gzipSync} from 'node:zlib';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {readContent} from '../../../src/lib/input/content.js';
import {type NumberedLine, readSections, type SectionReading} from '../../../src/lib/transfer/section-reader.js';
import {chunks, cutAt, cuts} from '../input/chunks.js';
import {type DrawnSection, linesOf, section} from './sections.js';

interface Found {
  lines: NumberedLine[];
  failure: string | undefined;
}

async function readFrom(source: AsyncIterable<Uint8Array | string>, reading: Partial<SectionReading>): Promise<Found> {
  const lines: NumberedLine[] = [];
  try {
    for await (const page of readSections(source, {name: 'F', ...reading})) lines.push(...page);
  } catch (error) {
    return {lines, failure: (error as Error).message};
  }
  return {lines, failure: undefined};
}

const read = (bytes: Buffer | string, reading: Partial<SectionReading> = {}): Promise<Found> =>
  readFrom(chunks(bytes), reading);

const kinds = ({lines}: Found): string => lines.map(({kind}) => kind).join(' ');

/** Two entries, of which the first is pending, and one that is gone. */
const DRAWN: DrawnSection = {
  header: {
    stream: 'orders',
    at: '2026-12-01T00:50:11.412Z',
    whole: true,
    length: 2,
    lastGeneratedId: '9-0',
    groups: [{name: 'g', lastDeliveredId: '3-0', pending: 2}],
  },
  entries: [
    {id: '1-0', fields: undefined, pending: [{group: 'g', consumer: 'c', deliveredAt: 5, deliveries: 1}]},
    {id: '2-0', fields: [['a', '1']], pending: [{group: 'g', consumer: 'c', deliveredAt: 5, deliveries: 2}]},
    {id: '4-0', fields: [['a', '2']], pending: []},
  ],
  hashes: [],
};
const LINES = linesOf(DRAWN).map(String);
const FILE = LINES.join('');

describe('an export file', () => {
  it('is read section by section, in whatever pieces it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(section, {minLength: 1, maxLength: 3}), cuts, async (sections, cutting) => {
        const lines = sections.flatMap(linesOf);
        const found = await readFrom(chunks(...cutAt(Buffer.concat(lines), cutting)), {});
        expect(found.failure).toBeUndefined();
        expect(found.lines.map(({line}) => line)).toEqual(lines.map((_, index) => index + 1));
        expect(found.lines.filter(({kind}) => kind === 'end')).toHaveLength(sections.length);
      }),
    );
  });

  it('is no whole one without any of its lines, with one twice, or with two that changed places', async () => {
    await fc.assert(
      fc.asyncProperty(section, fc.nat(), fc.constantFrom('drop', 'repeat', 'swap'), async (drawn, pick, change) => {
        const lines = linesOf(drawn);
        const at = pick % lines.length;
        const changed = [...lines];
        if (change === 'drop') changed.splice(at, 1);
        else if (change === 'repeat') changed.splice(at, 0, lines[at]!);
        else [changed[at], changed[(at + 1) % lines.length]] = [lines[(at + 1) % lines.length]!, lines[at]!];
        fc.pre(!Buffer.concat(changed).equals(Buffer.concat(lines)));
        expect((await read(Buffer.concat(changed))).failure).toMatch(/^F(: line \d+|\sis empty)/);
      }),
    );
  });

  it('is no whole one with any byte changed or its end missing', async () => {
    await fc.assert(
      fc.asyncProperty(section, fc.nat(), fc.integer({min: 1, max: 255}), async (drawn, pick, xor) => {
        const bytes = Buffer.concat(linesOf(drawn));
        const at = pick % (bytes.length - 1);
        expect((await read(bytes.subarray(0, at))).failure).toBeDefined();
        const changed = Buffer.from(bytes);
        changed[at]! ^= xor;
        const {failure} = await read(changed);
        // Only `missing` and unknown members of the trailer are not in the hash.
        const trailer = bytes.lastIndexOf('{"streamlog":"end"');
        if (at < trailer) expect(failure).toMatch(/^F: line \d+/);
      }),
    );
  });

  it('is read when it was compressed', async () => {
    const options = {name: 'F', pipeOf: () => Promise.resolve('')};
    const members = Buffer.concat(LINES.map((line) => gzipSync(line)));
    expect(kinds(await readFrom(readContent(chunks(members), options), {}))).toBe('header gone entry entry end');
    const cut = await readFrom(readContent(chunks(members.subarray(0, -9)), options), {});
    expect(cut.failure).toBe('the gzip data of F is cut off');
  });

  it('may begin with a byte order mark, and end without a newline', async () => {
    expect(await read(`\ufeff${FILE}`)).toMatchObject({failure: undefined});
    expect(await read(FILE.slice(0, -1))).toMatchObject({failure: undefined});
  });

  const lines = (...at: number[]): string => at.map((index) => LINES[index]).join('');
  it.each([
    ['empty', '', '', 'F is empty: it is no export'],
    [
      'without a header',
      lines(1, 2, 3, 4),
      '',
      'F: line 1: expected the header of a section: {"streamlog":"export",…}',
    ],
    [
      'without a trailer',
      lines(0, 1, 2),
      'header gone entry',
      'F: line 3: the file ends here, before the trailer of "orders": it was cut off',
    ],
    [
      'torn',
      FILE.slice(0, LINES[0]!.length + 20),
      'header',
      'F: line 2 column 20: the line is cut off: a string does not end',
    ],
    ['with a blank line', `${lines(0)}\n${lines(1, 2, 3, 4)}`, 'header', 'F: line 2 column 1: it is empty'],
    [
      'reordered',
      lines(0, 1, 3, 2, 4),
      'header gone entry',
      'F: line 4: the ID 2-0 is not behind the one before it, 4-0',
    ],
    [
      'duplicated',
      lines(0, 1, 2, 2, 3, 4),
      'header gone entry',
      'F: line 4: the ID 2-0 is not behind the one before it, 2-0',
    ],
    [
      'short of an entry',
      lines(0, 1, 2, 4),
      'header gone entry',
      'F: line 4: the trailer says entries: 2, and the section has 1',
    ],
    [
      'edited',
      FILE.replace('"a":"1"', '"a":"7"'),
      'header gone entry entry',
      'F: line 5: the SHA-256 of the section is another one than its trailer says: the file was changed',
    ],
    [
      'of another stream',
      FILE.replace('"stream":"orders","id":"4-0"', '"stream":"other","id":"4-0"'),
      'header gone entry',
      'F: line 4: the line is of another stream than the section, "orders"',
    ],
    [
      'with a header in a section',
      lines(0, 1, 0),
      'header gone',
      'F: line 3: a section begins before the trailer of "orders"',
    ],
    [
      'with an ID behind the last',
      FILE.replace('"lastGeneratedId":"9-0"', '"lastGeneratedId":"3-0"'),
      'header gone entry',
      'F: line 4: the ID 4-0 is behind the last one of the header, 3-0',
    ],
    [
      'with a group that has no position',
      FILE.replace('"name":"g"', '"name":"h"'),
      'header',
      'F: line 2: it is pending in a group that the header does not name',
    ],
    [
      'of a higher version',
      FILE.replace('"version":1', '"version":2'),
      '',
      'F: line 1 column 33: the format has version 2, and this streamlog reads up to 1',
    ],
  ])('that is %s is refused by its line', async (_, file, read_, failure) => {
    const found = await read(file);
    expect({kinds: kinds(found), failure: found.failure}).toEqual({kinds: read_, failure});
  });

  it('that is not UTF-8 is refused by its line', async () => {
    const bytes = Buffer.from(FILE);
    bytes[bytes.indexOf('"a":"1"') + 5] = 0xff;
    expect((await read(bytes)).failure).toBe('F: line 3: it is not valid UTF-8');
  });
});

describe('an export file that somebody has edited', () => {
  const unsealed = {isSealed: false};

  it('is read with other entries, blank lines, and without a trailer', async () => {
    const edited = FILE.replace('"a":"1"', '"a":"7"').replace(LINES[3]!, '\n');
    expect(await read(edited, unsealed)).toMatchObject({failure: undefined});
    expect(kinds(await read(LINES.slice(0, 3).join(''), unsealed))).toBe('header gone entry');
  });

  it('is read without headers, as range prints entries', async () => {
    const found = await read(`${LINES[2]}${LINES[3]}{"stream":"other","id":"1-0","fields":{"a":"1"}}\n`, unsealed);
    expect(found.failure).toBeUndefined();
    expect(found.lines.map((line) => ('stream' in line ? line.stream : ''))).toEqual(['orders', 'orders', 'other']);
  });

  it('still has ascending IDs and whole lines', async () => {
    expect((await read(`${LINES[3]}${LINES[2]}`, unsealed)).failure).toBe(
      'F: line 2: the ID 2-0 is not behind the one before it, 4-0',
    );
    expect((await read(FILE.slice(0, LINES[0]!.length + 20), unsealed)).failure).toMatch(
      /^F: line 2 column 20: the line/,
    );
    expect((await read('{"id":"1-0","fields":{"a":"1"}}\n', unsealed)).failure).toMatch(
      /neither the line nor a header/,
    );
  });
});
