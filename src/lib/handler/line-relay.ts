/**
 * Passes on what a process prints, a line at a time, so that the lines of
 * processes that run side by side never mix. Keeps at most one unfinished line;
 * one that grows beyond the limit is passed on in pieces, since memory is worth
 * more than its looks. Invariant: a chunk is asked for only after the last one
 * was taken, so a slow reader of ours slows the process down.
 */
const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Resolves when all of `source` was taken by `write`. A last line without
 * newline gets one, also when `source` is destroyed after `enough`. Throws as
 * `write` does.
 */
export async function relayLines(
  source: AsyncIterable<Buffer>,
  write: (lines: Buffer) => Promise<void>,
  enough?: AbortSignal,
): Promise<void> {
  let unfinished: Buffer[] = [];
  let unfinishedBytes = 0;
  for await (const chunk of untilDestroyed(source, enough)) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && unfinishedBytes + chunk.length <= MAX_LINE_BYTES) {
      unfinished.push(chunk);
      unfinishedBytes += chunk.length;
      continue;
    }
    const until = end === 0 ? chunk.length : end;
    await write(Buffer.concat([...unfinished, chunk.subarray(0, until)]));
    unfinished = until < chunk.length ? [chunk.subarray(until)] : [];
    unfinishedBytes = chunk.length - until;
  }
  if (unfinishedBytes > 0) await write(Buffer.concat([...unfinished, Buffer.of(NEWLINE)]));
}

async function* untilDestroyed(
  source: AsyncIterable<Buffer>,
  enough: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, void> {
  try {
    yield* source;
  } catch (error) {
    if (enough?.aborted !== true) throw error;
  }
}
