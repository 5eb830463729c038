/** One line of an export file → what it says. Invariant: a line that says less or other than format 1 asks for is refused, with its column. */
import {BadJson} from '../input/bad-json.js';
import {type Member, readMembers, readObjectsOf} from '../input/json-members.js';
import {fieldsOf} from '../input/record-fields.js';
import {nameFromJson} from '../records/names.js';
import {isEntryId} from '../records/stream-id.js';
import {
  type Count,
  FORMAT_VERSION,
  type GoneEntry,
  type PendingMember,
  type SectionEntry,
  type SectionGroup,
  type SectionHash,
  type SectionHeader,
  type SectionTrailer,
} from './section.js';

/** What a line says of a stream; `stream` is undefined where it names none. */
export type SectionLine =
  | ({readonly kind: 'header'} & SectionHeader)
  | ({readonly kind: 'entry'; readonly stream: string | undefined} & SectionEntry)
  | ({readonly kind: 'gone'; readonly stream: string | undefined} & GoneEntry)
  | ({readonly kind: 'hash'; readonly stream: string} & SectionHash)
  | ({readonly kind: 'end'; readonly stream: string} & SectionTrailer);

const MAX_COUNT = 2n ** 63n - 1n;
/** What ISO 8601 of `Date` looks like. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Throws BadJson. */
export function readSectionLine(json: string): SectionLine {
  const members = new Members(readMembers(json), json);
  switch (members.optional('streamlog', textOf)) {
    case undefined:
      return entryOf(members);
    case 'export':
      return headerOf(members);
    case 'hash':
      return hashOf(members);
    case 'end':
      return trailerOf(members);
    default:
      throw new BadJson('"streamlog" is none of "export", "hash" and "end"', members.columnOf('streamlog'));
  }
}

function headerOf(members: Members): SectionLine {
  const version = members.required('version', wholeNumber);
  if (version > FORMAT_VERSION)
    throw new BadJson(
      `the format has version ${version}, and this streamlog reads up to ${FORMAT_VERSION}`,
      members.columnOf('version'),
    );
  if (version < 1) throw new BadJson('"version" is at least 1', members.columnOf('version'));
  return {
    kind: 'header',
    stream: members.required('stream', nameOf),
    at: members.required('at', timeOf),
    server: members.optional('server', textOf),
    whole: members.required('whole', yesOrNo),
    length: members.required('length', wholeNumber),
    firstId: members.optional('firstId', idOf),
    lastGeneratedId: members.required('lastGeneratedId', idOf),
    entriesAdded: members.optional('entriesAdded', countOf),
    maxDeletedId: members.optional('maxDeletedId', idOf),
    from: members.optional('from', idOf),
    to: members.optional('to', idOf),
    filter: members.optional('filter', namesOf),
    pendingOnly: members.optional('pendingOnly', yesOrNo),
    masked: members.optional('masked', namesOf),
    groups: groupsOf(members),
  };
}

function groupsOf(members: Members): SectionGroup[] {
  const groups = members.objects('groups', (group) => ({
    name: group.required('name', nameOf),
    lastDeliveredId: group.required('lastDeliveredId', idOf),
    entriesRead: group.optional('entriesRead', countOf),
    pending: group.required('pending', wholeNumber),
    consumers: group.optional('consumers', namesOf),
  }));
  if (groups === undefined) throw new BadJson('the header of a section has "groups"', 1);
  if (new Set(groups.map(({name}) => name)).size < groups.length)
    throw new BadJson('a group comes twice', members.columnOf('groups'));
  return groups;
}

function entryOf(members: Members): SectionLine {
  const id = members.required('id', idOf);
  const stream = members.optional('stream', nameOf);
  const pending = members.objects('pending', pendingOf) ?? [];
  if (new Set(pending.map(({group}) => group)).size < pending.length)
    throw new BadJson('an entry is pending once for each group', members.columnOf('pending'));
  if (members.optional('gone', yesOrNo) !== true)
    return {kind: 'entry', stream, id, fields: fieldsOf(members.byKey, members.json), pending};
  if (pending.length === 0) throw new BadJson('an entry that is gone is pending', members.columnOf('gone'));
  return {kind: 'gone', stream, id, pending};
}

