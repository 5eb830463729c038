/**
 * Writing to a pipe or socket as much as it takes at once, without a thread that
 * waits for the rest: for a fast reader, threads cost more than the work does.
 * pwritev2(2) with RWF_NOWAIT does that and leaves the flags of the descriptor
 * alone; it is there on Linux, and Bun can call it. Knows nothing of what is
 * written. Invariant: it never waits, and where it cannot tell or cannot write it
 * takes nothing, so that the usual write(2) tries, and says what is wrong.
 */
const LIBRARY = 'libc.so.6';
const RWF_NOWAIT = 0x08;
/** Where the descriptor stands, as with write(2). */
const CURRENT_OFFSET = -1;

/** Writes the beginning of `bytes` and says how much of it. */
export type WriteNow = (bytes: Uint8Array) => number;

/** For descriptor `fd`; undefined where the runtime or the system has no such call. */
export async function writerWithoutWaiting(fd: number): Promise<WriteNow | undefined> {
  if (process.versions.bun === undefined || process.platform !== 'linux') return undefined;
  try {
    const {dlopen, ptr} = await import('bun:ffi');
    const {pwritev2} = dlopen(LIBRARY, {
      pwritev2: {args: ['i32', 'ptr', 'i32', 'i64', 'i32'], returns: 'i32'},
    }).symbols;
    // struct iovec {void *base; size_t length}
    const iovec = new BigUint64Array(2);
    return (bytes) => {
      // There is no pointer to nothing.
      if (bytes.length === 0) return 0;
      iovec[0] = BigInt(ptr(bytes));
      iovec[1] = BigInt(bytes.length);
      return Math.max(0, pwritev2(fd, ptr(iovec), 1, CURRENT_OFFSET, RWF_NOWAIT));
    };
  } catch {
    return undefined;
  }
}
