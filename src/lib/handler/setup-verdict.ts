/**
 * Whether the set-up or the entry is to blame when a handler's shell ends with 126
 * or 127. A wrong path fails for every entry; an argument that is too long fails
 * for one. Invariant: the entry is blamed only when the handler ran for another
 * one that started later, or when there is no other to try and the entry is larger
 * than an argument may be; else the set-up is.
 */

/** `undecided`: the work ended before. */
export type SetupVerdict = 'setup' | 'entry' | 'undecided';

/** When the handler cannot be run for this many entries in a row, it cannot be run at all. */
const MOST_IN_A_ROW = 5;
/** How long to wait for other entries that may show that it runs. */
const WAIT_MS = 1_000;

interface Waiting {
  /** The last attempt that had started then. */
  lastStart: number;
  isTooLarge: boolean;
  isOverdue: boolean;
  timer: NodeJS.Timeout;
  settle: (verdict: SetupVerdict) => void;
}

export interface SetupFacts {
  /** Whether an attempt is running, or an entry that was read is about to start one. */
  isBusy: () => boolean;
  /** Whether more entries may come. */
  mayComeMore: () => boolean;
}

export class SetupVerdicts {
  readonly #facts: SetupFacts;
  readonly #waiting = new Set<Waiting>();
  #starts = 0;

  constructor(facts: SetupFacts) {
    this.#facts = facts;
  }

  /** The number of an attempt that starts now, for `ran`. */
  start(): number {
    return ++this.#starts;
  }

  /** The attempt of this number could be run, however it ended. */
  ran(start: number): void {
    for (const one of this.#waiting) if (one.lastStart < start) one.settle('entry');
  }

  /**
   * The verdict on an entry that the handler could not be run for, as soon as there is one. `isTooLarge`: it is larger
   * than an argument may be.
   */
  couldNotRun(isTooLarge: boolean, ending: AbortSignal): Promise<SetupVerdict> {
    return new Promise((resolve) => {
      const onEnding = (): void => waiting.settle('undecided');
      const waiting: Waiting = {
        lastStart: this.#starts,
        isTooLarge,
        isOverdue: false,
        timer: setTimeout(() => {
          waiting.isOverdue = true;
          this.review();
        }, WAIT_MS),
        settle: (verdict) => {
          clearTimeout(waiting.timer);
          ending.removeEventListener('abort', onEnding);
          this.#waiting.delete(waiting);
          resolve(verdict);
        },
      };
      this.#waiting.add(waiting);
      if (ending.aborted) onEnding();
      else ending.addEventListener('abort', onEnding);
      if (this.#waiting.size >= MOST_IN_A_ROW) for (const one of this.#waiting) one.settle('setup');
      this.review();
    });
  }

  /** Decides without a proof where none will come. Must be called when `SetupFacts` change. */
  review(): void {
    if (this.#waiting.size === 0 || this.#facts.isBusy()) return;
    const mayComeMore = this.#facts.mayComeMore();
    for (const one of this.#waiting) {
      if (one.isOverdue || !mayComeMore) one.settle(one.isTooLarge ? 'entry' : 'setup');
    }
  }
}
