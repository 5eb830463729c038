import {describe, expect, it} from 'vitest';
import {HeldBatches} from '../../../src/lib/produce/held-batches.js';
import type {SentBatch} from '../../../src/lib/produce/in-flight-window.js';
import {IdempotentBatch} from '../../../src/lib/redis/idempotent-batch.js';
import {Told} from '../redis/batches.js';
import {progress} from './progress.js';

/** Ten records from `first` on, in 100 bytes. */
const sent = (first: number): SentBatch => ({
  batch: new IdempotentBatch(
    {bytes: [Buffer.alloc(100)], first, records: 10, atomic: false, byteLength: 100},
    new Told().context,
  ),
  end: progress(first + 9),
});

function held(limits: {ms: number; bytes: number}, ...firsts: number[]): HeldBatches {
  const batches = new HeldBatches(limits);
  for (const first of firsts) batches.push(sent(first));
  return batches;
}

const firstsAfter = (batches: HeldBatches, lastSequence: number): (number | undefined)[] | undefined =>
  batches.takeAfter(lastSequence)?.map(({batch}) => batch.numbers?.first);

describe('batches that are held', () => {
  it('come back from the one on that a server lacks a part of', () => {
    expect(firstsAfter(held({ms: 60_000, bytes: 1_000}, 1, 11, 21), 9)).toEqual([1, 11, 21]);
    expect(firstsAfter(held({ms: 60_000, bytes: 1_000}, 1, 11, 21), 10)).toEqual([11, 21]);
    expect(firstsAfter(held({ms: 60_000, bytes: 1_000}, 1, 11, 21), 29)).toEqual([21]);
  });

  it('are none when a server lacks more than is held, by one record too', () => {
    const batches = held({ms: 60_000, bytes: 1_000}, 11, 21);
    expect(firstsAfter(batches, 9)).toBeUndefined();
    expect(firstsAfter(batches, 10)).toEqual([11, 21]);
    expect(firstsAfter(batches, 10)).toBeUndefined();
    expect(batches.confirmed).toBe(30);
  });

  it('are as many as there is room for, and none without time', () => {
    expect(firstsAfter(held({ms: 60_000, bytes: 200}, 1, 11, 21), 10)).toEqual([11, 21]);
    expect(firstsAfter(held({ms: 60_000, bytes: 199}, 1, 11, 21), 10)).toBeUndefined();
    expect(firstsAfter(held({ms: 0, bytes: 1_000}, 1), 0)).toBeUndefined();
  });

  it('give their room back when they are taken', () => {
    const batches = held({ms: 60_000, bytes: 200}, 1, 11);
    for (const again of batches.takeAfter(0)!) batches.push(again);
    expect(firstsAfter(batches, 0)).toEqual([1, 11]);
  });
});
