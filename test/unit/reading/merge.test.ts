import {setImmediate as nextTurn} from 'node:timers/promises';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {describe, expect, it} from 'vitest';
import {merge} from '../../../src/lib/reading/merge.js';

/** A generator that gives what it is told to, when it is told to. */
class Tap<T> {
  asked = 0;
  ended = false;
  readonly #values: T[] = [];
  #wake = (): void => {};
  #failure: Error | undefined;

  give(...values: T[]): void {
    this.#values.push(...values);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async *flow(): AsyncGenerator<T, void, void> {
    try {
      for (;;) {
        this.asked++;
        while (this.#values.length === 0) {
          if (this.#failure !== undefined) throw this.#failure;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        yield this.#values.shift()!;
      }
    } finally {
      this.ended = true;
    }
  }
}

async function* of<T>(...values: T[]): AsyncGenerator<T, void, void> {
  yield* values;
}

async function toArray<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('merging', () => {
  it('gives every value of every generator once, each generator in its order', async () => {
    const found = await toArray(merge([of('a1', 'a2', 'a3'), of<string>(), of('b1', 'b2')]));
    expect(found.filter((value) => value.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(found.filter((value) => value.startsWith('b'))).toEqual(['b1', 'b2']);
    expect(found).toHaveLength(5);
    expect(await toArray(merge([]))).toEqual([]);
  });

  it('gives a value as soon as it is there, while others still wait', async () => {
    const quiet = new Tap<string>();
    const busy = new Tap<string>();
    const merged = merge([quiet.flow(), busy.flow()]);
    for (const value of ['1', '2', '3']) {
      const next = merged.next();
      busy.give(value);
      expect((await next).value).toBe(value);
    }
    const next = merged.next();
    quiet.give('at last');
    expect((await next).value).toBe('at last');
  });

  it('lets no generator starve behind a busy one', async () => {
    const a = new Tap<string>();
    const b = new Tap<string>();
    a.give(...Array<string>(100).fill('a'));
    b.give(...Array<string>(100).fill('b'));
    const merged = merge([a.flow(), b.flow()]);
    const first: unknown[] = [];
    for (let index = 0; index < 20; index++) first.push((await merged.next()).value);
    expect(first.filter((value) => value === 'a')).toHaveLength(10);
  });

  it('asks a generator for more only when its last value was dealt with', async () => {
    const interceptor = new Tap<number>();
    interceptor.give(1, 2, 3);
    const merged = merge([interceptor.flow()]);
    await merged.next();
    await nextTurn();
    expect(interceptor.asked).toBe(1);
    await merged.next();
    await nextTurn();
    expect(interceptor.asked).toBe(2);
  });

  it('passes a failure on and ends the others', async () => {
    const failing = new Tap<string>();
    const other = new Tap<string>();
    const merged = merge([failing.flow(), other.flow()]);
    const next = merged.next();
    other.give('x');
    await next;
    const last = merged.next();
    failing.fail(new Error('lost'));
    await expect(last).rejects.toThrow('lost');
    // It waits for a value; with the next one it learns that nobody wants more.
    other.give('y');
    await nextTurn();
    expect(other.ended).toBe(true);
  });

  it('ends all of them when the caller stops', async () => {
    const taps = [new Tap<string>(), new Tap<string>()];
    for (const tap of taps) tap.give('x', 'y');
    for await (const _ of merge(taps.map((tap) => tap.flow()))) break;
    await nextTurn();
    expect(taps.map(({ended}) => ended)).toEqual([true, true]);
  });

  it('does not keep what a busy generator gave while another one is silent', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    async function* busy(): AsyncGenerator<object, void, void> {
      for (;;) yield {};
    }
    const merged = merge([busy(), new Tap<object>().flow()]);
    const given: WeakRef<object>[] = [];
    for (let index = 0; index < 50; index++) given.push(new WeakRef((await merged.next()).value as object));
    await nextTurn();
    collect();
    expect(given.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(5);
  });
});
