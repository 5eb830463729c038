/**
 * Compresses what is written, in members (gzip) or frames (zstd) that each hold whole lines, one behind the other. Invariant:
 * what was cut off can be read up to the end of its last whole member.
 */
import type {Buffer} from 'node:buffer';
import type {Transform} from 'node:stream';
import zlib from 'node:zlib';
import {StreamlogError} from '../errors.js';
import type {TakeBytes} from './section-writer.js';

export type Compression = 'gzip' | 'zstd';

/** Of text in a member; a run that was killed loses no more than this. */
export const MEMBER_BYTES = 64 * 1024 * 1024;

/** Missing in Node before 22.15 (https://nodejs.org/api/zlib.html#zlibcreatezstdcompressoptions). */
const {createZstdCompress} = zlib as {createZstdCompress?: () => Transform};

/** Throws `configuration` where this runtime has no zstd. */
export function checkCompression(compression: Compression | undefined): void {
  if (compression === 'zstd' && createZstdCompress === undefined)
    throw new StreamlogError('configuration', 'this version of Node.js has no zstd', {
      hint: 'give --gzip, or use the executable streamlog',
    });
}

export class Compressor {
  readonly #compression: Compression;
  readonly #take: TakeBytes;
  readonly #memberBytes: number;
  #stream: Transform | undefined;
  #failure: Error | undefined;
  /** That came out of the stream and were not taken yet. */
  #out: Buffer[] = [];
  #bytesIn = 0;

  constructor(compression: Compression, take: TakeBytes, memberBytes = MEMBER_BYTES) {
    this.#compression = compression;
    this.#take = take;
    this.#memberBytes = memberBytes;
  }

  /** Whole lines. Resolves when they are compressed, and what came out of it so far was taken. */
  async write(bytes: Buffer): Promise<void> {
    const stream = this.#opened();
    await new Promise<void>((resolve, reject) =>
      stream.write(bytes, (error) => (error == null ? resolve() : reject(error))),
    );
    await this.#takeOut();
    this.#bytesIn += bytes.length;
    if (this.#bytesIn >= this.#memberBytes) await this.endMember();
  }

  /** All that was written can be read from now on. */
  async endMember(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    await new Promise<void>((resolve, reject) => {
      stream.once('end', resolve);
      stream.once('error', reject);
      stream.end();
    });
    this.#stream = undefined;
    await this.#takeOut();
  }

  #opened(): Transform {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#compression === 'gzip' ? zlib.createGzip() : createZstdCompress!();
    stream.on('data', (chunk: Buffer) => this.#out.push(chunk));
    stream.on('error', (error) => (this.#failure = error));
    this.#stream = stream;
    this.#bytesIn = 0;
    return stream;
  }

  async #takeOut(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const chunk of this.#out.splice(0)) await this.#take(chunk);
  }
}
