/**
 * How long requests wait for Redis: all of them equally long, so that one timer
 * does for them all, and the one that waits longest is always the first.
 * Invariant: who is given up is told once, a twentieth of the time late at most.
 */

/** Someone who waits. */
export abstract class TimedRequest {
  /** Where he stands among those who wait, as Patience has it; undefined when he does not. */
  place: Place | undefined;

  /** It took too long. */
  abstract giveUp(): void;
}

/** A list through the waiters themselves: they leave from anywhere in it, and in such numbers that nothing else may be kept of them. */
interface Place {
  readonly untilMs: number;
  before: TimedRequest | undefined;
  behind: TimedRequest | undefined;
}

export class RequestTimeouts {
  readonly #limitMs: number;
  #first: TimedRequest | undefined;
  #last: TimedRequest | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** `waiter` is told when it takes too long, unless `end` comes first. */
  begin(waiter: TimedRequest): void {
    const before = this.#last;
    waiter.place = {untilMs: performance.now() + this.#limitMs, before, behind: undefined};
    if (before === undefined) this.#first = waiter;
    else before.place!.behind = waiter;
    this.#last = waiter;
    this.#timer ??= setInterval(() => this.#look(), this.#limitMs / 20);
  }

  /** Does nothing for one who does not wait any more. */
  end(waiter: TimedRequest): void {
    const {place} = waiter;
    if (place === undefined) return;
    waiter.place = undefined;
    const {before, behind} = place;
    if (before === undefined) this.#first = behind;
    else before.place!.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.place!.before = before;
  }

  #look(): void {
    const nowMs = performance.now();
    for (let waiter = this.#first; waiter !== undefined; waiter = this.#first) {
      if (waiter.place!.untilMs > nowMs) return;
      this.end(waiter);
      waiter.giveUp();
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
