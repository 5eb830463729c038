/**
 * How far a file has been added, kept in a small file beside it, so that a run
 * that was killed can be continued. It speaks of what Redis has confirmed, and
 * knows what that part of the file looked like. Invariant: at any moment the
 * checkpoint on disk is a whole one, and never ahead of the stream.
 */
import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {open, readFile, rename, rm, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {z} from 'zod/mini';
import {StreamlogError} from '../errors.js';
import type {Progress} from './batch.js';

const whole = z.int().check(z.minimum(0));
const Kept = z.object({
  version: z.literal(1),
  stream: z.string(),
  /** The producer of `--exactly-once`, whose first record is the one behind `since`. */
  producer: z.optional(z.object({id: z.string(), since: whole})),
  /** Bytes, lines and records of the file that are in the stream, and the SHA-256 of those bytes. */
  bytes: whole,
  line: whole,
  records: whole,
  sha256: z.string(),
});
type Kept = z.infer<typeof Kept>;

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
  readonly #hash: Hash;
  #hashedBytes: number;
  #progress: Progress;
  #keptMs = Number.NEGATIVE_INFINITY;
  #keeping: Promise<void> = Promise.resolve();
  #isKeeping = false;
  /** Undefined without a fence. */
  producer: CheckpointProducer | undefined;

  private constructor(place: {path: string; file: string; stream: string}, kept: Kept, hash: Hash) {
    this.#path = place.path;
    this.#file = place.file;
    this.#stream = place.stream;
    this.#hash = hash;
    this.#hashedBytes = kept.bytes;
    this.#progress = {place: {bytes: kept.bytes, line: kept.line}, records: kept.records};
    this.producer = kept.producer;
  }

  /**
   * That at `path` for adding `file` to `stream`, or a new one. Throws `data`
   * when it belongs to another stream, when it is none, or when the part of the
   * file that it speaks of has changed; `io` when something cannot be read.
   */
  static async open(path: string, file: string, stream: string): Promise<Checkpoint> {
    const kept = (await readKept(path)) ?? {version: 1, stream, bytes: 0, line: 0, records: 0, sha256: ''};
    if (kept.stream !== stream) throw refusal(path, `it is about the stream "${kept.stream}"`);
    const hash = createHash('sha256');
    if (kept.bytes > 0) {
      const {size} = await orIoFailure(file, stat(file));
      if (size < kept.bytes) throw changed(file, `it has ${size} bytes, of which ${kept.bytes} were added`);
      await orIoFailure(file, hashRange(hash, file, 0, kept.bytes));
      if (hash.copy().digest('hex') !== kept.sha256) throw changed(file, 'it differs where it was added already');
    }
    return new Checkpoint({path, file, stream}, kept, hash);
  }

  /** Where to go on. */
  get progress(): Progress {
    return this.#progress;
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
    await orIoFailure(this.#file, hashRange(this.#hash, this.#file, this.#hashedBytes, place.bytes));
    this.#hashedBytes = place.bytes;
    const kept: Kept = {
      version: 1,
      stream: this.#stream,
      ...(this.producer === undefined ? {} : {producer: this.producer}),
      ...place,
      records,
      sha256: this.#hash.copy().digest('hex'),
    };
    await orIoFailure(this.#path, replaceFile(this.#path, `${JSON.stringify(kept)}\n`));
  }

  /** Keeps the last word. Throws `io` when a checkpoint could not be kept. */
  async finish(): Promise<void> {
    await this.#keeping;
    await this.keep();
  }
}

async function readKept(path: string): Promise<Kept | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return orIoFailure(path, Promise.reject(error));
  }
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    throw refusal(path, 'it is no checkpoint of streamlog');
  }
}

async function hashRange(hash: Hash, file: string, start: number, end: number): Promise<void> {
  if (start === end) return;
  for await (const chunk of createReadStream(file, {start, end: end - 1, highWaterMark: 1024 * 1024})) {
    hash.update(chunk as Buffer);
  }
}

/** Whole or not at all, also when the power goes: written beside it, flushed, renamed, and the name flushed. */
async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  try {
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, {force: true}).catch(() => {});
    throw error;
  }
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}

async function orIoFailure<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StreamlogError) throw error;
    const {code} = error as NodeJS.ErrnoException;
    const reason = code === 'ENOSPC' ? 'no space is left' : (code ?? 'unknown error');
    throw new StreamlogError('io', `cannot keep the checkpoint: ${path}: ${reason}`, {code});
  }
}

const refusal = (path: string, reason: string): StreamlogError =>
  new StreamlogError('data', `the checkpoint ${path} cannot be used: ${reason}`, {
    hint: 'name another with --checkpoint, or remove it to begin anew',
  });

const changed = (file: string, reason: string): StreamlogError =>
  new StreamlogError('data', `${file} is not the file that was being added: ${reason}`, {
    hint: 'remove its checkpoint to begin anew with line 1',
  });
