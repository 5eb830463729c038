/**
 * The file of an export. Invariants: one process writes it, and under its name there is a whole export or the file of before;
 * what is no file, such as a device, is written to as it is.
 */
import {lstat, realpath, stat} from 'node:fs/promises';
import {StreamlogError} from '../errors.js';
import {ProcessLock} from '../process-lock.js';
import type {Compression} from './compression.js';
import {type InterruptedExport, readInterrupted} from './interrupted-export.js';
import {orIo, PartFile, partOf} from './part-file.js';

export interface FileOptions {
  readonly compression: Compression | undefined;
  /** Goes on with what an interrupted run has left. */
  readonly resume: boolean;
}

export class ExportFile {
  /** What was there; undefined for a new one. */
  readonly interrupted: InterruptedExport | undefined;
  readonly #part: PartFile;
  readonly #lock: ProcessLock | undefined;

  private constructor(part: PartFile, lock?: ProcessLock, interrupted?: InterruptedExport) {
    this.#part = part;
    this.#lock = lock;
    this.interrupted = interrupted;
  }

  /**
   * Throws `io` when it cannot be written, `temporary` while another process writes it, and with `resume` as
   * `readInterrupted`.
   */
  static async open(name: string, {compression, resume}: FileOptions): Promise<ExportFile> {
    const {path, isFile} = await orIo(name, () => targetOf(name));
    if (!isFile) {
      const device = await PartFile.device(path);
      device.begin({compression});
      return new ExportFile(device);
    }
    const lock = await ProcessLock.acquire(`${partOf(path)}.lock`);
    if (lock === undefined) throw new StreamlogError('temporary', `another streamlog is writing ${partOf(path)}`);
    let part: PartFile | undefined;
    try {
      const opened = await PartFile.open(path);
      part = opened;
      const isLeft = resume && opened.sizeBytes > 0;
      if (!isLeft) await opened.cut(0);
      const interrupted = isLeft ? await readInterrupted(opened, compression, (to) => opened.cut(to)) : undefined;
      opened.begin({compression});
      return new ExportFile(opened, lock, interrupted);
    } catch (error) {
      await part?.leave();
      lock.release();
      throw error;
    }
  }

  /** Under which it appears. */
  get path(): string {
    return this.#part.path;
  }

  /** What it is called until it is whole. */
  get partName(): string {
    return this.#part.name;
  }

  /** Whole lines. Resolves when the system has taken them, or the compressor. Throws `io`. */
  write(bytes: Buffer): Promise<void> {
    return this.#part.write(bytes);
  }

  /** All of it is written: resolves when it is on disk under its name. */
  async finish(): Promise<void> {
    try {
      await this.#part.finish();
    } finally {
      this.#lock?.release();
    }
  }

  /** Leaves what was written so far, for another run to go on with. */
  async leave(): Promise<void> {
    await this.#part.leave();
    this.#lock?.release();
  }
}

/** Whether an export was finished under this name: there is a file, and none of its name that is not whole. */
export const isFinished = async (path: string): Promise<boolean> =>
  (await exists(path)) && !(await exists(partOf(path)));

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** The file itself, where the name is that of a link. Throws `usage` for a directory. */
async function targetOf(name: string): Promise<{path: string; isFile: boolean}> {
  const found = await lstat(name).catch(() => undefined);
  if (found?.isSymbolicLink()) return targetOf(await realpath(name));
  if (found?.isDirectory())
    throw new StreamlogError('usage', `${name} is a directory`, {hint: 'give --dir to write a file for each stream'});
  return {path: name, isFile: found?.isFile() ?? true};
}
