/**
 * The ways to a stream: XADDs, at-least-once, and calls of the fence script,
 * exactly once. A accumulator encodes records, cuts them into batches and opens
 * connections; when to send and to send again is the producer's affair.
 */
import type {EntryFields} from '../records/raw-fields.js';
import {type AddConnection, AddEncoder, type AddOptions} from '../stream-client.js';
import type {Batch, BatchContext, Progress} from './batch.js';
import {PlainBatch} from './plain-batch.js';

export interface Accumulator {
  /** Of the records that gather for the next batch. */
  readonly records: number;
  readonly byteLength: number;
  /** The number of the last record of this producer that the server had when we connected last; undefined where records have no numbers. */
  readonly confirmedByServer: number | undefined;
  /** Connects, and does what has to be done before the first batch; `ask` is the node that the slot is moving to, where it said so. Throws as `StreamClient.connect` does. */
  open(ask?: string): Promise<AddConnection>;
  /** For the end of a run that went well: cleans up what the server keeps for nobody. */
  leave(connection: AddConnection): Promise<void>;
  /** A record of more fields needs a batch of its own; undefined where none does. */
  readonly mostFieldsTogether: number | undefined;
  /** False for a record that is in the stream already. Throws `data` when that is more than a batch can hold. */
  add(fields: EntryFields, options: AddOptions, id: string): boolean;
  /** What has gathered, as a batch that ends there. */
  take(context: BatchContext, end: Progress): Batch;
}

export class PlainAccumulator implements Accumulator {
  readonly confirmedByServer = undefined;
  readonly mostFieldsTogether = undefined;
  readonly #connect: (ask?: string) => Promise<AddConnection>;
  readonly #encoder: AddEncoder;

  constructor(stream: string, connect: (ask?: string) => Promise<AddConnection>) {
    this.#connect = connect;
    this.#encoder = new AddEncoder(stream);
  }

  get records(): number {
    return this.#encoder.records;
  }

  get byteLength(): number {
    return this.#encoder.byteLength;
  }

  open(ask?: string): Promise<AddConnection> {
    return this.#connect(ask);
  }

  async leave(): Promise<void> {}

  add(fields: EntryFields, options: AddOptions, id: string): boolean {
    this.#encoder.add(fields, options, id);
    return true;
  }

  take(context: BatchContext, end: Progress): Batch {
    return new PlainBatch(this.#encoder.take(), context, end);
  }
}
