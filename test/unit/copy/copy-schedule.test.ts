/** When entries are due, on a clock of its own. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Clock, CopySchedule, type ScheduleOptions} from '../../../src/lib/copy/copy-schedule.js';
import type {StreamRecord} from '../../../src/lib/records/entry.js';

const recordOf = (id: string): StreamRecord => ({stream: 's', id, fields: []});

/** When each entry went, after the start; `delaysMs` is how long each part takes to be copied. */
async function times(
  ids: readonly string[],
  options: Partial<ScheduleOptions>,
  delaysMs: readonly number[] = [],
): Promise<number[]> {
  let nowMs = 1_000;
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
  const schedule = new CopySchedule({speed: undefined, rate: undefined, maxGapMs: 10_000, ...options}, clock);
  const went: number[] = [];
  let parts = 0;
  for await (const part of schedule.partsOf(ids.map(recordOf), new AbortController().signal)) {
    for (const _ of part) went.push(nowMs - 1_000);
    if (part.length > 0) nowMs += delaysMs[parts++ % Math.max(1, delaysMs.length)] ?? 0;
  }
  return went;
}

describe('entries', () => {
  it('go as far apart as they were added', async () => {
    expect(await times(['5000-0', '5000-1', '5250-0', '7000-0'], {speed: 1})).toEqual([0, 0, 250, 2_000]);
    expect(await times(['5000-0', '5250-0', '7000-0'], {speed: 10})).toEqual([0, 25, 200]);
    expect(await times(['5000-0', '5250-0'], {speed: 0.5})).toEqual([0, 500]);
  });

  it('are not waited for longer than the longest gap', async () => {
    expect(await times(['0-1', '3600000-0', '3600100-0'], {speed: 1})).toEqual([0, 10_000, 10_100]);
    expect(await times(['0-1', '3600000-0', '3600100-0'], {speed: 1, maxGapMs: 50})).toEqual([0, 50, 100]);
  });

  it('go so many a second', async () => {
    expect(await times(['1-0', '1-1', '1-2', '1-3', '1-4'], {rate: 2})).toEqual([0, 500, 1_000, 1_500, 2_000]);
    expect(await times(['0-1', '1000-0', '1001-0'], {rate: 2, speed: 1})).toEqual([0, 1_000, 1_001]);
  });

  it('catch up after a delay, which moves none of the later ones', async () => {
    expect(await times(['0-1', '100-0', '200-0', '300-0', '1000-0'], {speed: 1}, [250, 0])).toEqual([
      0, 250, 250, 300, 1_000,
    ]);
  });

  it('never go before they are due, and at once when they are, whatever was slow', async () => {
    const gaps = fc.array(fc.integer({min: 0, max: 3_000}), {minLength: 1, maxLength: 40});
    const delays = fc.array(fc.integer({min: 0, max: 5_000}), {minLength: 1, maxLength: 10});
    await fc.assert(
      fc.asyncProperty(gaps, delays, fc.constantFrom(0.5, 1, 4), async (gapsMs, delaysMs, speed) => {
        let ms = 1;
        const ids = gapsMs.map((gap) => {
          ms += gap;
          return `${ms}-0`;
        });
        const first = 1 + gapsMs[0]!;
        const went = await times(ids, {speed, maxGapMs: 100_000}, delaysMs);
        expect(went).toHaveLength(ids.length);
        const due = ids.map((id) => (Number(id.split('-')[0]) - first) / speed);
        for (const [at, time] of went.entries()) expect(time).toBeGreaterThanOrEqual(due[at]! - 1e-6);
        const undisturbed = await times(ids, {speed, maxGapMs: 100_000});
        for (const [at, time] of undisturbed.entries()) expect(time).toBeCloseTo(due[at]!, 3);
      }),
    );
  });
});
