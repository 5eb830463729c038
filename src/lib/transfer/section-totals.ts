/** What is counted of a section while it is written or read, and the SHA-256 of its bytes before the trailer. */
import type {Buffer} from 'node:buffer';
import {createHash, type Hash} from 'node:crypto';
import type {SectionTrailer} from './section.js';

export class SectionTotals {
  entries = 0;
  gone = 0;
  /** Members of `pending`. */
  pending = 0;
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');

  /** The next bytes of the section, newlines included. */
  take(bytes: Buffer): void {
    this.bytes += bytes.length;
    this.#hash.update(bytes);
  }

  /** What the trailer says. Ends the hash: once. */
  trailer(missing: number): SectionTrailer {
    const {entries, gone, pending} = this;
    return {entries, gone, pending, missing, sha256: this.#hash.digest('hex')};
  }
}
