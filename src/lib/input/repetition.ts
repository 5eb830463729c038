/** The record of the arguments, as often and at the rate that is asked for. It cannot be resumed. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Field} from '../records/entry.js';
import type {GoodLine, InputPage} from './input-item.js';

export interface RepeatedRecord {
  /** How often; infinite is allowed. */
  count: number;
  /** Records a second; without it, as fast as they are taken. */
  ratePerSecond?: number;
  stopping: AbortSignal;
}

/** Pages are this long at most, so that a stop is noticed soon. */
const PAGE = 500;
const TICK_MS = 10;

/** `fields` as the lines 1 to `count`. A rate is kept over the whole run: it catches up after a slow server. */
export async function* repeat(
  fields: readonly Field[],
  {count, ratePerSecond, stopping}: RepeatedRecord,
): AsyncGenerator<InputPage, void, void> {
  const startMs = performance.now();
  let made = 0;
  while (made < count && !stopping.aborted) {
    const due = ratePerSecond === undefined ? count : 1 + ((performance.now() - startMs) / 1_000) * ratePerSecond;
    const size = Math.min(PAGE, Math.floor(Math.min(due, count) - made));
    if (size > 0) {
      yield new RepetitionPage(fields, made, size);
      made += size;
    } else {
      await sleep(TICK_MS, undefined, {signal: stopping}).catch(() => {});
    }
  }
}

class RepetitionPage implements InputPage {
  readonly #fields: readonly Field[];
  readonly #lastLine: number;
  #line: number;

  constructor(fields: readonly Field[], line: number, count: number) {
    this.#fields = fields;
    this.#line = line;
    this.#lastLine = line + count;
  }

  next(): GoodLine | undefined {
    return this.#line === this.#lastLine ? undefined : {line: ++this.#line, fields: this.#fields};
  }
}
