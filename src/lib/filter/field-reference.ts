/**
 * What a filter or a selection calls a field: its name or, where an entry has no field of that name, a path into the JSON
 * of the longest field whose name is a prefix. Invariant: fields are found by bytes, and a name that repeats gives each of
 * its values.
 */
import {FIELD_OFFSETS} from '../records/raw-record.js';
import {type RangeTest, rangeEquals, rangeIncludes} from './byte-range.js';
import {bytesOf, type Character, type ExpressionReader, type Word} from './expression-reader.js';
import {JsonPath} from './json-path.js';

/** Fields as offsets into bytes: four for each, from `first` on. */
export interface FieldOffsets {
  readonly bytes: Buffer;
  readonly offsets: Int32Array;
  readonly first: number;
  readonly fieldCount: number;
  /** The same object for all records of the same bytes, which then do not change. */
  readonly page?: unknown;
}

/** A shorter name, and what is looked up in the JSON of its value. */
interface Prefix {
  readonly name: Buffer;
  readonly path: JsonPath;
}

/** To read such JSON takes no longer than to search it first. */
const SHORT_JSON = 64;
/** Beyond any real one: each costs a call. */
const MOST_PARTS = 100;
const BACKSLASH = Buffer.from('\\');

export class FieldReference {
  readonly name: Buffer;
  /** The longest name first. */
  readonly #prefixes: readonly Prefix[];

  constructor(name: Buffer, prefixes: readonly Prefix[] = []) {
    this.name = name;
    this.#prefixes = prefixes;
  }

  /**
   * Whether `test` holds for a value. JSON that has none of `needles`, which the value must contain for that, is not read;
   * with an escape, it may have them all the same.
   */
  some({bytes, offsets, first, fieldCount}: FieldOffsets, test: RangeTest, needles?: readonly Buffer[]): boolean {
    const end = first + FIELD_OFFSETS * fieldCount;
    let isThere = false;
    for (let at = first; at < end; at += FIELD_OFFSETS) {
      if (!rangeEquals(bytes, offsets[at]!, offsets[at + 1]!, this.name)) continue;
      if (test(bytes, offsets[at + 2]!, offsets[at + 3]!)) return true;
      isThere = true;
    }
    if (isThere) return false;
    for (const {name, path} of this.#prefixes) {
      for (let at = first; at < end; at += FIELD_OFFSETS) {
        if (!rangeEquals(bytes, offsets[at]!, offsets[at + 1]!, name)) continue;
        isThere = true;
        const [start, stop] = [offsets[at + 2]!, offsets[at + 3]!];
        if (needles !== undefined && stop - start > SHORT_JSON && !mayHold(bytes, start, stop, needles)) continue;
        if (path.find(bytes, start, stop) && test(path.bytes, path.start, path.end)) return true;
      }
      if (isThere) return false;
    }
    return false;
  }
}

const mayHold = (bytes: Buffer, start: number, end: number, needles: readonly Buffer[]): boolean =>
  needles.some((needle) => rangeIncludes(bytes, start, end, needle)) || rangeIncludes(bytes, start, end, BACKSLASH);

/** The field that `word` names. One in quotes is a name and no path. Throws a usage error where there is none. */
export function fieldReference(reader: ExpressionReader, {characters, isQuoted, at}: Word): FieldReference {
  if (characters.length === 0 && !isQuoted) throw reader.failure('the name of a field is missing', at);
  const parts = partsOf(characters);
  if (parts.length > MOST_PARTS) throw reader.failure(`a path has at most ${MOST_PARTS} parts`, at);
  const prefixes = parts.slice(1).map((_, index): Prefix => {
    const cut = parts.length - 1 - index;
    const name = bytesOf(joined(parts.slice(0, cut)));
    return {name, path: new JsonPath(parts.slice(cut).map(bytesOf))};
  });
  return new FieldReference(bytesOf(characters), prefixes);
}

/** What stands between plain dots. */
function partsOf(characters: readonly Character[]): Character[][] {
  const parts: Character[][] = [[]];
  for (const character of characters) {
    if (character.plain === '.') parts.push([]);
    else parts.at(-1)!.push(character);
  }
  return parts;
}

const POINT: Character = {bytes: Buffer.from('.'), plain: '.'};
const joined = (parts: readonly Character[][]): Character[] =>
  parts.flatMap((part, index) => (index === 0 ? part : [POINT, ...part]));
