/**
 * The file of an export. It is written beside its name, as `F.part`, which only its owner can read, and gets its name when all
 * of it is on disk. Invariants: under its name there is a whole export or the file of before; one process writes it; what is no
 * file, such as a device, is written to as it is.
 */
import {constants} from 'node:fs';
import {type FileHandle, lstat, mkdir, open, realpath, rename, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {StreamlogError, systemReason} from '../errors.js';
import {ProcessLock} from '../process-lock.js';
import {withFile} from '../replaced-file.js';
import {type Compression, Compressor} from './compression.js';
import {type InterruptedExport, readInterrupted} from './interrupted-export.js';

export interface FileOptions {
  readonly compression: Compression | undefined;
  /** Goes on with what an interrupted run has left. */
  readonly resume: boolean;
}

const OWNER_ONLY = 0o600;
const {O_RDWR, O_WRONLY, O_CREAT, O_NOFOLLOW} = constants;

export class ExportFile {
  /** Under which it appears. */
  readonly path: string;
  /** What was there; undefined for a new one. */
  readonly interrupted: InterruptedExport | undefined;
  readonly #handle: FileHandle;
  readonly #lock: ProcessLock | undefined;
  readonly #compressor: Compressor | undefined;
  #sizeBytes: number;

  private constructor(
    {
      path,
      handle,
      lock,
      interrupted,
    }: Pick<ExportFile, 'path' | 'interrupted'> & {handle: FileHandle; lock?: ProcessLock | undefined},
    compression: Compression | undefined,
  ) {
    this.path = path;
    this.interrupted = interrupted;
    this.#handle = handle;
    this.#lock = lock;
    this.#sizeBytes = interrupted?.sizeBytes ?? 0;
    if (compression !== undefined) this.#compressor = new Compressor(compression, (bytes) => this.#append(bytes));
  }

  /**
   * Throws `io` when it cannot be written, `temporary` while another process writes it, and with `resume` as
   * `readInterrupted`.
   */
  static async open(name: string, {compression, resume}: FileOptions): Promise<ExportFile> {
    const {path, isFile} = await orIo(name, () => targetOf(name));
    if (!isFile) {
      const handle = await orIo(path, () => open(path, O_WRONLY));
      return new ExportFile({path, handle, interrupted: undefined}, compression);
    }
    const part = partOf(path);
    const lock = await ProcessLock.acquire(`${part}.lock`);
    if (lock === undefined) throw new StreamlogError('temporary', `another streamlog is writing ${part}`);
    let handle: FileHandle | undefined;
    try {
      const opened = await orIo(part, () => open(part, O_RDWR | O_CREAT | O_NOFOLLOW, OWNER_ONLY));
      handle = opened;
      const {size} = await opened.stat();
      if (!resume || size === 0) await orIo(part, () => opened.truncate(0));
      await orIo(part, () => opened.chmod(OWNER_ONLY));
      const cut = (to: number): Promise<void> => orIo(part, () => opened.truncate(to));
      const interrupted =
        resume && size > 0
          ? await readInterrupted({fd: opened.fd, name: part, sizeBytes: size}, compression, cut)
          : undefined;
      return new ExportFile({path, handle: opened, lock, interrupted}, compression);
    } catch (error) {
      await handle?.close();
      lock.release();
      throw error;
    }
  }

  /** What it is called until it is whole. */
  get partName(): string {
    return this.#lock === undefined ? this.path : partOf(this.path);
  }

  /** Whole lines. Resolves when the system has taken them, or the compressor. Throws `io`. */
  write(bytes: Buffer): Promise<void> {
    return this.#compressor === undefined ? this.#append(bytes) : this.#compressor.write(bytes);
  }

  /** All of it is written: resolves when it is on disk under its name. */
  async finish(): Promise<void> {
    try {
      await this.#compressor?.endMember();
      if (this.#lock !== undefined) {
        await orIo(this.partName, () => this.#handle.sync());
        await orIo(this.path, () => rename(this.partName, this.path));
        await orIo(this.path, () => withFile(dirname(this.path), constants.O_RDONLY, (directory) => directory.sync()));
      }
    } finally {
      await this.#handle.close();
      this.#lock?.release();
    }
  }

  /** Leaves what was written so far, for another run to go on with. */
  async leave(): Promise<void> {
    // What cannot be written is lost with the run, which says so.
    await this.#compressor?.endMember().catch(() => {});
    await this.#handle.close();
    this.#lock?.release();
  }

  async #append(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const position = this.#lock === undefined ? null : this.#sizeBytes;
      const {bytesWritten} = await orIo(this.partName, () =>
        this.#handle.write(bytes, at, bytes.length - at, position),
      );
      at += bytesWritten;
      this.#sizeBytes += bytesWritten;
    }
  }
}

/** For its owner alone, where there is none. Throws `io`. */
export const makeDirectory = async (path: string): Promise<void> => {
  await orIo(path, () => mkdir(path, {recursive: true, mode: 0o700}));
};

/** Whether an export was finished under this name: there is a file, and none of its name that is not whole. */
export const isFinished = async (path: string): Promise<boolean> =>
  (await exists(path)) && !(await exists(partOf(path)));

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** What a file is called until it is whole. */
const partOf = (path: string): string => `${path}.part`;

/** The file itself, where the name is that of a link. Throws `usage` for a directory. */
async function targetOf(name: string): Promise<{path: string; isFile: boolean}> {
  const found = await lstat(name).catch(() => undefined);
  if (found?.isSymbolicLink()) return targetOf(await realpath(name));
  if (found?.isDirectory())
    throw new StreamlogError('usage', `${name} is a directory`, {hint: 'give --dir to write a file for each stream'});
  return {path: name, isFile: found?.isFile() ?? true};
}

async function orIo<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StreamlogError) throw error;
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot write ${name}: ${systemReason(code)}`, {code});
  }
}
