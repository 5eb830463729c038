/** IDs of entries that are pending and not in the stream, in the order they come. 16 bytes each: there may be a million. */
import {ByteBuilder} from '../byte-builder.js';

const ID_BYTES = 16;
const PART_BYTES = 8;

export class GoneIds extends ByteBuilder {
  constructor() {
    super(ID_BYTES * 64);
  }

  add(id: string): void {
    const [ms, sequence] = id.split('-') as [string, string];
    this.reserve(ID_BYTES);
    this.bytes.writeBigUInt64BE(BigInt(ms), this.length);
    this.bytes.writeBigUInt64BE(BigInt(sequence), this.length + PART_BYTES);
    this.length += ID_BYTES;
  }

  /** At most `most` at a time. */
  *batches(most: number): Generator<string[], void, void> {
    for (let start = 0; start < this.length; start += most * ID_BYTES) {
      const ids: string[] = [];
      for (let at = start; at < Math.min(this.length, start + most * ID_BYTES); at += ID_BYTES)
        ids.push(`${this.bytes.readBigUInt64BE(at)}-${this.bytes.readBigUInt64BE(at + PART_BYTES)}`);
      yield ids;
    }
  }
}
