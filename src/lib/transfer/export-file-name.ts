/**
 * The name of the file of a stream, in a directory of exports. Invariant: streams with different names have different files,
 * and no name leaves the directory, hides its file, or is too long for a file system.
 */
import {createHash} from 'node:crypto';
import {encodeName} from '../records/names.js';
import type {Compression} from './compression.js';

const SUFFIX = {gzip: '.gz', zstd: '.zst'} as const;
/** With what is put behind it, of the 255 bytes that file systems allow. */
const MOST_BYTES = 200;
const HASH_DIGITS = 32;

/** `orders.ndjson`, `a%2Fb.ndjson.gz`. */
export const fileNameOf = (stream: string, compression: Compression | undefined): string =>
  withSuffix(directoryNameOf(stream), compression);

/** `a.ndjson`, `a.ndjson.gz`. */
export const withSuffix = (name: string, compression: Compression | undefined): string =>
  `${name}.ndjson${compression === undefined ? '' : SUFFIX[compression]}`;

/** `orders`, `a%2Fb`: that of a directory with files of one stream. */
export function directoryNameOf(stream: string): string {
  const bytes = Buffer.from(encodeName(stream) as string);
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const isPlain = /[\w.:@+,={}-]/.test(character) && !(text === '' && /[.-]/.test(character));
    text += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (text.length > MOST_BYTES) {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, HASH_DIGITS);
    text = `${text.slice(0, MOST_BYTES - HASH_DIGITS - 1)}~${hash}`;
  }
  return text;
}

/** What the name of a file says about how it is compressed. */
export const compressionOfName = (path: string): Compression | undefined =>
  path.endsWith('.gz') ? 'gzip' : path.endsWith('.zst') ? 'zstd' : undefined;
