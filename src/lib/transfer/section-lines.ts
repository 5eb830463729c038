/**
 * The lines of a section as bytes, each with its newline. Invariant: `readSectionLine` reads back what was written, and
 * equal facts give equal bytes, so that two sections can be compared by their SHA-256.
 */
import {Buffer} from 'node:buffer';
import {ndjson} from '../output/ndjson.js';
import {fieldsToJson, type StreamRecord} from '../records/entry.js';
import {factsToJson, nameToJson} from '../records/names.js';
import {
  FORMAT_VERSION,
  type PendingMember,
  type SectionHash,
  type SectionHeader,
  type SectionTrailer,
} from './section.js';

/** Members in this order, whatever order the header has them in. */
const HEADER_MEMBERS = [
  'stream',
  'at',
  'server',
  'whole',
  'length',
  'firstId',
  'lastGeneratedId',
  'entriesAdded',
  'maxDeletedId',
  'from',
  'to',
  'filter',
  'pendingOnly',
  'masked',
] as const;

export function headerLine({groups, ...facts}: SectionHeader): Buffer {
  return line({
    streamlog: 'export',
    version: FORMAT_VERSION,
    ...Object.fromEntries(HEADER_MEMBERS.map((name) => [name, facts[name]])),
    groups: groups.map(({name, lastDeliveredId, entriesRead, pending, consumers}) => ({
      name,
      lastDeliveredId,
      entriesRead,
      pending,
      consumers,
    })),
  });
}

/** A line for each of `records`, with what `pendingOf` gives for its ID. */
export const entryLines = (
  records: readonly StreamRecord[],
  pendingOf?: (id: string) => readonly PendingMember[] | undefined,
): Buffer =>
  ndjson(
    records,
    pendingOf &&
      ((record) => {
        const pending = pendingOf(record.id);
        return pending === undefined || pending.length === 0 ? undefined : `,${pendingJson(pending)}`;
      }),
  );

export const goneLine = (stream: string, id: string, pending: readonly PendingMember[]): Buffer =>
  Buffer.from(`{"stream":${nameToJson(stream)},"id":"${id}","gone":true,${pendingJson(pending)}}\n`);

export function hashLine(stream: string, {of, key, expiresAt, fields}: SectionHash): Buffer {
  const json = fieldsToJson(fields);
  const facts = factsToJson({streamlog: 'hash', stream, of, key, expiresAt}).slice(0, -1);
  return Buffer.from(`${facts},"${json.startsWith('[') ? 'pairs' : 'fields'}":${json}}\n`);
}

export const trailerLine = (stream: string, {entries, gone, pending, missing, sha256}: SectionTrailer): Buffer =>
  line({streamlog: 'end', stream, entries, gone, pending, missing, sha256});

const line = (facts: object): Buffer => Buffer.from(`${factsToJson(facts)}\n`);

const pendingJson = (pending: readonly PendingMember[]): string => `"pending":[${pending.map(memberJson).join(',')}]`;

const memberJson = ({group, consumer, deliveredAt, deliveries}: PendingMember): string =>
  `{"group":${groupJson.of(group)},"consumer":${consumer === undefined ? 'null' : consumerJson.of(consumer)},` +
  `"deliveredAt":${deliveredAt},"deliveries":${deliveries}}`;

/** Neighbours mostly have the same name. */
class NameJson {
  #name = '';
  #json = nameToJson('');

  of(name: string): string {
    if (name !== this.#name) this.#json = nameToJson(name);
    this.#name = name;
    return this.#json;
  }
}

const groupJson = new NameJson();
const consumerJson = new NameJson();
