/**
 * Drives a decompressor of node:zlib with backpressure. Invariant: all that can be
 * decompressed comes out before a failure does, of the data or of its source; what
 * is held in memory does not depend on how much the data grows.
 */
import type {Buffer} from 'node:buffer';
import type {Transform} from 'node:stream';

/** What `stream` makes of the chunks that `next` gives, until it ends by itself or `next` gives undefined. Throws what either throws. */
export async function* decompressed(
  stream: Transform,
  next: () => Promise<Buffer | undefined>,
): AsyncGenerator<Buffer, void, void> {
  let [isEnded, isBusy] = [false, false];
  let failure: Error | undefined;
  let wake = (): void => {};
  const noted = (note: () => void) => (): void => {
    note();
    wake();
  };
  stream.on('readable', () => wake());
  stream.on(
    'end',
    noted(() => (isEnded = true)),
  );
  stream.on('error', (error) => noted(() => (failure = error))());
  try {
    for (;;) {
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) yield chunk;
      else if (failure !== undefined) throw failure;
      else if (isEnded) return;
      else if (isBusy) await new Promise<void>((resolve) => (wake = resolve));
      else {
        const input = await next();
        isBusy = true;
        if (input === undefined) stream.end();
        else
          stream.write(
            input,
            noted(() => (isBusy = false)),
          );
      }
    }
  } finally {
    stream.destroy();
  }
}