const pendingOf = (member: Members): PendingMember => ({
  group: member.required('group', nameOf),
  consumer: member.optional('consumer', nameOf),
  deliveredAt: member.required('deliveredAt', wholeNumber),
  deliveries: member.required('deliveries', countOf),
});

function hashOf(members: Members): SectionLine {
  const of = members.required('of', textOf);
  if (of !== 'producer' && of !== 'request')
    throw new BadJson('"of" is "producer" or "request"', members.columnOf('of'));
  return {
    kind: 'hash',
    stream: members.required('stream', nameOf),
    of,
    key: members.required('key', textOf),
    expiresAt: members.optional('expiresAt', wholeNumber),
    fields: fieldsOf(members.byKey, members.json),
  };
}

const trailerOf = (members: Members): SectionLine => ({
  kind: 'end',
  stream: members.required('stream', nameOf),
  entries: members.required('entries', wholeNumber),
  gone: members.required('gone', wholeNumber),
  pending: members.required('pending', wholeNumber),
  missing: members.required('missing', wholeNumber),
  sha256: members.required('sha256', (member) => {
    if (member.kind !== 'string' || !/^[\da-f]{64}$/.test(member.text)) throw wrong(member, '64 hexadecimal digits');
    return member.text;
  }),
});

/** The members of an object by their names. Null counts as left out. */
class Members {
  readonly byKey: ReadonlyMap<string, Member>;
  readonly json: string;

  constructor(members: readonly Member[], json: string) {
    this.byKey = new Map(members.map((member) => [member.key, member]));
    this.json = json;
  }

  columnOf(key: string): number {
    return this.byKey.get(key)?.column ?? 1;
  }

  optional<T>(key: string, read: (member: Member) => T): T | undefined {
    const member = this.byKey.get(key);
    return member === undefined || member.kind === 'null' ? undefined : read(member);
  }

  required<T>(key: string, read: (member: Member) => T): T {
    const value = this.optional(key, read);
    if (value === undefined) throw new BadJson(`"${key}" is not there`, this.columnOf(key));
    return value;
  }

  /** A list of objects. */
  objects<T>(key: string, read: (members: Members) => T): T[] | undefined {
    return this.optional(key, (list) => {
      if (list.kind !== 'nested' || !list.text.startsWith('[')) throw wrong(list, 'a list of objects');
      const found: T[] = [];
      readObjectsOf(list, this.json, (members) => found.push(read(new Members(members, this.json))));
      return found;
    });
  }
}

const wrong = ({key, column}: Member, what: string): BadJson => new BadJson(`"${key}" is not ${what}`, column);

function textOf(member: Member): string {
  if (member.kind !== 'string') throw wrong(member, 'text');
  return member.text;
}

function yesOrNo(member: Member): boolean {
  if (member.kind !== 'true' && member.kind !== 'false') throw wrong(member, 'true or false');
  return member.kind === 'true';
}

function idOf(member: Member): string {
  if (member.kind !== 'string' || !isEntryId(member.text)) throw wrong(member, 'an entry ID');
  return member.text;
}

function timeOf(member: Member): string {
  if (member.kind !== 'string' || !TIME.test(member.text) || Number.isNaN(Date.parse(member.text)))
    throw wrong(member, 'a time such as 2026-12-01T00:50:11.412Z');
  return member.text;
}

function wholeNumber(member: Member): number {
  const value = member.kind === 'number' && /^\d{1,16}$/.test(member.text) ? Number(member.text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw wrong(member, 'a whole number');
  return value;
}

function countOf(member: Member): Count {
  const digits = member.kind === 'number' && /^-?\d{1,20}$/.test(member.text) ? member.text : undefined;
  if (digits === undefined) throw wrong(member, 'a whole number');
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(digits);
  if (exact > MAX_COUNT || exact < -MAX_COUNT - 1n) throw wrong(member, 'a number of 64 bits');
  return exact;
}

function nameOf(member: Member): string {
  const name = member.kind === 'string' ? member.text : nameFromJson(JSON.parse(member.text));
  if (name === undefined) throw wrong(member, 'a name, or {"$b64":"…"}');
  return name;
}

function namesOf(member: Member): string[] {
  const list: unknown = member.kind === 'nested' ? JSON.parse(member.text) : undefined;
  const names = Array.isArray(list) ? list.map(nameFromJson) : [undefined];
  if (!names.every((name) => name !== undefined)) throw wrong(member, 'a list of names');
  return names;
}
