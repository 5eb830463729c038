import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {MAX_BLOCK_MS, ReadBudget, type ReadBudgetOptions} from '../../../src/lib/consume/read-budget.js';

function pace(given: Partial<ReadBudgetOptions> = {}): ReadBudget {
  return new ReadBudget({
    limit: Number.POSITIVE_INFINITY,
    readers: 1,
    stopping: new AbortController().signal,
    ...given,
  });
}

/** Whether a promise is settled already, without waiting for it. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('permits', () => {
  it('are as many as asked for without a limit', async () => {
    const one = pace();
    expect(await one.take(100)).toBe(100);
    one.settle(100, 100);
    expect(await one.take(7)).toBe(7);
    expect(one.isDone).toBe(false);
  });

  it('are never more in all than records are wanted, whatever readers do', async () => {
    const reader = fc.array(
      fc.record({max: fc.integer({min: 1, max: 20}), share: fc.double({min: 0, max: 1, noNaN: true})}),
      {
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({min: 1, max: 50}),
        fc.array(reader, {minLength: 1, maxLength: 4}),
        async (limit, readers) => {
          const stop = new AbortController();
          const shared = pace({limit, readers: readers.length, stopping: stop.signal});
          let held = 0;
          let used = 0;
          await Promise.all(
            readers.map(async (turns, index) => {
              for (const {max, share} of turns) {
                const permits = await shared.take(max);
                held += permits;
                expect(permits).toBeLessThanOrEqual(max);
                expect(held + used).toBeLessThanOrEqual(limit);
                if (permits === 0) return;
                await Promise.resolve();
                const records = Math.floor(permits * share);
                held -= permits;
                used += records;
                shared.settle(permits, records);
              }
              // A real reader ends only when the pace is over; these are given up on.
              if (index === 0) stop.abort();
            }),
          );
          expect(used).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('come back when a read brought less, until all records are there', async () => {
    const one = pace({limit: 5});
    expect(await one.take(100)).toBe(5);
    one.settle(5, 2);
    expect(one.isDone).toBe(false);
    expect(await one.take(100)).toBe(3);
    one.settle(3, 3);
    expect(one.isDone).toBe(true);
    expect(await one.take(1)).toBe(0);
  });

  it('are shared, so that the reader of a quiet stream does not sit on all of them', async () => {
    const shared = pace({limit: 6, readers: 3});
    expect(await shared.take(100)).toBe(2);
    expect(await shared.take(100)).toBe(1);
  });

  it('go to those who wait, in turn, before the one that gave them back gets any', async () => {
    const shared = pace({limit: 1, readers: 3});
    expect(await shared.take(10)).toBe(1);
    const order: string[] = [];
    const second = shared.take(10).then((permits) => order.push(`second ${permits}`));
    const third = shared.take(10).then((permits) => order.push(`third ${permits}`));
    shared.settle(1, 0);
    const again = shared.take(10).then((permits) => order.push(`first again ${permits}`));
    await second;
    expect(order).toEqual(['second 1']);
    shared.settle(1, 0);
    await third;
    shared.settle(1, 1);
    await again;
    expect(order).toEqual(['second 1', 'third 1', 'first again 0']);
  });

  it('are none for those who wait when the last record is there', async () => {
    const shared = pace({limit: 1, readers: 2});
    await shared.take(1);
    const waiting = shared.take(1);
    expect(await isSettled(waiting)).toBe(false);
    shared.settle(1, 1);
    expect(await waiting).toBe(0);
  });

  it('are none after a signal, for those who wait too', async () => {
    const stop = new AbortController();
    const shared = pace({limit: 1, readers: 2, stopping: stop.signal});
    await shared.take(1);
    const waiting = shared.take(1);
    stop.abort();
    expect(await waiting).toBe(0);
    expect(shared.isDone).toBe(true);
    expect(await shared.take(1)).toBe(0);
  });
});

describe('a read', () => {
  it('may block as long as a closed output may stay unnoticed', () => {
    expect(pace().blockMs).toBe(MAX_BLOCK_MS);
    expect(pace({readers: 3}).blockMs).toBe(MAX_BLOCK_MS);
  });

  it('blocks for a short time only where readers share few permits', () => {
    expect(pace({readers: 2, limit: 5}).blockMs).toBeLessThan(MAX_BLOCK_MS);
    expect(pace({readers: 1, limit: 5}).blockMs).toBe(MAX_BLOCK_MS);
  });

  it('blocks no longer than the silence that is left, and at least a moment: 0 would be for ever', () => {
    const {blockMs} = pace({silenceMs: 300});
    expect(blockMs).toBeGreaterThan(0);
    expect(blockMs).toBeLessThanOrEqual(300);
    expect(pace({silenceMs: 0}).blockMs).toBe(1);
  });

  it('is not wanted any more when it has been silent for long enough', () => {
    expect(pace({silenceMs: 0}).isDone).toBe(true);
    expect(pace({silenceMs: 60_000}).isDone).toBe(false);
  });
});

describe('silence', () => {
  const longAgoMs = -60_000;

  it('is what reads waited for in vain, and no more than they asked to wait for', () => {
    const one = pace({silenceMs: 1_000});
    one.heardNothing('a', 400, longAgoMs);
    one.heardNothing('a', 400, longAgoMs);
    expect([one.isDone, one.blockMs]).toEqual([false, 200]);
    one.heardNothing('a', 200, longAgoMs);
    expect(one.isDone).toBe(true);
  });

  it('begins anew with each record, of whatever stream', async () => {
    const shared = pace({silenceMs: 1_000, readers: 2});
    shared.heardNothing('a', 900, longAgoMs);
    shared.settle(await shared.take(1), 1);
    shared.heardNothing('b', 900, longAgoMs);
    expect(shared.isDone).toBe(false);
  });

  it('of several streams at a time is not added up', () => {
    const shared = pace({silenceMs: 1_000, readers: 2});
    for (const stream of ['a', 'b']) shared.heardNothing(stream, 900, longAgoMs);
    expect(shared.isDone).toBe(false);
  });

  it('is none while something is worked on, and what was worked on during a read is no part of it', () => {
    const one = pace({silenceMs: 1_000});
    const rest = one.work();
    one.heardNothing('a', 5_000, longAgoMs);
    expect(one.isDone).toBe(false);
    rest();
    one.heardNothing('a', 5_000, longAgoMs);
    expect(one.isDone).toBe(false);
  });
});
