/**
 * Limits how many entries a second are worked on: a token bucket that holds a tenth of a second's tokens, so that time lost to a
 * slow server is not made up for by a burst.
 */
import {setTimeout as sleep} from 'node:timers/promises';

const BURST_S = 0.1;
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Throttle {
  readonly #perSecond: number;
  #tokens = 1;
  #filledMs = performance.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** At least one token and at most `max`, as soon as there is one; 0 when `stopping` comes first. */
  async take(max: number, stopping: AbortSignal): Promise<number> {
    for (this.#fill(); this.#tokens < 1 && !stopping.aborted; this.#fill()) {
      const waitMs = Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000);
      await sleep(Math.min(waitMs, MAX_TIMER_MS), undefined, {signal: stopping}).catch(() => {});
    }
    if (stopping.aborted) return 0;
    const taken = Math.min(max, Math.floor(this.#tokens));
    this.#tokens -= taken;
    return taken;
  }

  /** Resolves when `count` tokens were taken, or `stopping` has come. */
  async takeAll(count: number, stopping: AbortSignal): Promise<void> {
    for (let left = count; left > 0 && !stopping.aborted; ) left -= await this.take(left, stopping);
  }

  #fill(): void {
    const nowMs = performance.now();
    const filled = this.#tokens + ((nowMs - this.#filledMs) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(filled, Math.max(1, this.#perSecond * BURST_S));
    this.#filledMs = nowMs;
  }
}
