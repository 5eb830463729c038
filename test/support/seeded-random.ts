/** Randomness that can be had again: a test that fails names its seed. */
export interface SeededRandom {
  /** From 0 up to, but without, `limit`. */
  below(limit: number): number;
  /** True once in `times`, about. */
  oneIn(times: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** Mulberry32: small, and good enough to choose what a test does next. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {below, oneIn: (times) => below(times) === 0, pick: (items) => items[below(items.length)]!};
}
