/**
 * So many a second, and no more: a bucket of permits that fills at a constant
 * rate and holds a tenth of a second of them, so that time lost to a slow server
 * is not made up for by a burst.
 */
import {setTimeout as sleep} from 'node:timers/promises';

const BURST_S = 0.1;

export class Throttle {
  readonly #perSecond: number;
  #permits = 1;
  #filledMs = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** At least one permit and at most `max`, as soon as there is one; 0 when `stopping` comes first. */
  async take(max: number, stopping: AbortSignal): Promise<number> {
    for (this.#fill(); this.#permits < 1 && !stopping.aborted; this.#fill()) {
      const waitMs = Math.ceil(((1 - this.#permits) / this.#perSecond) * 1_000);
      await sleep(Math.min(waitMs, MAX_TIMER_MS), undefined, {signal: stopping}).catch(() => {});
    }
    if (stopping.aborted) return 0;
    const taken = Math.min(max, Math.floor(this.#permits));
    this.#permits -= taken;
    return taken;
  }

  #fill(): void {
    const nowMs = performance.now();
    const filled = this.#permits + ((nowMs - this.#filledMs) / 1_000) * this.#perSecond;
    this.#permits = Math.min(filled, Math.max(1, this.#perSecond * BURST_S));
    this.#filledMs = nowMs;
  }
}

const MAX_TIMER_MS = 2 ** 31 - 1;
