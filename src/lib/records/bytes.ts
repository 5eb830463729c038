/**
 * Redis strings are bytes. Nearly all of them are UTF-8 text, and text is what
 * the rest of streamlog wants to work with; the others must survive unchanged.
 * Invariant: a `Bytes` that is a string encodes to exactly the bytes that it
 * came from, and a `Bytes` that is a Buffer is not valid UTF-8.
 */
import {Buffer, isUtf8} from 'node:buffer';

export type Bytes = string | Buffer;

/** Text where the bytes are UTF-8, else the bytes themselves. */
export const decodeBytes = (raw: Buffer): Bytes => (isUtf8(raw) ? raw.toString('utf8') : raw);

/** For keys and names in messages: text, with what is not UTF-8 replaced. */
export const displayBytes = (bytes: Bytes): string => (typeof bytes === 'string' ? bytes : bytes.toString('utf8'));

/** The length that Redis stores, in bytes. */
export const byteLength = (bytes: Bytes): number =>
  typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;

/** Equal as Redis would see it. */
export const sameBytes = (a: Bytes, b: Bytes): boolean =>
  typeof a === 'string' ? a === b : typeof b !== 'string' && a.equals(b);

/** JSON for one value: a string, or `{"$b64":"…"}` for bytes that no JSON string can hold. */
export const bytesToJson = (bytes: Bytes): string =>
  typeof bytes === 'string' ? JSON.stringify(bytes) : `{"$b64":"${bytes.toString('base64')}"}`;
