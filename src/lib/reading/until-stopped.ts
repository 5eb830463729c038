/**
 * Ending what only reads at the first signal, wherever it is: what was handed
 * over is finished by the caller that has it, and a read under way is freed by closing
 * its connection, since a Redis that hangs would not free it.
 */
import {isFailure} from '../errors.js';

/** The same values until `stopping` is aborted, which closes `client`. */
export async function* untilStopped<T>(
  values: AsyncIterable<T>,
  client: {close(): void},
  stopping: AbortSignal,
): AsyncGenerator<T, void, void> {
  const close = (): void => client.close();
  stopping.addEventListener('abort', close, {once: true});
  try {
    for await (const value of values) {
      if (stopping.aborted) return;
      yield value;
    }
  } catch (error) {
    if (!stopping.aborted || !isFailure(error, 'unreachable')) throw error;
  } finally {
    stopping.removeEventListener('abort', close);
  }
}
