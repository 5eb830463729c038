/**
 * Chance that can be repeated: every random choice of a fault test comes from
 * here, from a seed that is printed and that STREAMLOG_SEED gives back. Knows
 * no fault. Invariant: the same seed and name draw the same numbers, whatever other tests drew.
 */
import {randomInt} from 'node:crypto';

const MAX_SEED = 2 ** 32 - 1;

/** Draws in turn; of good quality for tests, and for nothing else. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed;
  }

  /** At least 0, less than 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `items`. Throws when there is none. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('nothing to pick from');
    return items[this.integer(0, items.length - 1)]!;
  }
}

/** The random choices of the test called `name`. Prints the seed, which STREAMLOG_SEED sets. */
export function seededRandom(name: string): SeededRandom {
  const seed = seedFromEnvironment() ?? randomInt(MAX_SEED);
  process.stderr.write(`${name}: seed ${seed}, to be repeated with STREAMLOG_SEED=${seed}\n`);
  return new SeededRandom((seed ^ hashOf(name)) >>> 0);
}

/** When to kill: `delayMs` after so many things (entries handled, requests seen …) were done. */
export interface KillPoint {
  afterDone: number;
  delayMs: number;
}

/**
 * `kills` points in the course of `things` things, in the order they come, each
 * after another thing. The delay moves a kill from the border between two
 * things into their midst.
 */
export function killPoints(
  random: SeededRandom,
  {kills, things, maxDelayMs}: {kills: number; things: number; maxDelayMs: number},
): KillPoint[] {
  if (kills > things) throw new Error(`${kills} kills do not fit into ${things} things`);
  const after = new Set<number>();
  while (after.size < kills) after.add(random.integer(1, things));
  return [...after].sort((a, b) => a - b).map((afterDone) => ({afterDone, delayMs: random.integer(0, maxDelayMs)}));
}

function seedFromEnvironment(): number | undefined {
  const text = process.env.STREAMLOG_SEED;
  if (text === undefined || text === '') return undefined;
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) throw new Error(`STREAMLOG_SEED=${text} is no seed`);
  return seed;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
