import fc from 'fast-check';
import {expect, it} from 'vitest';
import {readRecords} from '../../../src/lib/input/record-reader.js';
import {allItems, chunks, cutAt, cuts} from './chunks.js';

const read = (parts: (string | Uint8Array)[], separator: Buffer, maxRecordBytes = 1024) =>
  allItems(readRecords(chunks(...parts), {kind: 'text', field: 'path', maxRecordBytes, separator}));

it('texts are what splitting the whole input gives, whatever the separator and the chunks are', async () => {
  const few = fc.constantFrom('a', 'b', '\0', '\n');
  await fc.assert(
    fc.asyncProperty(
      fc.string({unit: few, maxLength: 40}),
      fc.string({unit: few, minLength: 1, maxLength: 4}),
      cuts,
      async (input, separator, where) => {
        const items = await read(cutAt(Buffer.from(input), where), Buffer.from(separator));
        const expected = input.split(separator).map((text, index) => ({line: index + 1, fields: [['path', text]]}));
        expect(items).toEqual(expected.filter(({fields}) => fields[0]![1] !== ''));
      },
    ),
    {numRuns: 300},
  );
});

it('a text that is too long is one bad line, and its neighbours are read', async () => {
  for (const size of [1, 3, 1000]) {
    const input = Buffer.from(`a--${'x'.repeat(50)}--b--`);
    const parts = Array.from({length: Math.ceil(input.length / size)}, (_, index) =>
      input.subarray(index * size, (index + 1) * size),
    );
    expect(await read(parts, Buffer.from('--'), 20)).toEqual([
      {line: 1, fields: [['path', 'a']]},
      {line: 2, reason: '50 bytes are more than --max-record-bytes (20)'},
      {line: 3, fields: [['path', 'b']]},
    ]);
  }
});

it('bytes that are not UTF-8 are kept', async () => {
  expect(await read([Buffer.from([0xff, 0, 0x41])], Buffer.of(0))).toEqual([
    {line: 1, fields: [['path', Buffer.from([0xff])]]},
    {line: 2, fields: [['path', 'A']]},
  ]);
});
