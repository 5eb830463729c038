/**
 * Whether it is the set-up or the entry, when the shell of a handler ends with
 * 126 or 127: it could not run a program. A wrong path is the same for every
 * entry; an entry that makes an argument longer than the system takes is the
 * only one. What tells is whether the same command runs for others afterwards.
 * Invariant: an attempt is counted against an entry only when the handler was
 * seen to run for another one that started later, or when nothing else was there
 * to try and the entry is larger than any argument may be. In all other cases it is the set-up.
 */

/** The set-up is at fault · only this entry is · the work ended before that could be seen. */
export type SetupVerdict = 'setup' | 'entry' | 'undecided';

/** So many entries in a row that the handler could not be run for show that it cannot be run at all. */
const MOST_IN_A_ROW = 5;
/** How long other entries are waited for that could show that it runs. */
const WAIT_MS = 1_000;

interface Waiting {
  /** What starts later shows that the handler can be run. */
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

  /** The attempt of this number has run, however it ended. */
  ran(start: number): void {
    for (const one of this.#waiting) if (one.lastStart < start) one.settle('entry');
  }

  /**
   * Of an entry that the handler could not be run for, as soon as that can be
   * said. `isTooLarge` where it is larger than an argument may be.
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

  /** Decides without a proof where none will come; to be called when what `SetupFacts` tell has changed. */
  review(): void {
    if (this.#waiting.size === 0 || this.#facts.isBusy()) return;
    const mayComeMore = this.#facts.mayComeMore();
    for (const one of this.#waiting) {
      if (one.isOverdue || !mayComeMore) one.settle(one.isTooLarge ? 'entry' : 'setup');
    }
  }
}
