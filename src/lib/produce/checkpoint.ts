/**
 * How far a file has been added, kept in a small file beside it, so that a run
 * that was killed can be resumed. It covers what Redis confirmed, with a digest of
 * that part of the file. Invariant: at any moment the checkpoint on disk is a
 * whole one, and never ahead of the stream.
 */
import {StreamlogError} from '../errors.js';
import {START} from '../input/input-item.js';
import {ProcessLock} from '../process-lock.js';
import {type Kept, readKept, refusal, writeKept} from './checkpoint-file.js';
import {CheckpointTimer} from './checkpoint-timer.js';
import {type AddedFile, type AddedPart, digestIn, type FileDigest} from './file-digest.js';
import type {Progress} from './in-flight-window.js';

/** The idempotent producer of the records, and where its numbers begin. */
interface CheckpointProducer {
  readonly id: string;
  readonly since: number;
  /** The ID of a record that it has added, the last one that is known. */
  readonly lastId?: string | undefined;
}

/** What a checkpoint is of. */
export interface CheckpointedInput {
  readonly name: string;
  /** The file that `kept` speaks of, with the digest of what it had; undefined once there is none. Throws as `Checkpoint.open`. */
  find(kept: Kept): Promise<AddedPart | undefined>;
}

/** A file of several that follow each other. */
export interface FollowedFile {
  /** Device and inode; empty where there is none yet. */
  readonly id: string;
  /** When it was last written to, as far as it was read, in Unix milliseconds. */
  readonly writtenMs: number;
  readonly isCopy?: boolean;
  /** The beginning of its first line, which is in the file before. */
  readonly carried?: Buffer | undefined;
}

export interface CheckpointOptions {
  path: string;
  input: CheckpointedInput;
  /** That which `input` is added to. */
  stream: string;
  /** One line about a checkpoint that cannot be kept for a while. */
  onProblem: (line: string) => void;
}

export class Checkpoint {
  readonly #path: string;
  readonly #lock: ProcessLock;
  /** As on disk, or as it will be next. */
  #kept: Kept;
  /** The file in which the input goes on: none where what was kept speaks of none, or of one that is gone. */
  #added: AddedPart | undefined;
  #progress: Progress;
  readonly #timer: CheckpointTimer;
  readonly #keptAt: number;

  private constructor(
    {path, onProblem}: CheckpointOptions,
    {lock, kept, found}: {lock: ProcessLock; kept: Kept; found: AddedPart | undefined},
  ) {
    this.#path = path;
    this.#lock = lock;
    this.#kept = kept;
    this.#timer = new CheckpointTimer(() => this.keep(), onProblem);
    this.#added = found;
    this.#progress = {position: {bytes: kept.bytes, line: kept.line}, records: kept.records};
    this.#keptAt = kept.at;
  }

