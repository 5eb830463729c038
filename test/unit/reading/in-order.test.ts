import fc from 'fast-check';
import {expect, it} from 'vitest';
import {inOrder} from '../../../src/lib/reading/in-order.js';
import type {StreamRecord} from '../../../src/lib/records/entry.js';
import {compareStreamIds} from '../../../src/lib/records/stream-id.js';
import {streamId} from '../arbitraries.js';

type Pages = StreamRecord[][];

async function* sourceOf(pages: Pages): AsyncGenerator<StreamRecord[], void, void> {
  yield* pages;
}

async function merged(sources: readonly Pages[]): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  for await (const page of inOrder(sources.map(sourceOf))) records.push(...page);
  return records;
}

/** A stream's records in order, cut into pages anywhere. */
const source = (stream: string) =>
  fc.tuple(fc.uniqueArray(streamId, {maxLength: 30}), fc.integer({min: 1, max: 7})).map(([ids, size]) => {
    const records = ids.sort(compareStreamIds).map((id) => ({stream, id, fields: []}));
    const pages: Pages = [];
    for (let at = 0; at < records.length; at += size) pages.push(records.slice(at, at + size));
    return pages;
  });

it('holds every record once, in the order of IDs, equal ones in the order of the sources', async () => {
  await fc.assert(
    fc.asyncProperty(source('a'), source('b'), source('c'), async (...sources) => {
      const all = sources.flat(2);
      const expected = all.sort((a, b) => compareStreamIds(a.id, b.id) || a.stream.localeCompare(b.stream));
      expect(await merged(sources)).toEqual(expected);
    }),
  );
});

it('of nothing is nothing', async () => {
  expect(await merged([])).toEqual([]);
  expect(await merged([[], []])).toEqual([]);
});
