/**
 * Whether anybody still reads our standard output. A pipe tells its writer only
 * at the next write, so `consume | head -5` on a quiet stream would wait for an
 * entry that nobody will see. poll(2) knows at once, and Bun can call it; under
 * Node we learn it at the next write, as most programs do.
 */
import {isatty} from 'node:tty';

const LIBRARIES: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: ['libc.so.6', 'libc.so'],
  darwin: ['libSystem.B.dylib'],
};
/** POLLERR | POLLHUP | POLLNVAL, the same on Linux and macOS. */
const GONE = 0x08 | 0x10 | 0x20;

/** A function that looks, without waiting; one that always says no where looking is impossible. */
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
      // The next name may be this system's; without any, the next write will tell.
    }
  }
  return () => false;
}
