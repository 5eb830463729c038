/**
 * Descriptors 0, 1 and 2. They are shared with the rest of a script, so their flags are never
 * changed; `process.stdout`, `process.stderr` and `console` go through the two streams here.
 * Imported first, for that effect. Invariant: a descriptor is left as a C program leaves it, and
 * what was written is taken before the process ends, or the exit code says so.
 */
import {constants, fstatSync, openSync, readFileSync} from 'node:fs';
import {isatty, WriteStream} from 'node:tty';
import {StreamlogError} from '../errors.js';
import {FileInput, type StandardInput, WaitingInput} from '../input/standard-input.js';
import {DescriptorStream} from '../output/descriptor-stream.js';
import {failureOf} from '../output/sink.js';

const O_ACCMODE = 0o3;
const O_RDWR = 0o2;
const O_CLOEXEC = 0o2000000;
/** Of Linux: major 1, minor 3. */
const NULL_DEVICE = 0x103;

/** Standard output or standard error, with the properties that packages look for. */
class StandardStream extends DescriptorStream {
  readonly isTTY: boolean;
  /** It was closed at the start. */
  readonly isClosed: boolean;
  #writes = 0;
  #windowSize: [number, number] | undefined;
  #watchesWindow = false;

  constructor(fd: 1 | 2) {
    super(fd);
    this.isTTY = isatty(fd);
    this.isClosed = isClosed(fd);
  }

  get columns(): number | undefined {
    return this.isTTY ? this.getWindowSize()[0] : undefined;
  }

  /**
   * Columns and rows of the terminal. Both runtimes open it anew (uv_tty_init of libuv), which leaves our descriptor alone and
   * takes another one: so only at the first time and after the window has changed.
   */
  getWindowSize(): [number, number] {
    this.#windowSize ??= new WriteStream(this.fd).getWindowSize();
    if (!this.#watchesWindow) process.prependListener('SIGWINCH', () => (this.#windowSize = undefined));
    this.#watchesWindow = true;
    return this.#windowSize;
  }

  async #writeWithoutThreads(): Promise<void> {
    const {writerWithoutWaiting} = await import('./system-calls.js');
    this.writeNow = await writerWithoutWaiting(this.fd);
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.isClosed) {
      this.failure ??= Object.assign(new Error('closed'), {code: 'EBADF'});
      done(this.failure);
    } else {
      if (++this.#writes === FEW_WRITES && !this.isTTY && !this.takesAtOnce) void this.#writeWithoutThreads();
      super._write(chunk, encoding, done);
    }
  }
}

/** For fewer writes, loading bun:ffi costs more than it saves. */
const FEW_WRITES = 8;

export const standardOutput = new StandardStream(1);
export const standardError = new StandardStream(2);

const printTo =
  (stream: StandardStream) =>
  (...words: unknown[]) =>
    void stream.write(`${formatted(words)}\n`);
/** As console formats. Node before 20.16 has no such function, so words are joined. */
function formatted(words: readonly unknown[]): string {
  const util = process.getBuiltinModule?.('node:util');
  return util === undefined ? words.map(String).join(' ') : util.format(...words);
}

replaceStream('stdout', standardOutput);
replaceStream('stderr', standardError);
for (const name of ['log', 'info', 'debug'] as const) console[name] = printTo(standardOutput);
for (const name of ['warn', 'error', 'trace'] as const) console[name] = printTo(standardError);

/** In Bun, defining the property opens the stream that was there; in Node, it has a getter and cannot be assigned (https://nodejs.org/api/process.html#processstdout). */
function replaceStream(name: 'stdout' | 'stderr', stream: StandardStream): void {
  if (process.versions.bun !== undefined) Object.assign(process, {[name]: stream});
  else Object.defineProperty(process, name, {configurable: true, enumerable: true, get: () => stream});
}

/** Throws `io` if standard output is closed, before a command does its work. */
export function checkOutput(): void {
  if (standardOutput.isClosed) throw closedFailure('output');
}

