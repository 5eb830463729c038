/**
 * Texts with wildcards, as bytes: `*` is any text, `?` one character. A byte that is not UTF-8 is a character of its own.
 * Invariant: the time is bounded by pattern times text, since texts may be chosen by an attacker.
 */
import {isUtf8} from 'node:buffer';
import {endOfCharacter} from '../records/names.js';
import {indexInRange, type RangeTest, rangeEquals} from './byte-range.js';
import {bytesOf, type Character} from './expression-reader.js';

/** Beside the bytes of a pattern. */
const ANY_TEXT = 256;
const ANY_CHARACTER = 257;
const ASCII = 0x80;

/** A test for texts that are like `characters`, whose plain `*` and `?` are wildcards. */
export function wildcardTest(characters: readonly Character[]): RangeTest {
  const isWild = ({plain}: Character): boolean => plain === '*' || plain === '?';
  if (!characters.some(isWild)) {
    const literal = bytesOf(characters);
    return (bytes, start, end) => rangeEquals(bytes, start, end, literal);
  }
  const pieces = piecesOf(characters);
  // UTF-8 never begins in the middle of another character.
  if (pieces?.every((piece) => isUtf8(piece))) return (bytes, start, end) => hasInOrder(pieces, bytes, start, end);
  const pattern = Uint16Array.from(
    characters.flatMap(({plain, bytes}) => (plain === '*' ? [ANY_TEXT] : plain === '?' ? [ANY_CHARACTER] : [...bytes])),
  );
  return (bytes, start, end) => matches(pattern, bytes, start, end);
}

/** The texts between the stars; undefined where there is a wildcard of another kind. */
function piecesOf(characters: readonly Character[]): Buffer[] | undefined {
  const pieces: Character[][] = [[]];
  for (const character of characters) {
    if (character.plain === '?') return undefined;
    if (character.plain === '*') pieces.push([]);
    else pieces.at(-1)!.push(character);
  }
  return pieces.map(bytesOf);
}

/** Whether the range begins with the first of `pieces` and ends with the last, and has the others between, in their order. */
function hasInOrder(pieces: readonly Buffer[], bytes: Buffer, start: number, end: number): boolean {
  const last = pieces.length - 1;
  let at = start + pieces[0]!.length;
  const stop = end - pieces[last]!.length;
  if (at > stop || !rangeEquals(bytes, start, at, pieces[0]!) || !rangeEquals(bytes, stop, end, pieces[last]!))
    return false;
  for (let index = 1; index < last; index++) {
    const found = indexInRange(bytes, at, stop, pieces[index]!);
    if (found === -1) return false;
    at = found + pieces[index]!.length;
  }
  return true;
}

function matches(pattern: Uint16Array, bytes: Buffer, start: number, end: number): boolean {
  let wanted = 0;
  // The last star, and how far the text that it stands for reaches: what to change when the rest does not fit.
  let star = -1;
  let starEnd = start;
  for (let at = start; at < end; ) {
    const next = pattern[wanted];
    if (next === ANY_TEXT) {
      star = wanted++;
      starEnd = at;
    } else if (next === ANY_CHARACTER) {
      wanted++;
      at = afterCharacter(bytes, at, end);
    } else if (next === bytes[at]) {
      wanted++;
      at++;
    } else if (star !== -1) {
      wanted = star + 1;
      starEnd = afterCharacter(bytes, starEnd, end);
      at = starEnd;
    } else return false;
  }
  while (pattern[wanted] === ANY_TEXT) wanted++;
  return wanted === pattern.length;
}

const afterCharacter = (bytes: Buffer, at: number, end: number): number =>
  bytes[at]! < ASCII ? at + 1 : Math.max(at + 1, endOfCharacter(bytes.subarray(at, end), 0) + at);
