/**
 * Records → NDJSON as bytes. Fields that were read as bytes and are UTF-8 are copied and escaped
 * byte by byte; `recordToJson` makes the rest. Invariant: the result is that of `recordToJson`.
 */
import {isUtf8} from 'node:buffer';
import {recordToJson, type StreamRecord} from '../records/entry.js';
import {nameToJson} from '../records/names.js';
import {ENTRY_OFFSETS, FIELD_OFFSETS, RawRecord, type RawRecordSource} from '../records/raw-record.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const FIRST_PRINTABLE = 0x20;
/** The longest escape of one byte: `\u0000`. */
const ESCAPED_BYTES = 6;
/** Around a field: four quotes, a colon and a comma. */
const FRAME_BYTES = 6;
/** Of a code unit, at most. */
const UTF8_BYTES = 3;
const PIECE_BYTES = 16 * 1024;
/** The search for repeated names is quadratic; up to this many fields it is quick. */
const MOST_FIELDS = 64;
/** Room beyond the size of the lines before, so that the buffer seldom has to grow. */
const MARGIN = 1.25;
/** The least buffer, for a small batch. */
const LEAST_BYTES = 1_024;
/** The mean line of the last batch. */
let usualLineBytes = 256;

/** The JSON escape of each byte below 0x20. */
const ESCAPES = Array.from({length: FIRST_PRINTABLE}, (_, byte) =>
  Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);

/** One line for each of `records`. `membersOf` gives JSON members for the end of a line, with a comma before them. */
export function ndjson(
  records: readonly StreamRecord[],
  membersOf?: (record: StreamRecord) => string | undefined,
): Buffer {
  const lines = new Lines(Math.ceil(records.length * usualLineBytes * MARGIN) + LEAST_BYTES);
  for (const record of records) {
    if (record instanceof RawRecord && fitsObject(record)) lines.raw(record);
    else lines.json(recordToJson(record));
    const members = membersOf?.(record);
    if (members !== undefined) lines.extend(members);
  }
  const {bytes} = lines;
  if (records.length > 0) usualLineBytes = bytes.length / records.length;
  return bytes;
}

/** Whether its fields are UTF-8 and no name repeats; false if there are too many fields to tell quickly. */
function fitsObject(record: RawRecord): boolean {
  const {page, at, fieldCount} = record;
  const {bytes, offsets} = page;
  if (fieldCount > MOST_FIELDS) return false;
  const first = at + ENTRY_OFFSETS;
  const end = first + FIELD_OFFSETS * fieldCount;
  if (!page.isText && !isUtf8(bytes.subarray(offsets[first], offsets[end - 1]))) return false;
  for (let name = first + FIELD_OFFSETS; name < end; name += FIELD_OFFSETS) {
    for (let earlier = first; earlier < name; earlier += FIELD_OFFSETS) {
      if (samePart(bytes, offsets, earlier, name)) return false;
    }
  }
  return true;
}

function samePart(bytes: Buffer, offsets: Int32Array, a: number, b: number): boolean {
  let atA = offsets[a]!;
  let atB = offsets[b]!;
  const endA = offsets[a + 1]!;
  if (endA - atA !== offsets[b + 1]! - atB) return false;
  while (atA < endA) if (bytes[atA++] !== bytes[atB++]) return false;
  return true;
}

const LINE_END = '}\n';
const BEFORE_FIELDS = Buffer.from('","fields":{');

/** The text before the ID and after the fields, the same for all records of one source. */
interface Frame {
  readonly of: RawRecordSource;
  readonly start: Buffer;
  readonly end: Buffer;
}

/** Of the last record: most have the source of the one before. */
let frame: Frame | undefined;

function frameFor(record: RawRecord): Frame {
  if (frame === undefined || !isFrom(record, frame.of)) frame = newFrame(record);
  return frame;
}

function newFrame({stream, group, consumer, deliveries}: RawRecord): Frame {
  const of = {stream, group, consumer, deliveries};
  const json = recordToJson({id: '', fields: [], ...of});
  const cut = json.indexOf(BEFORE_FIELDS.toString(), `{"stream":${nameToJson(stream)}`.length);
  const start = Buffer.from(json.slice(0, cut));
  const end = Buffer.from(`${json.slice(cut + BEFORE_FIELDS.length)}\n`);
  return {of, start, end};
}

const isFrom = (a: RawRecord, b: RawRecordSource): boolean =>
  a.stream === b.stream && a.group === b.group && a.consumer === b.consumer && a.deliveries === b.deliveries;

/** A growing buffer of lines. */
class Lines {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  json(json: string): void {
    const text = Buffer.from(`${json}\n`);
    this.#reserve(text.length);
    this.#copy(text);
  }

  /** Into the object of the last line, at its end. */
  extend(members: string): void {
    this.#length -= LINE_END.length;
    this.#reserve(UTF8_BYTES * members.length + LINE_END.length);
    this.#length += this.#bytes.write(members, this.#length);
    this.#length += this.#bytes.write(LINE_END, this.#length);
  }

  /** A record whose fields become a JSON object. */
  raw(record: RawRecord): void {
    const {page, at, fieldCount} = record;
    const {offsets} = page;
    const {start, end} = frameFor(record);
    const idStart = offsets[at]!;
    const idEnd = offsets[at + 1]!;
    this.#reserve(start.length + idEnd - idStart + BEFORE_FIELDS.length);
    this.#copy(start);
    this.#plain(page.bytes, idStart, idEnd);
    this.#copy(BEFORE_FIELDS);
    for (let field = 0; field < fieldCount; field++) {
      const first = at + ENTRY_OFFSETS + FIELD_OFFSETS * field;
      this.#reserve(FRAME_BYTES);
      if (field > 0) this.#bytes[this.#length++] = COMMA;
      this.#string(page.bytes, offsets[first]!, offsets[first + 1]!);
      this.#bytes[this.#length++] = COLON;
      this.#string(page.bytes, offsets[first + 2]!, offsets[first + 3]!);
    }
    this.#reserve(end.length);
    this.#copy(end);
  }

  /** Text as a JSON string, in pieces: megabytes should not reserve six times their length. */
  #string(from: Buffer, start: number, end: number): void {
    this.#reserve(FRAME_BYTES);
    this.#bytes[this.#length++] = QUOTE;
    for (let at = start; at < end; at += PIECE_BYTES) this.#escaped(from, at, Math.min(end, at + PIECE_BYTES));
    this.#bytes[this.#length++] = QUOTE;
  }

  #escaped(from: Buffer, start: number, end: number): void {
    // With room for the frame that follows.
    this.#reserve(ESCAPED_BYTES * (end - start) + FRAME_BYTES);
    const to = this.#bytes;
    let length = this.#length;
    for (let at = start; at < end; at++) {
      const byte = from[at]!;
      if (byte < FIRST_PRINTABLE) {
        for (const escaped of ESCAPES[byte]!) to[length++] = escaped;
      } else {
        if (byte === QUOTE || byte === BACKSLASH) to[length++] = BACKSLASH;
        to[length++] = byte;
      }
    }
    this.#length = length;
  }

  #plain(from: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at++) this.#bytes[this.#length++] = from[at]!;
  }

  #copy(from: Buffer): void {
    this.#plain(from, 0, from.length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
