/**
 * Several async generators → one, each value as soon as it is there. A
 * generator is asked for its next value only after its last one was taken, so
 * what one of them waits for is never run ahead of. When one fails or the
 * caller stops, all of them are ended.
 */
export async function* merge<T>(generators: readonly AsyncGenerator<T, void, void>[]): AsyncGenerator<T, void, void> {
  type Step = {index: number; result: IteratorResult<T, void>};
  const waiting = new Map<number, Promise<Step>>();
  const ask = (index: number): void => {
    const step = generators[index]!.next().then((result) => ({index, result}));
    step.catch(() => {});
    waiting.set(index, step);
  };
  for (const index of generators.keys()) ask(index);
  try {
    while (waiting.size > 0) {
      const {index, result} = await Promise.race(waiting.values());
      waiting.delete(index);
      if (result.done) continue;
      yield result.value;
      ask(index);
    }
  } finally {
    // Not awaited: one that is blocked in a read ends when its connection does.
    for (const generator of generators) void generator.return().catch(() => {});
  }
}
