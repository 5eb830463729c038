/**
 * A section of which a stream gets what is behind its last ID; its groups stay as they are. Invariant: nothing is added twice,
 * and what is behind the old last ID afterwards is what the file has there.
 */
import {StreamlogError} from '../errors.js';
import {compareStreamIds, FIRST_ID, successorOf} from '../records/stream-id.js';
import {ContentDigest, digestOf} from './content-digest.js';
import {EntryWriter} from './entry-writer.js';
import type {EntryLine, ImportOptions, ImportReport, SectionImport} from './import-options.js';

export class AppendedSection implements SectionImport {
  readonly #options: ImportOptions;
  readonly #target: string;
  readonly #writer: EntryWriter;
  /** The last ID that the stream had. */
  readonly #from: string;
  readonly #digest: ContentDigest;
  readonly #counts = {entries: 0, already: 0};
  #last = FIRST_ID;

  constructor(target: string, from: string, options: ImportOptions) {
    this.#options = options;
    this.#target = target;
    this.#from = from;
    this.#digest = new ContentDigest(target);
    this.#writer = new EntryWriter(options.redis, target, (adds) => this.#digest.batch(adds));
  }

  take(line: EntryLine): Promise<void> | undefined {
    if (line.kind !== 'entry') return undefined;
    this.#counts.entries++;
    if (compareStreamIds(line.id, this.#from) <= 0) {
      this.#counts.already++;
      return undefined;
    }
    this.#last = line.id;
    return this.#writer.add(line.id, line.raw ?? line.fields);
  }

  async end(): Promise<ImportReport> {
    await this.#writer.finish();
    const {verify: verified} = this.#options;
    if (verified && this.#last !== FIRST_ID) await this.#verify();
    const nothing = {gone: 0, pending: 0, groups: 0};
    return {stream: this.#target, ...this.#counts, ...nothing, verified, state: 'appended', dryRun: false};
  }

  giveUp(): string {
    this.#writer.close();
    return `what was added to "${this.#target}" before that stays`;
  }

  async #verify(): Promise<void> {
    // Something was added behind it.
    const start = successorOf(this.#from)!;
    const part = {as: this.#target, start, end: this.#last, groups: []};
    const found = await this.#options.redis.run(({commands}) => digestOf(commands, this.#target, part));
    const difference = this.#digest.differenceOf(found);
    if (difference === undefined) return;
    throw new StreamlogError('data', `what was appended to "${this.#target}" differs from the file: ${difference}`, {
      hint: 'something else adds to it, or removes from it',
    });
  }
}
