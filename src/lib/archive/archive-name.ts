/**
 * The names of the files of an archive: the time, in UTC, of the first ID. Invariant: names sort as first IDs do, in each locale,
 * and no other file has such a name.
 */

import type {Compression} from '../transfer/compression.js';
import {withSuffix} from '../transfer/export-file-name.js';
import {PART} from '../transfer/part-file.js';

/** The last millisecond of the year 9999. */
const LAST_DATE_MS = 253_402_300_799_999n;
const SEQUENCE_DIGITS = 6;
/** Of 64 bits. */
const MOST_DIGITS = 20;
const NAME =
  /^(?:\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z|x\d{20})-(?:\d{6}|x\d{20})\.ndjson(?:\.gz|\.zst)?(?<part>\.part)?$/;

/** `2026-12-01T10-00-00.123Z-000000.ndjson.gz`; numbers that do not fit are `x` and 20 digits. */
export function archiveName(firstId: string, compression: Compression | undefined): string {
  const [ms = '', sequence = ''] = firstId.split('-');
  const isDate = BigInt(ms) <= LAST_DATE_MS;
  const time = isDate ? new Date(Number(ms)).toISOString().replaceAll(':', '-') : long(ms);
  const number = sequence.length <= SEQUENCE_DIGITS ? sequence.padStart(SEQUENCE_DIGITS, '0') : long(sequence);
  return withSuffix(`${time}-${number}`, compression);
}

const long = (digits: string): string => `x${digits.padStart(MOST_DIGITS, '0')}`;

export interface NamedFiles {
  /** Those that are finished, in their order. */
  readonly finished: readonly string[];
  /** What those that are not are going to be called. */
  readonly parts: readonly string[];
}

/** Those of the names in a directory that are files of an archive. */
export function archiveFiles(names: readonly string[]): NamedFiles {
  const own = names.filter((name) => NAME.test(name)).sort();
  return {
    finished: own.filter((name) => !name.endsWith(PART)),
    parts: own.filter((name) => name.endsWith(PART)).map((name) => name.slice(0, -PART.length)),
  };
}
