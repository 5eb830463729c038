/** Names of archived files, for whatever IDs a stream has. */
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {archiveFiles, archiveName} from '../../../src/lib/archive/archive-name.js';
import {Rotation} from '../../../src/lib/archive/rotation.js';
import {compareStreamIds} from '../../../src/lib/records/stream-id.js';
import {streamId} from '../arbitraries.js';

const COMPRESSIONS = [undefined, 'gzip', 'zstd'] as const;

it('names sort as first IDs do, whatever is compressed how', () => {
  fc.assert(
    fc.property(
      streamId,
      streamId,
      fc.constantFrom(...COMPRESSIONS),
      fc.constantFrom(...COMPRESSIONS),
      (one, other, a, b) => {
        const order = compareStreamIds(one, other);
        if (order === 0) return;
        const [nameA, nameB] = [archiveName(one, a), archiveName(other, b)];
        expect(nameA < nameB ? -1 : 1).toBe(Math.sign(order));
      },
    ),
  );
});

it('a name is known again, finished or not, and others are not', () => {
  fc.assert(
    fc.property(streamId, fc.constantFrom(...COMPRESSIONS), (id, compression) => {
      const name = archiveName(id, compression);
      const others = ['index.ndjson', `${name}.sha256`, 'archive.lock', `${name}.part.part`, `a${name}`];
      expect(archiveFiles([name, ...others])).toEqual({finished: [name], parts: []});
      expect(archiveFiles([`${name}.part`, ...others])).toEqual({finished: [], parts: [name]});
    }),
  );
});

it('a file ends with the period of its first ID', () => {
  const hourly = new Rotation({everyMs: 3_600_000, maxBytes: undefined});
  expect(hourly.isBetween('3599999-9', '3599999-10')).toBe(false);
  expect(hourly.isBetween('3599999-9', '3600000-0')).toBe(true);
  expect(hourly.isFull(Number.MAX_SAFE_INTEGER)).toBe(false);
  const sized = new Rotation({everyMs: undefined, maxBytes: 1_000});
  expect([sized.isBetween('1-0', '18446744073709551615-0'), sized.isOver(1e12), sized.isFull(1_000)]).toEqual([
    false,
    false,
    true,
  ]);
});
