import {expect, it} from 'vitest';
import {PageSize} from '../../../src/lib/reading/page-size.js';
import type {Entry} from '../../../src/lib/records/entry.js';

const MEGABYTE = 1024 * 1024;
const page = (count: number, bytes: number): Entry[] =>
  Array.from({length: count}, () => ({id: '1-0', fields: [['f', Buffer.alloc(bytes - 1)]]}));

/** The sizes of the pages of a stream whose entries have `bytes` each. */
function sizes(bytes: number, pages: number, max = 1_000): number[] {
  const size = new PageSize(max);
  return Array.from({length: pages}, () => {
    const {count} = size;
    size.adapt(page(count, bytes));
    return count;
  });
}

it('grows to its most where entries are small', () => {
  expect(sizes(100, 6)).toEqual([16, 64, 256, 1_000, 1_000, 1_000]);
});

it('holds about four megabytes where they are large, and one entry where they are larger', () => {
  expect(sizes(MEGABYTE, 4)).toEqual([16, 4, 4, 4]);
  expect(sizes(64 * MEGABYTE, 3, 2)).toEqual([2, 1, 1]);
});

it('grows again behind large ones', () => {
  const size = new PageSize(1_000);
  size.adapt(page(16, MEGABYTE));
  size.adapt(page(4, 100));

  expect(size.count).toBe(16);
});

it('is never more than was asked for, and learns nothing from an empty page', () => {
  const size = new PageSize(10);
  expect(size.count).toBe(10);
  size.adapt([]);
  expect(size.count).toBe(10);
});
