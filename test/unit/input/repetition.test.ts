import {describe, expect, it} from 'vitest';
import {repeat} from '../../../src/lib/input/repetition.js';
import type {Field} from '../../../src/lib/records/entry.js';
import {itemsOf} from './chunks.js';

const fields: Field[] = [['type', 'ping']];
const never = new AbortController().signal;

describe('a repeated record', () => {
  it('comes exactly as often as wanted, numbered like lines', async () => {
    for (const count of [1, 499, 500, 501, 1_234]) {
      const lines: number[] = [];
      for await (const page of repeat(fields, {count, stopping: never})) {
        const items = itemsOf(page);
        expect(items.length).toBeLessThanOrEqual(500);
        for (const item of items) {
          expect(item).toMatchObject({fields});
          lines.push(item.line);
        }
      }
      expect(lines).toEqual(Array.from({length: count}, (_, index) => index + 1));
    }
  });

  it('comes no faster than its rate, and begins at once', async () => {
    const startMs = performance.now();
    let made = 0;
    for await (const page of repeat(fields, {count: 30, ratePerSecond: 200, stopping: never})) {
      made += itemsOf(page).length;
      expect(made).toBeLessThanOrEqual(1 + ((performance.now() - startMs) / 1_000) * 200);
    }
    expect(made).toBe(30);
  });

  it('ends when it is asked to stop, in the middle of a wait too', async () => {
    const stop = new AbortController();
    const pages = repeat(fields, {count: Number.POSITIVE_INFINITY, ratePerSecond: 0.001, stopping: stop.signal});
    expect(itemsOf((await pages.next()).value!)).toHaveLength(1);
    const next = pages.next();
    stop.abort();
    expect((await next).done).toBe(true);
    const stopped = repeat(fields, {count: 5, stopping: stop.signal});
    expect((await stopped.next()).done).toBe(true);
  });
});
