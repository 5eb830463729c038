/**
 * Recognises the usual line of an entry as `export` writes it, in one pass over its bytes: strings without escapes, and members
 * in their order. All else is left to section-line.ts, which also says what is wrong with a line. Invariant: in valid UTF-8,
 * what is accepted here says what section-line.ts finds in it.
 */
import {endOfPlainString} from '../input/json-scan.js';
import type {Field} from '../records/entry.js';
import {REFUSED} from '../records/json-tokens.js';
import {nameToJson} from '../records/names.js';
import type {RawFields} from '../records/raw-fields.js';
import {isIdIn} from '../records/stream-id.js';
import type {PendingMember} from './section.js';
import {readSectionLine} from './section-line.js';

/** Each name is compared with those before it. */
const MAX_FIELDS = 64;
const OFFSETS = 4;
const [QUOTE, COLON, COMMA, OBJECT_END] = [0x22, 0x3a, 0x2c, 0x7d];
const FIELDS = Buffer.from('","fields":{');
const PENDING = Buffer.from(',"pending":');
const NONE: readonly PendingMember[] = [];

/** An entry whose fields are decoded when they are asked for. */
export class RawEntryLine {
  readonly kind = 'entry';
  readonly stream: string;
  readonly id: string;
  readonly raw: RawFields;
  readonly pending: readonly PendingMember[];

  constructor(stream: string, id: string, raw: RawFields, pending: readonly PendingMember[]) {
    this.stream = stream;
    this.id = id;
    this.raw = raw;
    this.pending = pending;
  }

  get fields(): readonly Field[] {
    const {bytes, offsets, fieldCount} = this.raw;
    const text = (at: number): string => bytes.toString('utf8', offsets[at], offsets[at + 1]);
    return Array.from({length: fieldCount}, (_, index): Field => [text(OFFSETS * index), text(OFFSETS * index + 2)]);
  }
}

export class EntryFastPath {
  readonly #stream: string;
  /** What the line of an entry begins with. */
  readonly #prefix: Buffer;
  readonly #offsets = new Int32Array(OFFSETS * MAX_FIELDS);

  constructor(stream: string) {
    this.#stream = stream;
    this.#prefix = Buffer.from(`{"stream":${nameToJson(stream)},"id":"`);
  }

  /** `line` is valid UTF-8, without its newline, and does not change. Undefined where it is not for here. Throws BadJson for what is pending. */
  read(line: Buffer): RawEntryLine | undefined {
    const start = this.#prefix.length;
    if (!hasAt(line, 0, this.#prefix)) return undefined;
    const idEnd = line.indexOf(QUOTE, start);
    if (idEnd === -1 || !isIdIn(line, start, idEnd)) return undefined;
    const fieldsStart = idEnd + FIELDS.length;
    if (!hasAt(line, idEnd, FIELDS)) return undefined;
    const fieldCount = this.#fields(line, fieldsStart);
    if (fieldCount === REFUSED) return undefined;
    const offsets = this.#offsets.slice(0, OFFSETS * fieldCount);
    // Behind the quote of the last value, and the end of the fields.
    const pending = pendingAt(line, offsets.at(-1)! + 2);
    if (pending === undefined) return undefined;
    const id = line.toString('latin1', start, idEnd);
    return new RawEntryLine(this.#stream, id, {bytes: line, offsets, fieldCount}, pending);
  }

  /** Notes the offsets of the fields whose first begins at `start`, up to the end of the object; returns how many there are. */
  #fields(line: Buffer, start: number): number {
    const offsets = this.#offsets;
    let at = start;
    for (let field = 0; field < MAX_FIELDS; field++) {
      if (line[at] !== QUOTE) return REFUSED;
      const nameEnd = endOfPlainString(line, at + 1);
      if (nameEnd === REFUSED || line[nameEnd + 1] !== COLON || line[nameEnd + 2] !== QUOTE) return REFUSED;
      if (this.#isKnown(line, at + 1, nameEnd, field)) return REFUSED;
      const valueEnd = endOfPlainString(line, nameEnd + 3);
      if (valueEnd === REFUSED) return REFUSED;
      const index = OFFSETS * field;
      offsets[index] = at + 1;
      offsets[index + 1] = nameEnd;
      offsets[index + 2] = nameEnd + 3;
      offsets[index + 3] = valueEnd;
      if (line[valueEnd + 1] === OBJECT_END) return field + 1;
      if (line[valueEnd + 1] !== COMMA) return REFUSED;
      at = valueEnd + 2;
    }
    return REFUSED;
  }

  /** Whether one of the first `fields` fields has this name. */
  #isKnown(line: Buffer, start: number, end: number, fields: number): boolean {
    for (let index = 0; index < OFFSETS * fields; index += OFFSETS) {
      const shift = end - this.#offsets[index + 1]!;
      if (start - this.#offsets[index]! !== shift) continue;
      let at = end - 1;
      while (at >= start && line[at] === line[at - shift]) at--;
      if (at < start) return true;
    }
    return false;
  }
}

const hasAt = (line: Buffer, at: number, part: Buffer): boolean =>
  line.length >= at + part.length && line.compare(part, 0, part.length, at, at + part.length) === 0;

/** What is pending as the rest of the line from `at` on says; undefined where the rest says something else. */
function pendingAt(line: Buffer, at: number): readonly PendingMember[] | undefined {
  if (line[at] === OBJECT_END) return at === line.length - 1 ? NONE : undefined;
  if (!hasAt(line, at, PENDING)) return undefined;
  const rest = readSectionLine(`{"id":"1-1","gone":true${line.toString('utf8', at)}`);
  return rest.kind === 'gone' ? rest.pending : undefined;
}
