/**
 * The way down to a goal in bytes. Redis trims by count and tells the memory
 * only afterwards, and the oldest entries may be larger or smaller than the
 * others; so the way is gone in steps, each from what the last ones freed. Knows
 * numbers only. Invariant: a step is expected to free at most half of what is
 * too much, except for the last few entries, so that little more goes than must.
 */
export interface StreamSize {
  bytes: number;
  /** Entries. */
  length: number;
}

/** Redis frees entries by nodes of about this many. */
const NODE = 100;
/** The first step is a guess, so it is a small one. */
const FIRST_STEP = 2 * NODE;

export class ByteDescent {
  readonly #maxBytes: number;
  readonly #newestEntryBytes: number;
  /** The size when it last became smaller. */
  #lastSequence: StreamSize | undefined;
  /** What the last entries took that went; undefined until some memory was freed. */
  #bytesPerEntry: number | undefined;
  #step = 0;

  /** `newestEntryBytes` is about what one of the newest entries takes. */
  constructor(maxBytes: number, newestEntryBytes: number) {
    this.#maxBytes = maxBytes;
    this.#newestEntryBytes = newestEntryBytes;
  }

  /** How many entries to remove now; 0 when the goal is reached, or clearly cannot be by removing entries. */
  next(now: StreamSize): number {
    const excess = now.bytes - this.#maxBytes;
    if (excess <= 0 || now.length === 0) return 0;
    const freed = this.#learn(now);
    const bytesPerEntry = this.#bytesPerEntry;
    if (bytesPerEntry === undefined)
      return this.#go(now, Math.max(this.#step * 2, Math.min(FIRST_STEP, share(excess, now))));
    // What a group has pending, and the group itself, take memory that no trim frees.
    const entryBytes = Math.max(bytesPerEntry, this.#newestEntryBytes);
    if (entryBytes * (now.length + NODE) * 2 < excess) return 0;
    if (!freed) return this.#go(now, this.#step * 2);
    const wanted = Math.min(excess / bytesPerEntry, share(excess, now));
    return this.#go(now, wanted <= NODE ? wanted : wanted / 2);
  }

  /** True when memory was freed since the last look. */
  #learn(now: StreamSize): boolean {
    const lastSequence = this.#lastSequence;
    if (lastSequence !== undefined && now.bytes >= lastSequence.bytes) return false;
    if (lastSequence !== undefined)
      this.#bytesPerEntry = (lastSequence.bytes - now.bytes) / (lastSequence.length - now.length);
    this.#lastSequence = now;
    return true;
  }

  #go({length}: StreamSize, step: number): number {
    this.#step = Math.min(length, Math.max(1, Math.ceil(step)));
    return this.#step;
  }
}

/** Entries to remove if all were of one size. */
const share = (excess: number, {bytes, length}: StreamSize): number => (length * excess) / bytes;
