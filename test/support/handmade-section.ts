/** Export files as format 1 has them, written here by hand: for tests of `import` that do not trust `export`. */
import {createHash} from 'node:crypto';

export interface Member {
  group: string;
  consumer: string | null;
  deliveredAt: number;
  /** A string for digits that a number cannot hold. */
  deliveries: number | string;
}

export interface Line {
  id: string;
  /** Undefined for an entry that is gone. */
  fields?: Record<string, string>;
  pending?: Member[];
}

export interface Header {
  stream: string;
  lastGeneratedId: string;
  entriesAdded?: number | string;
  maxDeletedId?: string;
  groups?: {name: string; lastDeliveredId: string; entriesRead?: number | string; consumers?: string[]}[];
  version?: number;
}

/** Digits that are written as a string become a number. */
const json = (value: unknown): string => JSON.stringify(value).replace(/:"(\d{16,20})"/g, ':$1');

/** The lines of one section, without their newlines: the header, the entries and the trailer. */
export function sectionLines(
  {stream, version = 1, groups = [], ...header}: Header,
  entries: readonly Line[],
): string[] {
  const present = entries.filter(({fields}) => fields !== undefined);
  const pendingOf = (group: string): number =>
    entries.flatMap(({pending = []}) => pending).filter((one) => one.group === group).length;
  const head = {
    streamlog: 'export',
    version,
    stream,
    at: '2026-12-01T00:50:11.412Z',
    server: 'redis 7.0.15',
    whole: true,
    length: present.length,
    ...(present.length === 0 ? {} : {firstId: present[0]!.id}),
    ...header,
    groups: groups.map((group) => ({...group, pending: pendingOf(group.name)})),
  };
  const lines = [
    json(head),
    ...entries.map(({id, fields, pending}) =>
      json({
        stream,
        id,
        ...(fields === undefined ? {gone: true} : {fields}),
        ...(pending === undefined ? {} : {pending}),
      }),
    ),
  ];
  return [...lines, trailer(stream, lines, entries)];
}

function trailer(stream: string, lines: readonly string[], entries: readonly Line[]): string {
  const sha256 = createHash('sha256')
    .update(lines.map((line) => `${line}\n`).join(''))
    .digest('hex');
  const gone = entries.filter(({fields}) => fields === undefined).length;
  const pending = entries.reduce((sum, one) => sum + (one.pending?.length ?? 0), 0);
  return json({streamlog: 'end', stream, entries: entries.length - gone, gone, pending, missing: 0, sha256});
}

/** All of it as a file has it. */
export const fileOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

export const section = (header: Header, entries: readonly Line[]): string => fileOf(sectionLines(header, entries));

/** A section of `count` entries from 1-0 on, every tenth pending with `w`, and every hundredth gone. */
export function longSection(stream: string, count: number, size = 10): string {
  const pending = (n: number): Member[] => [
    {group: 'g', consumer: `w${n % 3}`, deliveredAt: 1_700_000_000_000 + n, deliveries: 1 + (n % 4)},
  ];
  const entries = Array.from({length: count}, (_, index): Line => {
    const n = index + 1;
    if (n % 100 === 0) return {id: `${n}-0`, pending: pending(n)};
    return {
      id: `${n}-0`,
      fields: {n: String(n), text: 'x'.repeat(size)},
      ...(n % 10 === 0 ? {pending: pending(n)} : {}),
    };
  });
  const last = `${count}-0`;
  const gone = Math.floor(count / 100);
  return section(
    {
      stream,
      lastGeneratedId: last,
      entriesAdded: count,
      maxDeletedId: `${gone * 100}-0`,
      groups: [{name: 'g', lastDeliveredId: last, entriesRead: count, consumers: ['w0', 'w1', 'w2', 'idle']}],
    },
    entries,
  );
}

/** A section whose entries are all pending, spread over the consumers and not in the order of their delivery. */
export function crowdedSection(stream: string, count: number, consumers: number): string {
  const entries = Array.from(
    {length: count},
    (_, n): Line => ({
      id: `${n + 1}-0`,
      fields: {n: String(n)},
      pending: [
        {
          group: 'g',
          consumer: `w${(n * 7) % consumers}`,
          deliveredAt: 1_700_000_000_000 - ((n * 7_919) % 1_000_003),
          deliveries: 1,
        },
      ],
    }),
  );
  const names = Array.from({length: consumers}, (_, n) => `w${n}`);
  const last = `${count}-0`;
  const groups = [{name: 'g', lastDeliveredId: last, entriesRead: count, consumers: names}];
  return section({stream, lastGeneratedId: last, entriesAdded: count, groups}, entries);
}
