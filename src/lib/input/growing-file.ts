/**
 * A file to which others append while it is read. Invariant: what `read` gives follows what it gave before, in the same
 * content: a file that was truncated, also one that was refilled beyond the offset, is noticed by the bytes before the
 * offset. Nothing else can tell, since its inode stays.
 */
import {Buffer} from 'node:buffer';
import {type BigIntStats, closeSync, fstat} from 'node:fs';
import {promisify} from 'node:util';
import {isFailure, type StreamlogError} from '../errors.js';
import {type InputPosition, START} from './input-item.js';
import {CHUNK_BYTES, openFile, readOpenFile, readSome} from './source.js';

/** So much before the offset is compared: more than a line with its time of most logs. */
const COMPARED_BYTES = 1_024;
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
const statOf = promisify(fstat);

export interface FileFacts {
  /** Device and inode: the same for as long as the file exists, whatever its name is. */
  readonly id: string;
  readonly sizeBytes: number;
  /** When it was last written to, in Unix milliseconds. */
  readonly writtenMs: number;
  /** When it was created; where the file system does not know that, when it was renamed last. */
  readonly createdMs: number;
}

export class GrowingFile {
  readonly name: string;
  readonly fd: number;
  readonly id: string;
  /** When it was opened. */
  readonly sizeBytes: number;
  #offset = 0;
  /** What is before the offset, no more than is compared. */
  #before: Buffer = NOTHING;
  #writtenMs: number;
  /** When the file was last written to, as `read` found it at the end. */
  #seenMs: number | undefined;

  private constructor(name: string, fd: number, {id, sizeBytes, writtenMs}: FileFacts) {
    this.name = name;
    this.fd = fd;
    this.id = id;
    this.sizeBytes = sizeBytes;
    this.#writtenMs = writtenMs;
  }

  /** Undefined where there is none. Throws `io` when it cannot be opened, and `notAFile` for what is no file. */
  static open(path: string, notAFile: (path: string) => StreamlogError): GrowingFile | undefined {
    try {
      const {fd, stats} = openFile(path, notAFile);
      return new GrowingFile(path, fd, asFacts(stats));
    } catch (error) {
      if (isFailure(error, 'io') && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Where the next byte comes from. */
  get offset(): number {
    return this.#offset;
  }

  /** When it was last written to, as far as that was read, in Unix milliseconds. */
  get writtenMs(): number {
    return this.#writtenMs;
  }

  /** Goes to `offset`; false when the file is shorter. */
  async seek(offset: number): Promise<boolean> {
    const bytes = Math.min(COMPARED_BYTES, offset);
    const before = bytes === 0 ? NOTHING : await readSome(this.fd, Buffer.alloc(bytes), offset - bytes);
    this.#offset = offset;
    this.#before = before;
    this.#seenMs = undefined;
    return before.length === bytes;
  }

  /** What follows, up to a chunk; empty at the end, undefined once the content is another one. */
  async read(): Promise<Buffer | undefined> {
    const {size, mtimeMs} = await statOf(this.fd);
    if (size === this.#offset && mtimeMs === this.#seenMs) return NOTHING;
    const before = this.#before;
    const wanted = Buffer.allocUnsafeSlow(before.length + Math.max(0, Math.min(CHUNK_BYTES, size - this.#offset)));
    const found = await readSome(this.fd, wanted, this.#offset - before.length);
    if (!found.subarray(0, before.length).equals(before)) return undefined;
    const chunk = found.subarray(before.length);
    this.#offset += chunk.length;
    // A copy, not to keep the chunk.
    if (chunk.length > 0) this.#before = Buffer.from(found.subarray(-COMPARED_BYTES));
    this.#writtenMs = wholeMs(mtimeMs);
    this.#seenMs = mtimeMs;
    return chunk;
  }

  /**
   * The first chunk of a file that was just opened, without zero bytes at its beginning: a program that does not append leaves
   * them when its file is truncated, and goes on behind them. Undefined as for `read`.
   */
  async readFirst(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = await this.read();
      const start = chunk?.findIndex((byte) => byte !== 0);
      if (chunk === undefined || start === undefined || chunk.length === 0) return chunk;
      if (start !== -1) return chunk.subarray(start);
    }
  }

  /** Whether `read` would give something, also that the content is another one. */
  async hasMore(): Promise<boolean> {
    const {size, mtimeMs} = await statOf(this.fd);
    return size !== this.#offset || mtimeMs !== this.#seenMs;
  }

  /** How many bytes there are behind the offset. */
  async unreadBytes(): Promise<number> {
    const {size} = await statOf(this.fd);
    return Math.max(0, size - this.#offset);
  }

  /** Behind the last newline. */
  async lastLineEnd(): Promise<InputPosition> {
    let end = START;
    let at = 0;
    for await (const chunk of readOpenFile(this.fd, 0)) {
      let line = end.line;
      for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, newline + 1)) line++;
      if (line > end.line) end = {bytes: at + chunk.lastIndexOf(NEWLINE) + 1, line};
      at += chunk.length;
    }
    return end;
  }

  /** Whether what was read is still there. */
  async isUnchanged(): Promise<boolean> {
    return this.isContinuedIn(this);
  }

  /** Whether `other` has the same bytes before our offset. */
  async isContinuedIn(other: GrowingFile): Promise<boolean> {
    const before = this.#before;
    if (before.length === 0) return true;
    const found = await readSome(other.fd, Buffer.alloc(before.length), this.#offset - before.length);
    return found.equals(before);
  }

  close(): void {
    closeSync(this.fd);
  }
}

export const asFacts = ({dev, ino, size, mtimeMs, birthtimeMs}: BigIntStats): FileFacts => ({
  id: `${dev}:${ino}`,
  sizeBytes: Number(size),
  writtenMs: wholeMs(Number(mtimeMs)),
  createdMs: Number(birthtimeMs),
});

/** A file may be dated before 1970. */
const wholeMs = (ms: number): number => Math.max(0, Math.floor(ms));
