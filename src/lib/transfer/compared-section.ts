/** A section whose stream is there already: compared with it, entry by entry. Invariant: nothing is written. */
import {StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import {PagedItems} from '../reading/paging.js';
import {isSame} from '../reading/stream-change.js';
import type {StreamRecord} from '../records/entry.js';
import {FIRST_ID, LAST_ID} from '../records/stream-id.js';
import type {PendingEntry, StreamClient, StreamInfo} from '../stream-client.js';
import type {EntryLine, ImportHeader, ImportOptions, ImportReport, SectionImport} from './import-options.js';
import {factsDifference} from './section-facts.js';

export class ComparedSection implements SectionImport {
  readonly #header: ImportHeader;
  readonly #target: string;
  readonly #length: number;
  readonly #options: ImportOptions;
  readonly #records: PagedItems<StreamRecord>;
  readonly #pending: Map<string, PagedItems<PendingEntry>>;
  readonly #counts = {entries: 0, gone: 0, pending: 0, already: 0};
  #difference: string | undefined;

  private constructor(
    header: ImportHeader,
    target: string,
    found: {client: StreamClient; info: StreamInfo},
    options: ImportOptions,
  ) {
    const {client, info} = found;
    this.#header = header;
    this.#target = target;
    this.#options = options;
    this.#length = info.length;
    this.#records = new PagedItems(client.records(target, FIRST_ID, LAST_ID));
    this.#pending = new Map(header.groups.map(({name}) => [name, new PagedItems(client.pending(target, name))]));
  }

  static async open(
    header: ImportHeader,
    target: string,
    info: StreamInfo,
    options: ImportOptions,
  ): Promise<ComparedSection> {
    const {commands: client} = await options.redis.connection();
    const section = new ComparedSection(header, target, {client, info}, options);
    const facts = options.groups ? header : {...header, groups: []};
    const groups = options.groups ? await client.groups(target) : [];
    const difference = factsDifference(facts, info, groups);
    if (difference !== undefined) section.#difference = `it has ${difference}`;
    return section;
  }

  async take(line: EntryLine): Promise<void> {
    if (line.kind === 'hash') return;
    const {id, kind} = line;
    if (kind === 'entry') {
      this.#counts.entries++;
      const found = await this.#records.next();
      if (found?.id !== id)
        throw this.#differs(found === undefined ? `it lacks ${id}` : `it has ${found.id} where the file has ${id}`);
      if (!isSame(found, line)) throw this.#differs(`${id} has other fields`);
    } else this.#counts.gone++;
    if (!this.#options.groups) return;
    for (const {group, consumer, deliveries} of line.pending) {
      this.#counts.pending++;
      const found = await this.#pending.get(group)?.next();
      const isPending =
        found?.id === id &&
        (found.exactDeliveries ?? found.deliveries) === deliveries &&
        (consumer === undefined || found.consumer === consumer);
      if (!isPending) throw this.#differs(`${id} is not so pending in group "${group}"`);
    }
  }

  async end(): Promise<ImportReport> {
    const more = await this.#records.next();
    if (more !== undefined) throw this.#differs(`it has ${more.id}, and the file does not`);
    for (const [group, items] of this.#options.groups ? this.#pending : []) {
      const pending = await items.next();
      if (pending !== undefined) throw this.#differs(`${pending.id} is pending in group "${group}"`);
    }
    if (this.#difference !== undefined) throw this.#differs(this.#difference);
    const {entries} = this.#counts;
    const groups = this.#options.groups ? this.#header.groups.length : 0;
    return {
      ...this.#counts,
      stream: this.#target,
      already: entries,
      groups,
      verified: true,
      state: 'identical',
      dryRun: this.#options.dryRun,
    };
  }

  giveUp(): undefined {}

  #differs(how: string): StreamlogError {
    return new StreamlogError(
      'data',
      `"${this.#target}" is there already, with ${withCommas(this.#length)} entries, and differs: ${how}`,
      {
        hint: 'import under another name (--into NAME), in its place (--replace), or only what is behind its last ID (--append)',
      },
    );
  }
}
