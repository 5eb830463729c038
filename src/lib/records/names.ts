/**
 * Names of streams, groups and consumers: any bytes in Redis, nearly always
 * text. Inside streamlog a name is a string in which each byte that is not UTF-8
 * stands as a lone surrogate from U+DC80 to U+DCFF, as in PEP 383. Invariant:
 * `encodeName(decodeName(bytes))` is `bytes`, so names that differ stay different.
 */
import {Buffer, isUtf8} from 'node:buffer';
import {type Bytes, bytesToJson} from './bytes.js';

/** A byte that is not UTF-8 is this code unit plus the byte. */
const ESCAPE = 0xdc00;
const LONE_SURROGATE = /\p{Cs}/u;
const ESCAPED_BYTE = /[\udc80-\udcff]/u;

/** The name that Redis holds as `raw`. */
export function decodeName(raw: Uint8Array): string {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const end = endOfCharacter(bytes, at);
    name += end === at ? String.fromCharCode(ESCAPE + bytes[at]!) : bytes.toString('utf8', at, end);
    at = end === at ? at + 1 : end;
  }
  return name;
}

/** What to send to Redis for `name`: the name itself where it is text. */
export function encodeName(name: string): Bytes {
  if (!LONE_SURROGATE.test(name)) return name;
  return Buffer.concat(
    Array.from(name, (character) =>
      ESCAPED_BYTE.test(character) ? Buffer.of(character.charCodeAt(0) - ESCAPE) : Buffer.from(character),
    ),
  );
}

/** Whether a name is text, and not other bytes. */
export const isText = (name: string): boolean => !LONE_SURROGATE.test(name);

/** JSON for a name: a string, or `{"$b64":"…"}` for bytes that no JSON string can hold. */
export const nameToJson = (name: string): string => bytesToJson(encodeName(name));

/** The name that a record holds as a string or as `{"$b64":"…"}`; undefined when it is neither. */
export function nameFromJson(value: unknown): string | undefined {
  if (typeof value === 'string') return LONE_SURROGATE.test(value) ? undefined : value;
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== '$b64') return undefined;
  const base64 = (value as {$b64: unknown}).$b64;
  if (typeof base64 !== 'string' || Buffer.from(base64, 'base64').toString('base64') !== base64) return undefined;
  return decodeName(Buffer.from(base64, 'base64'));
}

/** The name that somebody typed: as it stands, or `{"$b64":"…"}` as output has it. Undefined when it is empty. */
export function nameFromText(text: string): string | undefined {
  if (!text.startsWith('{"$b64"')) return text === '' ? undefined : text;
  try {
    return nameFromJson(JSON.parse(text)) ?? text;
  } catch {
    return text;
  }
}

/** Facts as JSON; names in them that are not text come as `{"$b64":"…"}`, and whole numbers of any size as numbers. */
export const factsToJson = (facts: object): string =>
  JSON.stringify(facts, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `${DIGITS}${value}`;
    return typeof value === 'string' && LONE_SURROGATE.test(value)
      ? {$b64: (encodeName(value) as Buffer).toString('base64')}
      : value;
  }).replace(/"\\udbff(-?\d+)"/g, '$1');

/** Before the digits of a number that JSON.stringify has no way to write; no other string can begin with it. */
const DIGITS = '\udbff';

/** Behind the UTF-8 character that begins at `at`; `at` itself where none does. */
export function endOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const end = Math.min(at + length, bytes.length);
  return isUtf8(bytes.subarray(at, end)) ? end : at;
}
