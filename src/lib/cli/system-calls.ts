/**
 * System calls that neither runtime has a function for, through bun:ffi
 * (https://bun.sh/docs/api/ffi). Invariant: none of them waits; where a call is not
 * available, as outside of Bun, its caller goes on as programs do that do not have it.
 */
import {isatty} from 'node:tty';

const LIBRARIES: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: ['libc.so.6', 'libc.so'],
  darwin: ['libSystem.B.dylib'],
};
/** POLLERR | POLLHUP | POLLNVAL, the same on Linux and macOS. */
const GONE = 0x08 | 0x10 | 0x20;
const RWF_NOWAIT = 0x08;
/** The file position, as with write(2). */
const CURRENT_OFFSET = -1;

/**
 * Whether the reader of `fd` is gone, by poll(2): a pipe tells its writer only at the next
 * write, so `consume | head -5` on a quiet stream would otherwise wait for one more entry.
 * Where that cannot be known, the answer is always false.
 */
export async function readerProbe(fd = 1): Promise<() => boolean> {
  if (process.versions.bun === undefined || isatty(fd)) return () => false;
  const {dlopen, ptr} = await import('bun:ffi');
  for (const library of LIBRARIES[process.platform] ?? []) {
    try {
      const {poll} = dlopen(library, {poll: {args: ['ptr', 'u64', 'i32'], returns: 'i32'}}).symbols;
      // struct pollfd {int fd; short events; short revents}
      const pollfd = new Int16Array(4);
      new Int32Array(pollfd.buffer, 0, 1)[0] = fd;
      return () => poll(ptr(pollfd), 1, 0) > 0 && (pollfd[3]! & GONE) !== 0;
    } catch {
      // The next name may be the one of this system.
    }
  }
  return () => false;
}

/** Writes the beginning of `bytes`, as much as the descriptor takes at once, and says how much that was. */
export type WriteNow = (bytes: Uint8Array) => number;

/**
 * A writer for a pipe or socket, by pwritev2(2) with RWF_NOWAIT, which leaves the flags of the
 * descriptor alone: for a fast reader, a thread per write costs more than the work itself. It takes
 * nothing where it cannot write, so that write(2) tries and says what is wrong. Undefined where
 * there is no such call, which is so everywhere but on Linux.
 */
export async function writerWithoutWaiting(fd: number): Promise<WriteNow | undefined> {
  if (process.versions.bun === undefined || process.platform !== 'linux') return undefined;
  try {
    const {dlopen, ptr} = await import('bun:ffi');
    const {pwritev2} = dlopen('libc.so.6', {
      pwritev2: {args: ['i32', 'ptr', 'i32', 'i64', 'i32'], returns: 'i32'},
    }).symbols;
    // struct iovec {void *base; size_t length}
    const iovec = new BigUint64Array(2);
    return (bytes) => {
      // ptr() refuses an empty array.
      if (bytes.length === 0) return 0;
      iovec[0] = BigInt(ptr(bytes));
      iovec[1] = BigInt(bytes.length);
      return Math.max(0, pwritev2(fd, ptr(iovec), 1, CURRENT_OFFSET, RWF_NOWAIT));
    };
  } catch {
    return undefined;
  }
}
