/**
 * How far a file has been added, kept in a small file beside it, so that a run
 * that was killed can be continued. It speaks of what Redis has confirmed, and
 * knows what that part of the file looked like. Invariant: at any moment the
 * checkpoint on disk is a whole one, and never ahead of the stream.
 */
import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {StreamlogError, usageError} from '../errors.js';
import type {Progress} from './batch.js';
import {type Kept, orIoFailure, readKept, refusal, withFile, writeKept} from './checkpoint-file.js';

/** Who adds, where the numbers of a fence begin. */
export interface CheckpointProducer {
  readonly id: string;
  readonly since: number;
}

/** Not for each batch: a disk that has to be asked takes as long as many of them. */
const KEEP_EVERY_MS = 200;

export class Checkpoint {
  readonly #path: string;
  readonly #file: string;
  readonly #stream: string;
  #hash: Hash;
  #hashedBytes: number;
  #progress: Progress;
  #keptMs = Number.NEGATIVE_INFINITY;
  #keeping: Promise<void> = Promise.resolve();
  #isKeeping = false;
  #producer: CheckpointProducer | undefined;
  readonly #keptAt: number;

  private constructor(place: {path: string; file: string; stream: string}, kept: Kept, hash: Hash) {
    this.#path = place.path;
    this.#file = place.file;
    this.#stream = place.stream;
    this.#hash = hash;
    this.#hashedBytes = kept.bytes;
    this.#progress = {place: {bytes: kept.bytes, line: kept.line}, records: kept.records};
    this.#producer = kept.producer;
    this.#keptAt = kept.at;
  }

  /**
   * That at `path` for adding `file` to `stream`, or a new one. Throws `data`
   * when it belongs to another stream, when it is none, or when the part of the
   * file that it speaks of has changed; `io` when something cannot be read; a
   * usage error for what is no file, such as a pipe.
   */
  static async open(path: string, file: string, stream: string): Promise<Checkpoint> {
    const found = await orIoFailure('read', file, stat(file));
    if (!found.isFile()) throw usageError(`--resume takes a file, which can be read again; ${file} is none`);
    const nothing: Kept = {version: 1, stream, bytes: 0, line: 0, records: 0, sha256: '', at: Date.now()};
    const kept = (await readKept(path)) ?? nothing;
    if (kept.stream !== stream) throw refusal(path, `it is about the stream "${kept.stream}"`);
    const hash = createHash('sha256');
    if (kept.bytes > 0) {
      if (found.size < kept.bytes) throw changed(file, `it has ${found.size} bytes, of which ${kept.bytes} were added`);
      await orIoFailure('read', file, hashRange(hash, file, 0, kept.bytes));
      if (hash.copy().digest('hex') !== kept.sha256) throw changed(file, 'it differs where it was added already');
      if (!(await orIoFailure('read', file, endsLine(file, kept.bytes))))
        throw changed(file, `line ${kept.line} has become longer since it was added`);
    }
    return new Checkpoint({path, file, stream}, kept, hash);
  }

  /** Where to go on. */
  get progress(): Progress {
    return this.#progress;
  }

  /** Who has added what is kept, if that was done behind a fence. */
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

  /** The file is confirmed up to there. Throws nothing; what went wrong is thrown by `finish`. */
  confirm(progress: Progress): void {
    this.#progress = progress;
    if (this.#isKeeping || performance.now() - this.#keptMs < KEEP_EVERY_MS) return;
    this.#isKeeping = true;
    this.#keeping = this.keep().finally(() => {
      this.#isKeeping = false;
    });
    this.#keeping.catch(() => {});
  }

  /** Keeps what is confirmed now. Throws `io` when that cannot be done; what was kept before stays. */
  async keep(): Promise<void> {
    const {place, records} = this.#progress;
    // The file may have been read again from its start.
    if (place.bytes < this.#hashedBytes) return;
    this.#keptMs = performance.now();
    const hash = this.#hash.copy();
    await orIoFailure('read', this.#file, hashRange(hash, this.#file, this.#hashedBytes, place.bytes));
    this.#hash = hash;
    this.#hashedBytes = place.bytes;
    const kept: Kept = {
      version: 1,
      stream: this.#stream,
      ...(this.#producer === undefined ? {} : {producer: this.#producer}),
      ...place,
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

async function hashRange(hash: Hash, file: string, start: number, end: number): Promise<void> {
  if (start === end) return;
  for await (const chunk of createReadStream(file, {start, end: end - 1, highWaterMark: 1024 * 1024})) {
    hash.update(chunk as Buffer);
  }
}

/** Whether no line of `file` goes on over `at`: a last one without newline was added as it was. */
async function endsLine(file: string, at: number): Promise<boolean> {
  const around = await withFile(file, 'r', async (handle) => {
    const {buffer, bytesRead} = await handle.read(Buffer.alloc(2), 0, 2, at - 1);
    return buffer.toString('latin1', 0, bytesRead);
  });
  return around.length < 2 || around[0] === '\n' || /[\r\n]/.test(around[1]!);
}

const changed = (file: string, reason: string): StreamlogError =>
  new StreamlogError('data', `${file} is not the file that was being added: ${reason}`, {
    hint: 'remove its checkpoint to begin anew with line 1',
  });
