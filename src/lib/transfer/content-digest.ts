/**
 * Digests of what a stream holds: of its entries, and of the pending entries of each group. Invariant: two streams that hold
 * the same have the same digests, however they were read; when an entry was delivered last does not count.
 */
import {createHash, type Hash} from 'node:crypto';
import {nameToJson} from '../records/names.js';
import type {EntryFields} from '../records/raw-fields.js';
import {rawFieldsOf} from '../records/raw-record.js';
import {type AddBatch, type AddEncoder, type AddOptions, type AddRequest, StreamClient} from '../stream-client.js';
import type {Count} from './section.js';

/** How entries are restored: a stream that has gone is not begun anew. */
export const RESTORED: AddOptions = {create: false};

/** What is kept until it goes into a digest. */
const PART_BYTES = 64 * 1024;

export class ContentDigest {
  readonly #encoder: AddEncoder;
  readonly #request: AddRequest = {fields: [], id: '', options: RESTORED};
  readonly #hash = createHash('sha256');
  readonly #groups = new Map<string, PendingDigest>();
  #entries = 0;

  /** Entries are taken as they are encoded for `stream`, which they may be anyway. */
  constructor(stream: string) {
    this.#encoder = StreamClient.addEncoder(stream);
  }

  /** The next entry. */
  entry(id: string, fields: EntryFields): void {
    this.#entries++;
    this.#request.id = id;
    this.#request.fields = fields;
    this.#encoder.add(this.#request);
    if (this.#encoder.byteLength > PART_BYTES) this.#hash.update(this.#encoder.take().bytes);
  }

  /** The next entries, as they are encoded. */
  batch({bytes, records}: AddBatch): void {
    this.#flush();
    this.#entries += records;
    this.#hash.update(bytes);
  }

  /** The next entry that is pending in `group`. */
  pending(group: string, id: string, consumer: string, deliveries: Count): void {
    this.#ofGroup(group).add(id, consumer, deliveries);
  }

  /** What `found` has else than this, in words; undefined when it has the same. */
  differenceOf(found: ContentDigest): string | undefined {
    if (found.#entries !== this.#entries) return `${found.#entries} entries where there should be ${this.#entries}`;
    if (found.#end() !== this.#end()) return 'other fields or IDs';
    for (const group of new Set([...this.#groups.keys(), ...found.#groups.keys()]))
      if (found.#ofGroup(group).end() !== this.#ofGroup(group).end())
        return `other pending entries in group "${group}"`;
    return undefined;
  }

  #end(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  #flush(): void {
    if (this.#encoder.records > 0) this.#hash.update(this.#encoder.take().bytes);
  }

  #ofGroup(name: string): PendingDigest {
    const known = this.#groups.get(name) ?? new PendingDigest();
    this.#groups.set(name, known);
    return known;
  }
}

class PendingDigest {
  readonly #hash: Hash = createHash('sha256');
  #text = '';

  add(id: string, consumer: string, deliveries: Count): void {
    this.#text += `${id} ${deliveries} ${nameToJson(consumer)}\n`;
    if (this.#text.length > PART_BYTES) this.#take();
  }

  end(): string {
    this.#take();
    return this.#hash.copy().digest('hex');
  }

  #take(): void {
    this.#hash.update(this.#text);
    this.#text = '';
  }
}

/** That of the entries of `stream` from `start` to `end`, and of what is pending in `groups`; read in pages. `as`: for which stream they are encoded. */
export async function digestOf(
  client: StreamClient,
  stream: string,
  {as, start, end, groups}: {as: string; start: string; end: string; groups: readonly string[]},
): Promise<ContentDigest> {
  const digest = new ContentDigest(as);
  for await (const records of client.records(stream, start, end))
    for (const record of records) digest.entry(record.id, rawFieldsOf(record));
  for (const group of groups)
    for await (const entries of client.pending(stream, group))
      for (const {id, consumer, deliveries, exactDeliveries} of entries)
        digest.pending(group, id, consumer, exactDeliveries ?? deliveries);
  return digest;
}
