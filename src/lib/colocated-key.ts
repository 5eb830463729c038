/**
 * Names of the keys that streamlog keeps beside a stream (docs/adr/0007), in the same slot of a cluster, since one script uses
 * both. Invariants: two different lists of kind, stream and parts never have the same name; no name is that of a dead letter
 * stream; `KEYSLOT` of the name is that of the stream, whatever bytes its name has.
 */
import {decodeName, encodeName} from './records/names.js';

/**
 * What a key is for: how far a producer has come, what a request with an Idempotency-Key came to, a stream that is being
 * imported, or how much of another stream was copied.
 */
export type KeyKind = 'producer' | 'request' | 'import' | 'copy';

/** `{TAG}:streamlog:KIND:STREAM:PART…`, where STREAM and each PART are escaped. */
export const colocatedKey = (kind: KeyKind, stream: string, ...parts: readonly string[]): string =>
  `{${slotTag(stream)}}:streamlog:${kind}:${[stream, ...parts].map(escapePart).join(':')}`;

/** Whether this is a name that `colocatedKey` makes, for this version or a later one: no name for a stream. */
export const isReservedKey = (name: string): boolean => /^\{[^}]+\}:streamlog:/.test(name);

/** What `colocatedKey` has made a name of; undefined for one that it has not. */
export function ownerOfKey(name: string): {kind: string; stream: string} | undefined {
  const [, kind, escaped] = /^\{[^}]+\}:streamlog:([a-z]+):([^:]*)(?::|$)/.exec(name) ?? [];
  if (kind === undefined || escaped === undefined) return undefined;
  const bytes = escaped.replace(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const stream = decodeName(Buffer.from(bytes, 'latin1'));
  return name.startsWith(colocatedKey(kind as KeyKind, stream)) ? {kind, stream} : undefined;
}

/**
 * The default dead letter stream: `events` → `{events}:dead`, and a name with a
 * hash tag keeps it: `{eu}:orders` → `{eu}:orders:dead`. Where that would be the
 * name of another's, or of none in the same slot, there are two colons
 * (`{events}` → `{events}::dead`), or the name is escaped (`a}b` → `{8411}:%:a%7Db:dead`).
 */
export function deadLetterKey(stream: string): string {
  if (stream === '' || ESCAPED_DEAD_LETTER.test(stream)) return escapedDeadLetter(stream);
  if (hashTagOf(stream) !== undefined) return BARE_TAG.test(stream) ? `${stream}::dead` : `${stream}:dead`;
  return stream.includes('}') ? escapedDeadLetter(stream) : `{${stream}}:dead`;
}

const escapedDeadLetter = (stream: string): string => `{${slotTag(stream)}}:%:${escapePart(stream)}:dead`;

const ESCAPED_DEAD_LETTER = /^\{[^}]+\}:%:/;
const BARE_TAG = /^\{[^}]+\}:*$/;
/** Of Redis Cluster. */
const SLOTS = 16_384;

/** What Redis Cluster hashes of a name: between the first { and the next }, unless that is empty; undefined for the whole name. */
function hashTagOf(name: string): string | undefined {
  const open = name.indexOf('{');
  const close = name.indexOf('}', open + 1);
  return open === -1 || close <= open + 1 ? undefined : name.slice(open + 1, close);
}

/** A text without }, in braces the hash tag of a name in the slot of `stream`: a number where the stream gives none. */
function slotTag(stream: string): string {
  const tag = hashTagOf(stream);
  if (tag !== undefined) return tag;
  if (stream !== '' && !stream.includes('}')) return stream;
  const slot = slotOf(stream);
  for (; !numberIn.has(slot); tried++)
    if (!numberIn.has(slotOf(String(tried)))) numberIn.set(slotOf(String(tried)), tried);
  return String(numberIn.get(slot));
}

/** The lowest number in each slot, as far as it was looked for. */
const numberIn = new Map<number, number>();
let tried = 0;

/** The slot of a name: CRC16 of what is hashed of it (redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec). */
export function slotOf(name: string): number {
  // Latin-1 keeps each byte apart, and braces where they are.
  const bytes = bytesOf(name).toString('latin1');
  const hashed = hashTagOf(bytes) ?? bytes;
  let crc = 0;
  for (let at = 0; at < hashed.length; at++) {
    crc ^= hashed.charCodeAt(at) << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return crc % SLOTS;
}

/** Printable ASCII stays as it is, apart from %, : and braces; every other byte becomes %XX. */
function escapePart(part: string): string {
  if (PLAIN_PART.test(part)) return part;
  let text = '';
  for (const byte of bytesOf(part)) {
    const character = String.fromCharCode(byte);
    text += PLAIN_PART.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

const bytesOf = (name: string): Buffer => Buffer.from(encodeName(name) as string);

const PLAIN_PART = /^[\x21-\x24\x26-\x39\x3b-\x7a\x7c\x7e]*$/;
