/**
 * Merges async generators into one, each value as soon as it is there. A
 * generator is asked for its next value only after its last one was taken.
 * When one fails or the caller stops, all of them are ended.
 */
import {Condition} from '../waiting.js';

export async function* merge<T>(generators: readonly AsyncGenerator<T, void, void>[]): AsyncGenerator<T, void, void> {
  const settled: {index: number; result: Promise<IteratorResult<T, void>>}[] = [];
  const oneIsSettled = new Condition();
  // Not Promise.race: a generator that waits for long would keep the values of all others in memory (nodejs/node#17469).
  const ask = (index: number): void => {
    const result = generators[index]!.next();
    const settle = (): void => {
      settled.push({index, result});
      oneIsSettled.notify();
    };
    result.then(settle, settle);
  };
  for (const index of generators.keys()) ask(index);
  try {
    for (let running = generators.length; running > 0; ) {
      if (settled.length === 0) await oneIsSettled.wait();
      const {index, result} = settled.shift()!;
      const {done, value} = await result;
      if (done) {
        running--;
        continue;
      }
      yield value;
      ask(index);
    }
  } finally {
    // Not awaited: one that is blocked in a read ends when its connection does.
    for (const generator of generators) void generator.return().catch(() => {});
  }
}
