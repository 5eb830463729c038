/**
 * What says which entries are meant: bare IDs, or records as other commands
 * print them, from a pipe or from the command line. Knows no Redis and no
 * defaults. Invariant: the references in front of a bad line leave before the
 * failure does, so a caller has dealt with all of them when it ends.
 */
import {isUtf8} from 'node:buffer';
import {z} from 'zod/mini';
import {StreamlogError, wrongWord} from '../errors.js';
import {nameFromJson} from '../records/names.js';
import {parseStreamId} from '../records/stream-id.js';
import {beginningOf} from '../redact.js';
import {RepeatedKey} from './bad-json.js';
import {type Member, readMembers} from './json-members.js';
import {type Line, readLines} from './lines.js';
import {isNoEntry} from './record-fields.js';

/** One entry; where it is, who had it, how often and for how long, where the record says so. */
export interface IdReference {
  readonly id: string;
  readonly stream?: string;
  readonly group?: string;
  readonly consumer?: string;
  readonly deliveries?: number;
  readonly idleMs?: number;
}

/** Of a record, only where the entry is matters here; its fields may be large. */
const MAX_LINE_BYTES = 512 * 1024 * 1024;

const Name = z.pipe(
  z.transform((value) => nameFromJson(value)),
  z.string(),
);
const Reference = z.object({
  id: z.string(),
  stream: z.optional(Name),
  group: z.optional(Name),
  consumer: z.optional(Name),
  // Others may write what they like under these names; then they say nothing to us.
  deliveries: z.catch(z.optional(z.number().check(z.minimum(0))), undefined),
  idleMs: z.catch(z.optional(z.number().check(z.minimum(0))), undefined),
});

/**
 * A reference from each line, in the batches in which they arrive: the first
 * word of the line, or the line as a JSON record. Blank lines are passed over.
 * Throws a `data` failure, with the number of the line, for anything else.
 * `onRead` is called with the length of each line that was not bad, with its newline.
 */
export async function* readIds(
  source: AsyncIterable<Uint8Array | string>,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<IdReference[], void, void> {
  for await (const lines of readLines(source, {maxBytes: MAX_LINE_BYTES})) {
    const references: IdReference[] = [];
    let bad: StreamlogError | undefined;
    for (const line of lines) {
      const found = readLine(line);
      if (typeof found === 'string') {
        bad = new StreamlogError('data', `line ${line.number}: ${found}`, {hint: LINE_HINT});
        break;
      }
      if (found !== undefined) references.push(found);
      onRead('bytes' in line ? line.bytes.length + 1 : 0);
    }
    if (references.length > 0) yield references;
    if (bad !== undefined) throw bad;
  }
}

/** The same from arguments. Throws a usage error. */
export function readIdArguments(args: readonly string[]): IdReference[] {
  return args.map((arg) => {
    const found = readReference(arg.trim()) ?? 'a line of an export that is no entry';
    if (typeof found === 'string') throw wrongWord(arg, found, 'an ID looks like 1526919030474-55');
    return found;
  });
}

const LINE_HINT = 'each line is an ID, or a record as streamlog prints it';

/** Undefined for a blank line, and for one of an export that is no entry; what is wrong, as text, for a bad one. */
function readLine(line: Line): IdReference | string | undefined {
  if ('tooLongBytes' in line) return `${line.tooLongBytes} bytes are too long for a record`;
  if (!isUtf8(line.bytes)) return 'it is not valid UTF-8';
  const text = line.bytes.toString('utf8').trim();
  if (text === '') return undefined;
  return readReference(text.startsWith('{') ? text : text.split(/\s/, 1)[0]!);
}

function readReference(text: string): IdReference | string | undefined {
  if (text.startsWith('{')) return readRecord(text);
  return withId(text, {}) ?? `${quoted(text)} is not a valid entry ID`;
}

/** Undefined for a line of an export that is no entry. */
function readRecord(json: string): IdReference | string | undefined {
  let members: Member[];
  try {
    members = readMembers(json);
  } catch (error) {
    // Which of the two is meant is not ours to guess.
    return error instanceof RepeatedKey ? 'the same key comes twice' : 'this is no valid JSON';
  }
  if (isNoEntry((key) => members.find((member) => member.key === key))) return undefined;
  const known = members.filter(({key}) => Object.hasOwn(Reference.shape, key));
  const record = Reference.safeParse(Object.fromEntries(known.map((member) => [member.key, parsed(member)])));
  if (!record.success) return 'a record has an "id", and "stream", "group" and "consumer" are names';
  const {id, ...owner} = record.data;
  return withId(id, owner) ?? `${quoted(id)} is not a valid entry ID`;
}

const parsed = ({kind, text}: Member): unknown => (kind === 'string' ? text : JSON.parse(text));

function withId(
  text: string,
  rest: {[Key in keyof IdReference]?: IdReference[Key] | undefined},
): IdReference | undefined {
  const id = parseStreamId(text);
  if (id === undefined) return undefined;
  return {...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as object), id};
}

/** Of what is no ID, for a message. */
const quoted = (text: string): string => `"${beginningOf(text, 40)}"`;
