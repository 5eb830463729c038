/** Sections for tests: drawn at random, with what hostile names and the limits of Redis have to offer. */
import fc from 'fast-check';
import {decodeName} from '../../../src/lib/records/names.js';
import {compareStreamIds} from '../../../src/lib/records/stream-id.js';
import type {PendingMember, SectionHash, SectionHeader} from '../../../src/lib/transfer/section.js';
import {entryLines, goneLine, hashLine, headerLine, trailerLine} from '../../../src/lib/transfer/section-lines.js';
import {SectionTotals} from '../../../src/lib/transfer/section-totals.js';
import {fields, rawBytes, streamId, text} from '../arbitraries.js';

const wellFormed = text.map((name) => name.toWellFormed());
export const name = fc.oneof(wellFormed, rawBytes.map(decodeName));
const count = fc.oneof(fc.nat(), fc.bigInt({min: 2n ** 53n, max: 2n ** 63n - 1n}));
const someFields = fields.filter((list) => list.length > 0);
const size = fc.nat();

export interface DrawnSection {
  header: SectionHeader;
  entries: {
    id: string;
    fields: readonly (readonly [string | Buffer, string | Buffer])[] | undefined;
    pending: PendingMember[];
  }[];
  hashes: SectionHash[];
}

const optional = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, {nil: undefined});

const group = fc.record({
  name,
  lastDeliveredId: streamId,
  entriesRead: optional(count),
  pending: size,
  consumers: optional(fc.array(name, {maxLength: 3})),
});

/** A section, whose entries are pending in its groups and in order. */
export const section: fc.Arbitrary<DrawnSection> = fc
  .record({
    stream: name,
    at: fc.date({min: new Date(0), max: new Date(8e12), noInvalidDate: true}).map((date) => date.toISOString()),
    server: optional(fc.constantFrom('redis 7.0.15', 'valkey 9.1.2')),
    whole: fc.boolean(),
    length: size,
    firstId: optional(streamId),
    lastGeneratedId: fc.constant('18446744073709551615-18446744073709551615'),
    entriesAdded: optional(count),
    maxDeletedId: optional(streamId),
    from: optional(streamId),
    to: optional(streamId),
    filter: optional(fc.array(wellFormed, {maxLength: 2})),
    pendingOnly: optional(fc.boolean()),
    masked: optional(fc.array(wellFormed, {maxLength: 2})),
    groups: fc.uniqueArray(group, {maxLength: 3, selector: ({name}) => name}),
  })
  .chain((header) => {
    const member = (groupName: string): fc.Arbitrary<PendingMember> =>
      fc.record({
        group: fc.constant(groupName),
        consumer: optional(name),
        deliveredAt: fc.nat(),
        deliveries: fc.oneof(count, fc.constant(-1)),
      });
    const names = header.groups.map((one) => one.name);
    const pending = fc.subarray(names).chain((some) => fc.tuple(...some.map(member)));
    const entry = fc
      .record({id: streamId, fields: optional(someFields), pending})
      .filter((one) => one.fields !== undefined || one.pending.length > 0);
    const hash: fc.Arbitrary<SectionHash> = fc.record({
      of: fc.constantFrom('producer' as const, 'request' as const),
      key: fc.string(),
      expiresAt: optional(fc.nat()),
      fields: someFields,
    });
    return fc.record({
      header: fc.constant(header),
      entries: fc
        .uniqueArray(entry, {maxLength: 8, selector: ({id}) => id})
        .map((list) => list.sort((a, b) => compareStreamIds(a.id, b.id))),
      hashes: fc.array(hash, {maxLength: 2}),
    });
  });

/** The lines of a section as `export` writes them, its header first and its trailer last. */
export function linesOf({header, entries, hashes}: DrawnSection): Buffer[] {
  const {stream} = header;
  const totals = new SectionTotals();
  const lines = [headerLine(header)];
  for (const {id, fields: list, pending} of entries) {
    totals.pending += pending.length;
    if (list === undefined) {
      totals.gone++;
      lines.push(goneLine(stream, id, pending));
    } else {
      totals.entries++;
      lines.push(entryLines([{stream, id, fields: list}], () => pending));
    }
  }
  for (const hash of hashes) lines.push(hashLine(stream, hash));
  for (const line of lines) totals.take(line);
  return [...lines, trailerLine(stream, totals.trailer(0))];
}
