/** A load generator: the same record again and again, at a given rate. Ends at once when asked to stop. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Field} from '../entry.js';
import type {InputItem} from './records.js';

export interface Repetition {
  /** How often; infinite is allowed. */
  count: number;
  /** Records a second; without it, as fast as they are taken. */
  ratePerSecond?: number;
  stopping: AbortSignal;
}

/** Pages are this long at most, so that a stop is noticed soon. */
const PAGE = 500;
const TICK_MS = 10;

/** `fields` as the lines 1 to `count`. A rate is kept over the whole run: what a slow server held back is made up for. */
export async function* repeat(
  fields: readonly Field[],
  {count, ratePerSecond, stopping}: Repetition,
): AsyncGenerator<InputItem[], void, void> {
  const startMs = performance.now();
  let made = 0;
  while (made < count && !stopping.aborted) {
    const due = ratePerSecond === undefined ? count : 1 + ((performance.now() - startMs) / 1_000) * ratePerSecond;
    const size = Math.min(PAGE, Math.floor(Math.min(due, count) - made));
    if (size > 0) {
      yield Array.from({length: size}, (_, index) => ({line: made + index + 1, fields}));
      made += size;
    } else {
      await sleep(TICK_MS, undefined, {signal: stopping}).catch(() => {});
    }
  }
}