  /**
   * That at `path` for adding `input`, or a new one; ours alone until
   * `release`. Throws `temporary` while another process has it, `data` when it
   * belongs to another stream, when it is none, or when the part of the file that
   * it speaks of has changed; `io` when something cannot be read.
   */
  static async open(options: CheckpointOptions): Promise<Checkpoint> {
    const {path, input, stream} = options;
    const lock = await ProcessLock.acquire(`${path}.lock`);
    if (lock === undefined) throw busy(path);
    try {
      const nothing: Kept = {version: 1, stream, bytes: 0, line: 0, records: 0, sha256: '', at: Date.now()};
      const kept = (await readKept(path)) ?? nothing;
      if (kept.stream !== stream) throw refusal(path, `it is about the stream "${kept.stream}"`);
      return new Checkpoint(options, {lock, kept, found: await input.find(kept)});
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Leaves it to others. */
  release(): void {
    this.#lock.release();
  }

  /** Where to go on. */
  get progress(): Progress {
    return this.#progress;
  }

  /** As on disk, or as it will be next. */
  get kept(): Kept {
    return this.#kept;
  }

  /** The file that was kept, of those that follow each other. */
  get file(): FollowedFile | undefined {
    const {file} = this.#kept;
    return file && {...file, carried: file.carried === undefined ? undefined : Buffer.from(file.carried, 'base64')};
  }

  /** Whether something was read of that file. */
  get hasRead(): boolean {
    return (this.#kept.hashedBytes ?? this.#kept.bytes) > 0;
  }

  /** Whether `file` begins with what was kept. Throws `io` when it cannot be read. */
  async isOf(file: AddedFile): Promise<boolean> {
    return (await digestIn(file, this.#kept)) !== undefined;
  }

  /** Records before the file in which the input goes on. */
  get recordsBefore(): number {
    return this.#kept.file?.records ?? 0;
  }

  /** What was kept speaks of a file that is gone. */
  get isFileGone(): boolean {
    return this.#added === undefined && (this.#kept.file !== undefined || this.#kept.bytes > 0);
  }

  /** The idempotent producer that added what is kept, where there was one. */
  get producer(): CheckpointProducer | undefined {
    return this.#kept.producer;
  }

  /** How long ago the one on disk was kept, in milliseconds; 0 for a new one. */
  get ageMs(): number {
    return Date.now() - this.#keptAt;
  }

  /** Keeps who goes on from here, before anything is added: else a run that is killed soon would be forgotten. Throws `io`. */
  async keepAs(producer: CheckpointProducer | undefined): Promise<void> {
    this.#kept = {...this.#kept, producer};
    await this.keep();
  }

  /**
   * The input goes on in that file, of which `added` is the beginning, at `start`, with all before it confirmed. Kept before
   * anything of it is added: what a later run finds in the stream behind the checkpoint is of this file alone. Throws `io`.
   */
  async begin({id, writtenMs, isCopy, carried}: FollowedFile, start: Progress, added?: AddedPart): Promise<void> {
    await this.#timer.stop();
    this.#added = added;
    this.#progress = start;
    const file = {id, writtenMs, isCopy, carried: carried?.toString('base64'), records: start.records};
    this.#kept = {...this.#kept, ...START, file, hashedBytes: 0, sha256: ''};
    await this.keep();
  }

  /** What was read of the file is in `file` now, and the input goes on there. */
  async moveTo(file: AddedFile & FollowedFile, isCopy: boolean): Promise<void> {
    await this.#timer.stop();
    this.#added = this.#added && {...this.#added, file};
    const {id, writtenMs} = file;
    this.#kept = {...this.#kept, file: {...this.#kept.file, id, writtenMs, isCopy, records: this.recordsBefore}};
  }

  /** The input is confirmed up to there, by a producer with that ID as the last one. Throws nothing: what goes wrong is reported, and thrown by `finish` if it lasts. */
  confirm(progress: Progress, lastId?: string): void {
    const {producer} = this.#kept;
    if (producer !== undefined && lastId !== undefined) this.#kept = {...this.#kept, producer: {...producer, lastId}};
    // After a failover, records of an earlier file may be confirmed again.
    if (this.recordsBefore > 0 && progress.records <= this.recordsBefore) return;
    this.#progress = progress;
    this.#timer.start();
  }

  /** Keeps what is confirmed now. Throws `io` when that cannot be done; what was kept before stays. */
  async keep(): Promise<void> {
    const {position, records} = this.#progress;
    // The file may have been read again from its start.
    if (position.bytes < this.#kept.bytes) return;
    if (!this.#lock.isHeld) throw this.#lock.isGone ? gone(this.#path) : busy(this.#path);
    if (this.#added !== undefined) {
      const {file} = this.#added;
      let digest: FileDigest;
      try {
        digest = await this.#added.digest.upTo(position.bytes, file);
      } catch (error) {
        if (await isUnchanged(file)) throw error;
        return;
      }
      // What was hashed may be what was written since the file was truncated.
      if (!(await isUnchanged(file))) return;
      this.#added = {file, digest};
      const hashedBytes = digest.bytes === position.bytes ? undefined : digest.bytes;
      this.#kept = {...this.#kept, ...position, records, sha256: digest.sha256, hashedBytes};
    }
    await writeKept(this.#path, {...this.#kept, at: Date.now()});
  }

  /** Keeps the last word. Throws `io` when that cannot be done, whatever could be kept before. */
  async finish(): Promise<void> {
    await this.#timer.stop();
    await this.keep();
  }
}

const isUnchanged = async (file: AddedFile): Promise<boolean> => (await file.isUnchanged?.()) ?? true;

const gone = (path: string): StreamlogError =>
  new StreamlogError(
    'temporary',
    `the lock ${path}.lock was deleted, or moved with its directory, while it was in use`,
    {
      hint: `run the same again when ${path} is where it was: it says how far the input was added`,
    },
  );

const busy = (path: string): StreamlogError =>
  new StreamlogError('temporary', `another run is using the checkpoint ${path}`, {
    hint: 'run the same again when it has ended, or name another checkpoint with --checkpoint',
  });
