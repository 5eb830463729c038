import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {ByteDescent} from '../../../src/lib/trimming/size-goal.js';

const NODE = 100;

/** A stream whose memory is freed node by node, as in Redis, and what lies beside its entries. */
function descend(
  sizes: readonly number[],
  maxBytes: number,
  besideBytes = 0,
): {left: number; bytes: number; steps: number} {
  let gone = 0;
  const bytes = (): number => {
    const first = Math.floor(gone / NODE) * NODE;
    return besideBytes + (gone === sizes.length ? 0 : sizes.slice(first).reduce((sum, size) => sum + size, 0));
  };
  const descent = new ByteDescent(maxBytes, sizes.at(-1) ?? 0);
  for (let steps = 0; ; steps++) {
    const step = descent.next({bytes: bytes(), length: sizes.length - gone});
    if (step === 0) return {left: sizes.length - gone, bytes: bytes(), steps};
    gone += step;
  }
}

describe('the way down to a size', () => {
  it('ends at the goal, in few steps, with little more gone than must', () => {
    const size = fc.integer({min: 20, max: 2_000});
    const goal = fc.double({min: 0.01, max: 0.99, noNaN: true});
    fc.assert(
      fc.property(fc.integer({min: 1, max: 20_000}), size, size, goal, (count, first, last, share) => {
        // From one size to another, steadily.
        const sizes = Array.from({length: count}, (_, index) => Math.round(first + ((last - first) * index) / count));
        const full = sizes.reduce((sum, bytes) => sum + bytes, 0);
        const maxBytes = full * share;
        const {bytes, steps} = descend(sizes, maxBytes);
        expect(bytes).toBeLessThanOrEqual(maxBytes);
        expect(steps).toBeLessThan(60);
        const excess = full - maxBytes;
        expect(maxBytes - bytes).toBeLessThan(excess * 0.6 + 4 * NODE * Math.max(first, last));
      }),
      {numRuns: 200},
    );
  });

  it('hits the goal closely where entries are of one size', () => {
    const {bytes} = descend(Array<number>(10_000).fill(100), 500_000);
    expect(bytes).toBeGreaterThan(500_000 - 3 * NODE * 100);
  });

  it('removes nothing when the goal is reached already', () => {
    expect(descend([10, 10], 20)).toMatchObject({left: 2, steps: 0});
    expect(descend([], 0, 500)).toMatchObject({left: 0, steps: 0});
  });

  it('gives up early where it is not the entries that take the memory', () => {
    const {left} = descend(Array<number>(10_000).fill(50), 100_000, 5_000_000);
    expect(left).toBeGreaterThan(9_000);
  });

  it.each([
    // Of what is too much, half goes at once, while that is more than a node.
    [480_000, 2_400],
    [10_100, 51],
    [10_000, 100],
    [150, 2],
  ])('of %d bytes too much, at 100 bytes an entry, removes %d entries', (excess, step) => {
    const descent = new ByteDescent(500_000, 100);
    descent.next({bytes: 500_000 + excess + 20_000, length: (500_000 + excess + 20_000) / 100});
    expect(descent.next({bytes: 500_000 + excess, length: (500_000 + excess) / 100})).toBe(step);
  });
});
