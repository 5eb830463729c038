/** A section whose entries are added to a stream with new IDs, as `produce` adds records. */
import {START} from '../input/input-item.js';
import {Producer} from '../produce/producer.js';
import type {AddRequest} from '../stream-client.js';
import type {EntryLine, ImportOptions, ImportReport, SectionImport} from './import-options.js';

const BATCH = {records: 500, bytes: 1024 ** 2};
const WINDOW = {records: 20_000, bytes: 16 * 1024 ** 2};
const NO_PROGRESS = {position: START, records: 0};

export class AddedSection implements SectionImport {
  readonly #target: string;
  readonly #producer: Producer;
  readonly #request: AddRequest = {fields: [], id: '*', options: {}};
  readonly #onNote: (line: string) => void;
  #entries = 0;

  private constructor(target: string, producer: Producer, onNote: (line: string) => void) {
    this.#target = target;
    this.#producer = producer;
    this.#onNote = onNote;
  }

  static async open(target: string, {openAdder, delivery, onNote}: ImportOptions): Promise<AddedSection> {
    const producer = await Producer.start({
      ...delivery,
      adder: await openAdder(target),
      stream: target,
      batch: BATCH,
      window: WINDOW,
      // Only numbered records are held.
      hold: {ms: 0, bytes: 0},
      onIds: async () => {},
    });
    return new AddedSection(target, producer, onNote);
  }

  take(line: EntryLine): Promise<void> | undefined {
    if (line.kind !== 'entry') return undefined;
    this.#entries++;
    this.#request.fields = line.raw ?? line.fields;
    return this.#producer.add(this.#request, line.line) ? this.#producer.flush(NO_PROGRESS) : undefined;
  }

  async end(): Promise<ImportReport> {
    await this.#producer.flush(NO_PROGRESS);
    await this.#producer.finish();
    const {maybeTwice} = this.#producer;
    if (maybeTwice > 0) this.#onNote(`up to ${maybeTwice} entries may have been added twice to "${this.#target}"`);
    const nothing = {gone: 0, pending: 0, groups: 0, already: 0, verified: false};
    return {stream: this.#target, entries: this.#entries, ...nothing, state: 'added', dryRun: false};
  }

  giveUp(): string {
    this.#producer.close();
    return `what was added to "${this.#target}" before that stays`;
  }
}
