/**
 * Descriptors 0, 1 and 2: the only place that knows them. They are shared with
 * the rest of the script that we run in, so nothing here changes their flags,
 * and nobody else opens them: what packages find as `process.stdout` and
 * `process.stderr`, and what they say by `console`, goes through the same two
 * streams. Imported before all else, for that effect. Invariant: a descriptor is
 * left as a C program would leave it, and what was written to it is taken before
 * the process ends, or its exit code says so.
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

/** Standard output or standard error, with what packages ask of such a stream. */
class StandardStream extends DescriptorStream {
  readonly isTTY: boolean;
  /** It was closed when we were started. */
  readonly isClosed: boolean;
  #writes = 0;

  constructor(fd: 1 | 2) {
    super(fd);
    this.isTTY = isatty(fd);
    this.isClosed = isClosed(fd);
  }

  get columns(): number | undefined {
    return this.isTTY ? this.getWindowSize()[0] : undefined;
  }

  /** Columns and rows of the terminal. Both runtimes open terminals in a way that leaves ours alone. */
  getWindowSize(): [number, number] {
    return new WriteStream(this.fd).getWindowSize();
  }

  async #writeWithoutThreads(): Promise<void> {
    const {writerWithoutWaiting} = await import('./sync-writer.js');
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

/** For fewer it does not pay to load what makes them cheap. */
const FEW_WRITES = 8;

export const standardOutput = new StandardStream(1);
export const standardError = new StandardStream(2);

const say =
  (stream: StandardStream) =>
  (...words: unknown[]) =>
    void stream.write(`${formatted(words)}\n`);
/** As console does; loaded when something is said. Node before 20.16 cannot do that, and joins the words. */
function formatted(words: readonly unknown[]): string {
  const util = process.getBuiltinModule?.('node:util');
  return util === undefined ? words.map(String).join(' ') : util.format(...words);
}

takeTheirPlace('stdout', standardOutput);
takeTheirPlace('stderr', standardError);
for (const name of ['log', 'info', 'debug'] as const) console[name] = say(standardOutput);
for (const name of ['warn', 'error', 'trace'] as const) console[name] = say(standardError);

/** In Bun, to define the property would open the stream that was there; in Node it cannot be assigned. */
function takeTheirPlace(name: 'stdout' | 'stderr', stream: StandardStream): void {
  if (process.versions.bun !== undefined) Object.assign(process, {[name]: stream});
  else Object.defineProperty(process, name, {configurable: true, enumerable: true, get: () => stream});
}

/** Throws `io` when standard output is closed: for commands that would find out too late. */
export function checkOutput(): void {
  if (standardOutput.isClosed) throw closedFailure('output');
}

/**
 * Waits until both streams have taken all there is. Returns the failure of one
 * that could not; a reader that went away is none.
 */
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
    hint: name === 'input' ? 'for an empty input, give </dev/null' : 'to throw it away, give >/dev/null',
  });

/** Standard input when it is a pipe or a file; undefined on a terminal. Where it is closed, reading it throws `io`. */
export function standardInput(): StandardInput | undefined {
  if (isatty(0)) return undefined;
  if (isClosed(0)) return new WaitingInput(refuseClosed);
  const found = fstatSync(0);
  if (found.isFIFO() || found.isSocket()) return new WaitingInput(openWaiting);
  return new FileInput(0, found.isFile() ? offsetOf(0) : undefined);
}

const refuseClosed = (): never => {
  throw closedFailure('input');
};

/**
 * What arrives in a pipe or socket, read without a thread that waits: Node's
 * exit would wait for that one, too (libuv joins its threads). Bun's own stream
 * leaves the flags of the descriptor alone. Node's does not, so it is given a
 * pipe that was opened anew, with flags of its own; where the system cannot
 * open it anew, which is so for sockets, Node sets O_NONBLOCK until it ends.
 * node:net is loaded for Node alone: it takes Bun 3 ms at each start.
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

/** Where in its file `fd` is; undefined where the system does not say. */
function offsetOf(fd: number): number | undefined {
  const offset = Number(/^pos:\s*(\d+)$/m.exec(describedBySystem(fd))?.[1]);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** What Linux knows about `fd`; empty elsewhere. */
function describedBySystem(fd: number): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Whether `fd` was closed when we were started. Both runtimes then open /dev/null
 * there, to read and to write. Bun's has a flag that no inherited descriptor can
 * have. Node's looks like one that some programs hand over on purpose: there
 * standard output counts as closed when standard error is something else.
 */
export function isClosed(fd: 0 | 1 | 2): boolean {
  const flags = flagsOfNull(fd);
  if (flags === undefined || (flags & O_ACCMODE) !== O_RDWR) return false;
  if (process.versions.bun !== undefined) return (flags & O_CLOEXEC) !== 0;
  return fd === 0 || (fd === 1 && flagsOfNull(2) === undefined);
}

/** How /dev/null was opened, where `fd` is that and this can be known. */
function flagsOfNull(fd: number): number | undefined {
  const found = fstatSync(fd);
  if (!found.isCharacterDevice() || found.rdev !== NULL_DEVICE) return undefined;
  const flags = /^flags:\s*(\d+)$/m.exec(describedBySystem(fd))?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}
