/**
 * Adds entries under their own IDs to a stream that is there, in transactions, one at a time; the next one is encoded meanwhile.
 * An ID that the stream has passed counts as there. Invariant: whoever adds the same list of entries, how often and from
 * where on, and whatever is refused or lost: what the stream has of it begins at its first entry and has no gap.
 */
import {NO_STREAM, StreamlogError} from '../errors.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import type {EntryFields} from '../records/raw-fields.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import {type AddBatch, type AddEncoder, type AddRequest, type AddResult, StreamClient} from '../stream-client.js';
import {RESTORED} from './content-digest.js';

/** One transaction: Redis does nothing else meanwhile. */
const MOST_ENTRIES = 500;
const MOST_BYTES = 256 * 1024;

export class EntryWriter {
  readonly #redis: ReconnectingClient;
  readonly #stream: string;
  readonly #onBatch: (adds: AddBatch) => void;
  readonly #encoder: AddEncoder;
  readonly #request: AddRequest = {fields: [], id: '', options: RESTORED};
  /** Indexes in the next transaction. */
  readonly #standIns = new Set<number>();
  /** The transaction that was given last, and all before it. */
  #sending: Promise<void> = Promise.resolve();
  #connection: Connection | undefined;
  #confirmed = FIRST_ID;
  #isOver = false;

  /** `onBatch` gets what is added, once, in order, without what only stands for others. */
  constructor(redis: ReconnectingClient, stream: string, onBatch: (adds: AddBatch) => void) {
    this.#redis = redis;
    this.#onBatch = onBatch;
    this.#stream = stream;
    this.#encoder = StreamClient.addEncoder(stream);
  }

  /** To be awaited before the next entry, where there is something to wait for. Throws `notFound` where the stream is gone. */
  add(id: string, fields: EntryFields, isStandIn = false): Promise<void> | undefined {
    if (isStandIn) this.#standIns.add(this.#encoder.records);
    this.#request.id = id;
    this.#request.fields = fields;
    this.#encoder.add(this.#request);
    if (this.#encoder.records < MOST_ENTRIES && this.#encoder.byteLength < MOST_BYTES) return undefined;
    return this.#flush();
  }

  /** Resolves when all of it is there. */
  async finish(): Promise<void> {
    if (this.#encoder.records > 0) await this.#flush();
    await this.#sending;
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isOver = true;
  }

  /** Resolves when the transaction before this one is done. */
  #flush(): Promise<void> {
    const before = this.#sending;
    const adds = this.#encoder.take();
    this.#onBatch(this.#standIns.size === 0 ? adds : adds.only(indexesBut(this.#standIns, adds.records)));
    this.#standIns.clear();
    const last = this.#request.id;
    this.#sending = before.then(() => this.#send(adds, last));
    this.#sending.catch(() => {});
    return before;
  }

  async #send(adds: AddBatch, last: string): Promise<void> {
    if (this.#isOver) return;
    await this.#redis.run(async (connection) => {
      const {commands} = connection;
      if (connection !== this.#connection) await this.#requireConfirmed(commands);
      this.#connection = connection;
      requireAdded(await commands.addAll(this.#stream, adds, {together: true}), this.#stream);
    });
    this.#confirmed = last;
  }

  /** Throws `temporary` where the server lacks what was confirmed. */
  async #requireConfirmed(commands: StreamClient): Promise<void> {
    const {lastGeneratedId} = await commands.info(this.#stream);
    if (compareStreamIds(lastGeneratedId, this.#confirmed) >= 0) return;
    throw new StreamlogError(
      'temporary',
      `the server has lost entries that were added to "${this.#stream}", as after a failover`,
      {
        code: LOST,
      },
    );
  }
}

/** The failure of what was confirmed and is not there any more. */
const LOST = 'ENTRIES_LOST';

const indexesBut = (left: ReadonlySet<number>, count: number): number[] =>
  Array.from({length: count}, (_, index) => index).filter((index) => !left.has(index));

function requireAdded(results: readonly AddResult[], stream: string): void {
  for (const result of results) {
    if (result === undefined) throw new StreamlogError('notFound', `no stream "${stream}"`, {code: NO_STREAM});
    if (result instanceof StreamlogError && result.code !== 'SMALLER_ID') throw result;
  }
}
