import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type InputItem, type InputPosition, isBadLine} from '../../../src/lib/input/input-item.js';
import {type InputOptions, readRecords} from '../../../src/lib/input/record-reader.js';
import {allItems, chunks, cutAt, cuts, lasting} from './chunks.js';

type Kind = InputOptions['kind'];

const options = (kind: Kind): InputOptions => ({kind, field: 'data', maxRecordBytes: 60});

/** Every item, and every place that was known while they were read, with the number of items in front of it. */
async function itemsWithPlaces(
  input: Buffer[],
  kind: Kind,
): Promise<{items: InputItem[]; places: {place: InputPosition; count: number}[]}> {
  const items: InputItem[] = [];
  const places = [{place: {bytes: 0, line: 0}, count: 0}];
  for await (const page of readRecords(chunks(...input), options(kind))) {
    places.push({place: page.position!, count: items.length});
    for (let item = page.next(); item !== undefined; item = page.next()) {
      places.push({place: page.positionBefore!, count: items.length});
      items.push(lasting(item));
      places.push({place: page.position!, count: items.length});
    }
    places.push({place: page.position!, count: items.length});
  }
  return {items, places};
}

const line = fc.oneof(
  fc.constantFrom('{"a":1}', '{"a":1,"b":"é"}\r', '', '  ', 'oops', '{"a":null}', '{"a":"\\n"}', '{"a":1'),
  fc.constantFrom('a,b', '1,2', '"x\ny",z', '"x', 'q"', '""', '3,"four\r\nfive"\r', '\r', 'x'.repeat(61)),
  fc.constantFrom('{"fields":{"a":"1"}}', '{"id":"1-0","pairs":[["a","b"]]}'),
  fc.uint8Array({maxLength: 8}),
);

const input = fc
  .record({
    start: fc.constantFrom('', '', '\ufeff', '\n', '\ufeff\n', '\r\n', '\ufeff"a\nb",c\n', 'a,b\n'),
    lines: fc.array(line, {maxLength: 12}),
    end: fc.constantFrom('', '\n', '\n\n'),
  })
  .map(({start, lines, end}) =>
    Buffer.concat([
      Buffer.from(start),
      ...lines.flatMap((part, index) => [Buffer.from(index === 0 ? '' : '\n'), Buffer.from(part as string)]),
      Buffer.from(end),
    ]),
  );

describe.each<Kind>(['ndjson', 'text', 'csv', 'envelope'])('%s', (kind) => {
  it('goes on from any place with the items that follow it, under the same lines', async () => {
    await fc.assert(
      fc.asyncProperty(input, cuts, cuts, fc.nat(), async (bytes, firstCuts, secondCuts, which) => {
        const {items, places} = await itemsWithPlaces(cutAt(bytes, firstCuts), kind);
        const {place: from, count} = places[which % places.length]!;
        const rest = cutAt(bytes.subarray(from.bytes), secondCuts);
        const again = readRecords(chunks(...rest), {...options(kind), from, head: chunks(bytes)});
        expect(await allItems(again)).toEqual(headerIsBad(kind, items) ? items : items.slice(count));
      }),
      {numRuns: 500},
    );
  });
});

/** Then it is what there is to say about the input, wherever reading begins. */
const headerIsBad = (kind: Kind, [first]: readonly InputItem[]): boolean =>
  kind === 'csv' && first !== undefined && isBadLine(first) && first.reason.startsWith('the header');

const behindItems = (places: {place: InputPosition; count: number}[]): InputPosition[] =>
  places.flatMap(({place, count}, index) => (count > (places[index - 1]?.count ?? 0) ? [place] : []));

describe('a place', () => {
  it('is known in bytes and lines, across blank lines, marks, CRLF and a missing last newline', async () => {
    const input = Buffer.from('\ufeff{"a":1}\r\n\n  \n{"é":"é"}\n{"a":"\\n"}\noops\n{"a":2}');
    const {places} = await itemsWithPlaces([input], 'ndjson');
    expect(behindItems(places)).toEqual([
      {bytes: 12, line: 1},
      {bytes: 28, line: 4},
      {bytes: 39, line: 5},
      {bytes: 44, line: 6},
      {bytes: 51, line: 7},
    ]);
    expect(input).toHaveLength(51);
  });

  it('in CSV is behind a row, however many lines it has', async () => {
    const {items, places} = await itemsWithPlaces([Buffer.from('a\n"1\n2"\n\n3')], 'csv');
    expect(items.map((item) => item.line)).toEqual([2, 5]);
    expect(behindItems(places)).toEqual([
      {bytes: 8, line: 3},
      {bytes: 10, line: 5},
    ]);
  });

  it('in the middle of CSV is none without the header', async () => {
    const pages = readRecords(chunks('1\n'), {...options('csv'), from: {bytes: 2, line: 1}});
    await expect(pages.next()).rejects.toThrow(RangeError);
  });
});

it('a page that is left before its end is a mistake that shows, not lines that vanish', async () => {
  const pages = readRecords(chunks('{"a":1}\n{"a":2}\n'), options('ndjson'));
  (await pages.next()).value!.next();
  await expect(pages.next()).rejects.toThrow('left before its end');
});
