/**
 * How far a file has been added, kept in a small file beside it, so that a run
 * that was killed can be resumed. It covers what Redis confirmed, with a digest of
 * that part of the file. Invariant: at any moment the checkpoint on disk is a
 * whole one, and never ahead of the stream.
 */
import {createHash, type Hash} from 'node:crypto';
import {read} from 'node:fs';
import {promisify} from 'node:util';
import {StreamlogError} from '../errors.js';
import {ProcessLock} from '../process-lock.js';
import {type Kept, orIoFailure, readKept, refusal, writeKept} from './checkpoint-file.js';
import type {Progress} from './in-flight-window.js';

/** The idempotent producer of the records, and where its numbers begin. */
export interface CheckpointProducer {
  readonly id: string;
  readonly since: number;
  /** The ID of a record that it has added, the last one that is known. */
  readonly lastId?: string | undefined;
}

/** A file that is being added, open: what has its name may be another one by now. */
export interface AddedFile {
  readonly name: string;
  readonly fd: number;
  /** When it was opened. */
  readonly sizeBytes: number;
}

/** Not for each batch: a disk that has to be asked takes as long as many of them. */
const KEEP_EVERY_MS = 200;

export class Checkpoint {
  readonly #path: string;
  readonly #file: AddedFile;
  readonly #lock: ProcessLock;
  readonly #stream: string;
  #hash: Hash;
  #hashedBytes: number;
  #progress: Progress;
  #keptMs = Number.NEGATIVE_INFINITY;
  #keeping: Promise<void> = Promise.resolve();
  #isKeeping = false;
  #producer: CheckpointProducer | undefined;
  readonly #keptAt: number;

  private constructor(
    opened: {path: string; file: AddedFile; stream: string; lock: ProcessLock},
    kept: Kept,
    hash: Hash,
  ) {
    this.#path = opened.path;
    this.#file = opened.file;
    this.#lock = opened.lock;
    this.#stream = opened.stream;
    this.#hash = hash;
    this.#hashedBytes = kept.bytes;
    this.#progress = {position: {bytes: kept.bytes, line: kept.line}, records: kept.records};
    this.#producer = kept.producer;
    this.#keptAt = kept.at;
  }

  /**
   * That at `path` for adding `file` to `stream`, or a new one; ours alone until
   * `release`. Throws `temporary` while another process has it, `data` when it
   * belongs to another stream, when it is none, or when the part of the file that
   * it speaks of has changed; `io` when something cannot be read.
   */
  static async open(path: string, file: AddedFile, stream: string): Promise<Checkpoint> {
    const lock = await ProcessLock.acquire(`${path}.lock`);
    if (lock === undefined) throw busy(path);
    try {
      const nothing: Kept = {version: 1, stream, bytes: 0, line: 0, records: 0, sha256: '', at: Date.now()};
      const kept = (await readKept(path)) ?? nothing;
      if (kept.stream !== stream) throw refusal(path, `it is about the stream "${kept.stream}"`);
      const hash = createHash('sha256');
      if (kept.bytes > 0) {
        const {name, sizeBytes} = file;
        if (sizeBytes < kept.bytes) throw changed(name, `it has ${sizeBytes} bytes, of which ${kept.bytes} were added`);
        await orIoFailure('read', name, hashRange(hash, file, 0, kept.bytes));
        if (hash.copy().digest('hex') !== kept.sha256) throw changed(name, 'it differs where it was added already');
        if (!(await orIoFailure('read', name, endsLine(file, kept.bytes))))
          throw changed(name, `line ${kept.line} has become longer since it was added`);
      }
      return new Checkpoint({path, file, stream, lock}, kept, hash);
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

  /** The idempotent producer that added what is kept, where there was one. */
  get producer(): CheckpointProducer | undefined {
    return this.#producer;
  }

  /** How long ago the one on disk was kept, in milliseconds; 0 for a new one. */
  get ageMs(): number {
    return Date.now() - this.#keptAt;
  }

  /** Keeps who goes on from here, before anything is added: else a run that is killed soon would be forgotten. Throws `io`. */
  async keepAs(producer: CheckpointProducer | undefined): Promise<void> {
    this.#producer = producer;
    await this.keep();
  }

  /** The file is confirmed up to there, by a producer with that ID as the last one. Throws nothing; what went wrong is thrown by `finish`. */
  confirm(progress: Progress, lastId?: string): void {
    this.#progress = progress;
    if (this.#producer !== undefined && lastId !== undefined) this.#producer = {...this.#producer, lastId};
    if (this.#isKeeping || performance.now() - this.#keptMs < KEEP_EVERY_MS) return;
    this.#isKeeping = true;
    this.#keeping = this.keep().finally(() => {
      this.#isKeeping = false;
    });
    this.#keeping.catch(() => {});
  }

  /** Keeps what is confirmed now. Throws `io` when that cannot be done; what was kept before stays. */
  async keep(): Promise<void> {
    const {position, records} = this.#progress;
    // The file may have been read again from its start.
    if (position.bytes < this.#hashedBytes) return;
    if (!this.#lock.isHeld) throw busy(this.#path);
    this.#keptMs = performance.now();
    const hash = this.#hash.copy();
    await orIoFailure('read', this.#file.name, hashRange(hash, this.#file, this.#hashedBytes, position.bytes));
    this.#hash = hash;
    this.#hashedBytes = position.bytes;
    const kept: Kept = {
      version: 1,
      stream: this.#stream,
      ...(this.#producer === undefined ? {} : {producer: this.#producer}),
      ...position,
      records,
      sha256: hash.copy().digest('hex'),
      at: Date.now(),
    };
    await writeKept(this.#path, kept);
  }

  /** Keeps the last word. Throws `io` when that cannot be done, whatever could be kept before. */
  async finish(): Promise<void> {
    await this.#keeping.catch(() => {});
    await this.keep();
  }
}

const readAt = promisify(read);
const CHUNK_BYTES = 1024 * 1024;

/** Throws `data` when the file has become shorter than `end`. */
async function hashRange(hash: Hash, {name, fd}: AddedFile, start: number, end: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - start));
  for (let at = start; at < end; ) {
    const {bytesRead} = await readAt(fd, buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) throw changed(name, `it has ${at} bytes by now, of which ${end} were added`);
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** Whether no line of `file` goes on over `at`: a last one without newline may have been added as it was. */
async function endsLine({fd}: AddedFile, at: number): Promise<boolean> {
  const {buffer, bytesRead} = await readAt(fd, Buffer.alloc(2), 0, 2, at - 1);
  const around = buffer.toString('latin1', 0, bytesRead);
  return around.length < 2 || around[0] === '\n' || /[\r\n]/.test(around[1]!);
}

const busy = (path: string): StreamlogError =>
  new StreamlogError('temporary', `another run is using the checkpoint ${path}`, {
    hint: 'run the same again when it has ended, or name another checkpoint with --checkpoint',
  });

const changed = (file: string, reason: string): StreamlogError =>
  new StreamlogError('data', `${file} is not the file that was being added: ${reason}`, {
    hint: 'remove its checkpoint to begin anew with line 1',
  });
