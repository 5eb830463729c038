/**
 * Reads a source of chunks by the number of bytes that are wanted, for formats that say
 * how long their parts are. Invariant: each byte comes out once, unless it is put back.
 */
import {Buffer} from 'node:buffer';

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array | string>;
  #rest: Buffer | undefined;
  #arrivedBytes = 0;

  constructor(source: AsyncIterator<Uint8Array | string>) {
    this.#source = source;
  }

  /** How many bytes have come out and were not put back. */
  get position(): number {
    return this.#arrivedBytes - (this.#rest?.length ?? 0);
  }

  /** What is there, or else what comes next; undefined at the end. */
  async some(): Promise<Buffer | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) return rest;
    for (;;) {
      const {done, value} = await this.#source.next();
      if (done) return undefined;
      if (value.length === 0) continue;
      const chunk = asBuffer(value);
      this.#arrivedBytes += chunk.length;
      return chunk;
    }
  }

  /** The next `count` bytes; fewer at the end. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const chunk = await this.some();
      if (chunk === undefined) break;
      const part = chunk.subarray(0, missing);
      this.putBack(chunk.subarray(part.length));
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The end of what was read last is read again. */
  putBack(bytes: Buffer): void {
    if (bytes.length > 0) this.#rest = this.#rest === undefined ? bytes : Buffer.concat([bytes, this.#rest]);
  }

  /** All that is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    for (let chunk = await this.some(); chunk !== undefined; chunk = await this.some()) yield chunk;
  }
}

/** The same memory as a Buffer. */
export const asBuffer = (data: Uint8Array | string): Buffer =>
  typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
