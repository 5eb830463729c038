/**
 * A file that is written beside its name, as `F.part`, which only its owner can read, and gets its name when all of it is on
 * disk. Invariants: under its name there is a whole file or the one of before; what is no file, such as a device, is written to
 * as it is.
 */
import {constants} from 'node:fs';
import {type FileHandle, mkdir, open, rename, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {StreamlogError, systemReason} from '../errors.js';
import {withFile} from '../replaced-file.js';
import {type Compression, Compressor} from './compression.js';

const OWNER_ONLY = 0o600;
const {O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_NOFOLLOW} = constants;

/** How it is compressed, and what is to know of its bytes. */
export interface PartOptions {
  readonly compression: Compression | undefined;
  /** Of text in a member or frame. */
  readonly memberBytes?: number;
  /** Called with what the system has taken, in order. */
  readonly onWritten?: (bytes: Buffer) => void;
}

export class PartFile {
  /** Under which it appears. */
  readonly path: string;
  /** What it is called until it is whole. */
  readonly name: string;
  readonly #handle: FileHandle;
  readonly #isDevice: boolean;
  #compressor: Compressor | undefined;
  #onWritten: PartOptions['onWritten'];
  #sizeBytes = 0;

  private constructor(path: string, handle: FileHandle, isDevice: boolean) {
    this.path = path;
    this.name = isDevice ? path : partOf(path);
    this.#handle = handle;
    this.#isDevice = isDevice;
  }

  /** With what is there already. Throws `io`. */
  static async open(path: string): Promise<PartFile> {
    const name = partOf(path);
    const handle = await orIo(name, () => open(name, O_RDWR | O_CREAT | O_NOFOLLOW, OWNER_ONLY));
    const part = new PartFile(path, handle, false);
    try {
      await orIo(name, () => handle.chmod(OWNER_ONLY));
      part.#sizeBytes = (await handle.stat()).size;
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** What is no file. Throws `io`. */
  static async device(path: string): Promise<PartFile> {
    return new PartFile(path, await orIo(path, () => open(path, O_WRONLY)), true);
  }

  get fd(): number {
    return this.#handle.fd;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** False where it was removed, or another file has its name. */
  async isThere(): Promise<boolean> {
    const [here, there] = await Promise.all([this.#handle.stat(), stat(this.name).catch(() => undefined)]);
    return there !== undefined && here.ino === there.ino && here.dev === there.dev;
  }

  /** Keeps its first bytes. */
  async cut(sizeBytes: number): Promise<void> {
    await orIo(this.name, () => this.#handle.truncate(sizeBytes));
    this.#sizeBytes = sizeBytes;
  }

  /** What is written from now on goes behind what is there. */
  begin({compression, memberBytes, onWritten}: PartOptions): void {
    this.#onWritten = onWritten;
    if (compression !== undefined)
      this.#compressor = new Compressor(compression, (bytes) => this.#append(bytes), memberBytes);
  }

  /** Whole lines. Resolves when the system has taken them, or the compressor. Throws `io`. */
  write(bytes: Buffer): Promise<void> {
    return this.#compressor === undefined ? this.#append(bytes) : this.#compressor.write(bytes);
  }

  /** All that was written can be read from now on, and is on disk. Throws `io`. */
  async sync(): Promise<void> {
    await this.#compressor?.endMember();
    if (!this.#isDevice) await orIo(this.name, () => this.#handle.sync());
  }

  /** All of it is written: resolves when it is on disk under its name. Throws `io`. */
  async finish(): Promise<void> {
    try {
      await this.sync();
      if (this.#isDevice) return;
      await orIo(this.path, () => rename(this.name, this.path));
      await orIo(this.path, () => withFile(dirname(this.path), O_RDONLY, (directory) => directory.sync()));
    } finally {
      await this.#handle.close();
    }
  }

  /** Leaves what was written so far, for another run to go on with. */
  async leave(): Promise<void> {
    // What cannot be written is lost with the run, which says so.
    await this.#compressor?.endMember().catch(() => {});
    await this.#handle.close();
  }

  async #append(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const position = this.#isDevice ? null : this.#sizeBytes;
      const {bytesWritten} = await orIo(this.name, () => this.#handle.write(bytes, at, bytes.length - at, position));
      at += bytesWritten;
      this.#sizeBytes += bytesWritten;
    }
    this.#onWritten?.(bytes);
  }
}

/** For its owner alone, where there is none. Throws `io`. */
export const makeDirectory = async (path: string): Promise<void> => {
  await orIo(path, () => mkdir(path, {recursive: true, mode: 0o700}));
};

/** What a file is called until it is whole. */
export const partOf = (path: string): string => `${path}${PART}`;

export const PART = '.part';

/** What the file system refuses, as an `io` failure that names the file. */
export async function orIo<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StreamlogError) throw error;
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot write ${name}: ${systemReason(code)}`, {code});
  }
}
