/**
 * Many records into streams: batches of XADDs, several under way, outcomes in
 * the order of the input. Knows nothing of where records come from. Invariant:
 * every record that was given to `add` is counted exactly once when `finish`
 * has returned, as added, rejected or unconfirmed, so that nobody has to guess
 * what is in the stream.
 */
import {byteLength} from '../bytes.js';
import {StreamlogError} from '../errors.js';
import type {Addition, AddOutcome, StreamClient} from '../stream-client.js';

export interface ProducerLimits {
  /** Records in one batch at most. */
  batchRecords: number;
  /** Bytes of names and values in one batch, about. */
  batchBytes: number;
  /** Batches sent and not yet answered. */
  batchesInFlight: number;
}

export interface ProduceCounts {
  added: number;
  /** Refused by Redis for what they are: adding them again would fail again. */
  rejected: number;
  /** Sent without an answer, or refused for now: running again is safe only for those who can bear duplicates. */
  unconfirmed: number;
}

export class Producer {
  readonly counts: ProduceCounts = {added: 0, rejected: 0, unconfirmed: 0};
  readonly #client: StreamClient;
  readonly #limits: ProducerLimits;
  readonly #onAdded: (ids: string[]) => Promise<void>;
  readonly #inFlight: Promise<void>[] = [];
  #batch: Addition[] = [];
  #batchBytes = 0;
  #settled: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** `onAdded` gets the new IDs of each batch in the order of the records, one batch after the other. */
  constructor(client: StreamClient, limits: ProducerLimits, onAdded: (ids: string[]) => Promise<void>) {
    this.#client = client;
    this.#limits = limits;
    this.#onAdded = onAdded;
  }

  /** True once something failed: what is added from then on would be out of order. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Takes one record; waits while the window is full, which is what holds the input back. */
  async add(addition: Addition): Promise<void> {
    this.#batch.push(addition);
    for (const [name, value] of addition.fields) this.#batchBytes += byteLength(name) + byteLength(value);
    if (this.#batch.length >= this.#limits.batchRecords || this.#batchBytes >= this.#limits.batchBytes)
      await this.flush();
  }

  /** Sends what has gathered, so that a slow input is not held back until a batch is full. */
  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (this.failed) {
      this.counts.unconfirmed += batch.length;
      return;
    }
    const outcomes = this.#client.addAll(batch);
    // Settled one after the other, so that IDs come out in order and a closed output stops the rest.
    this.#settled = this.#settled
      .then(async () => this.#settle(batch, await outcomes))
      .catch((error) => this.#fail(error));
    this.#inFlight.push(this.#settled);
    if (this.#inFlight.length >= this.#limits.batchesInFlight) await this.#inFlight.shift();
  }

  /** Waits for every answer. Throws the first failure; `counts` are final either way. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#settled;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #settle(batch: readonly Addition[], outcomes: readonly AddOutcome[]): Promise<void> {
    const ids: string[] = [];
    outcomes.forEach((outcome, index) => {
      if (typeof outcome === 'string') ids.push(outcome);
      else this.#refuse(outcome ?? missingStream(batch[index]!.stream));
    });
    this.counts.added += ids.length;
    await this.#onAdded(ids);
  }

  #refuse(failure: StreamlogError): void {
    if (failure.kind === 'unreachable' || failure.kind === 'temporary') this.counts.unconfirmed++;
    else this.counts.rejected++;
    this.#fail(failure);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }
}

/** XADD with NOMKSTREAM answers nil where there is no stream. */
export const missingStream = (stream: string): StreamlogError =>
  new StreamlogError('notFound', `no stream "${stream}"`, {hint: 'leave --no-create out to make it'});