/** Waits until both streams have taken all output. Returns the failure of one that could not; a reader that went away is none. */
export async function flushStandardStreams(): Promise<StreamlogError | undefined> {
  await Promise.all([standardOutput.flushed(), standardError.flushed()]);
  for (const {failure} of [standardOutput, standardError]) {
    const found = failure === undefined ? undefined : failureOf(failure);
    if (found instanceof StreamlogError) return found;
  }
  return undefined;
}

const closedFailure = (name: 'input' | 'output'): StreamlogError =>
  new StreamlogError('io', `standard ${name} is closed`, {
    code: 'EBADF',
    hint: name === 'input' ? 'for an empty input, give </dev/null' : 'to discard it, give >/dev/null',
  });

/** Standard input if it is a pipe or a file; undefined on a terminal. If it is closed, reading it throws `io`. */
export function standardInput(): StandardInput | undefined {
  if (isatty(0)) return undefined;
  if (isClosed(0)) return new WaitingInput(refuseClosed);
  const found = fstatSync(0);
  if (found.isFIFO() || found.isSocket()) return new WaitingInput(openWaiting);
  return new FileInput(0, found.isFile() ? offsetOf(0) : undefined);
}

/** Standard input that is a terminal: what a person types, line by line, up to Ctrl-D. */
export const terminalInput = (): StandardInput => new WaitingInput(() => process.stdin);

const refuseClosed = (): never => {
  throw closedFailure('input');
};

/**
 * What arrives in a pipe or socket, read without a thread, for whose end Node's exit would wait
 * (libuv/libuv#364). Bun's stream leaves the flags of the descriptor alone (oven-sh/bun#35477 would change that). Node's sets
 * O_NONBLOCK (nodejs/node#42826), so it gets a pipe that was opened anew, with flags of its own;
 * a socket cannot be opened anew. node:net is loaded for Node alone: it takes Bun 3 ms.
 */
async function* openWaiting(): AsyncGenerator<Buffer, void, void> {
  yield* process.versions.bun === undefined ? ((await openedAnew()) ?? process.stdin) : process.stdin;
}

async function openedAnew(): Promise<AsyncIterable<Buffer> | undefined> {
  const {Socket} = await import('node:net');
  try {
    const fd = openSync('/proc/self/fd/0', constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({fd, readable: true, writable: false});
  } catch {
    return undefined;
  }
}

/** Whether a person can read a question on standard error and answer it. */
export const canAsk = (): boolean => isatty(0) && standardError.isTTY;

/** The file offset of `fd`; undefined where the system does not say. */
function offsetOf(fd: number): number | undefined {
  const offset = Number(/^pos:\s*(\d+)$/m.exec(describedBySystem(fd))?.[1]);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** /proc/self/fdinfo of Linux for `fd`; empty elsewhere. */
function describedBySystem(fd: number): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Whether `fd` was closed at the start. Both runtimes then open /dev/null there, to read and to
 * write (PlatformInit in https://github.com/nodejs/node/blob/main/src/node.cc). Bun's has O_CLOEXEC, which no
 * inherited descriptor has. Node's looks like a /dev/null that a program passes on purpose: there
 * standard output counts as closed if standard error is something else.
 */
export function isClosed(fd: 0 | 1 | 2): boolean {
  const flags = flagsOfNull(fd);
  if (flags === undefined || (flags & O_ACCMODE) !== O_RDWR) return false;
  if (process.versions.bun !== undefined) return (flags & O_CLOEXEC) !== 0;
  return fd === 0 || (fd === 1 && flagsOfNull(2) === undefined);
}

/** The flags with which /dev/null was opened, if `fd` is that and the system says. */
function flagsOfNull(fd: number): number | undefined {
  const found = fstatSync(fd);
  if (!found.isCharacterDevice() || found.rdev !== NULL_DEVICE) return undefined;
  const flags = /^flags:\s*(\d+)$/m.exec(describedBySystem(fd))?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}
