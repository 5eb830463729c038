/**
 * Encodes records and cuts them into batches: XADDs, at-least-once, here;
 * calls of the script that adds once in idempotent-accumulator.ts. When a batch
 * is sent, and sent again, is for others to decide.
 */
import type {AddConnection} from './add-connection.js';
import {AddEncoder} from './add-encoder.js';
import type {AddRequest} from './args.js';
import type {Batch, BatchContext} from './batch.js';
import {PlainBatch} from './plain-batch.js';

export interface Accumulator {
  /** Of the records for the next batch. */
  readonly records: number;
  readonly byteLength: number;
  /** The number of the last record of this producer that the server had at the last connection; undefined where records have no numbers. */
  readonly confirmedByServer: number | undefined;
  /** A record of more fields needs a batch of its own; undefined where none does. */
  readonly mostFieldsTogether: number | undefined;
  /** Asks a new connection what has to be known before the first batch. Throws what Redis refuses. */
  begin(connection: AddConnection): Promise<void>;
  /** Removes what the server keeps for this run only, at the end of one that went well. */
  leave(connection: AddConnection): Promise<void>;
  /** False for a record that is in the stream already. Throws `data` for more than a batch can hold. */
  add(request: AddRequest): boolean;
  /** The records so far, of which there is at least one. */
  take(context: BatchContext): Batch;
}

export class PlainAccumulator implements Accumulator {
  readonly confirmedByServer = undefined;
  readonly mostFieldsTogether = undefined;
  readonly #encoder: AddEncoder;

  constructor(stream: string) {
    this.#encoder = new AddEncoder(stream);
  }

  get records(): number {
    return this.#encoder.records;
  }

  get byteLength(): number {
    return this.#encoder.byteLength;
  }

  async begin(): Promise<void> {}

  async leave(): Promise<void> {}

  add(request: AddRequest): boolean {
    this.#encoder.add(request);
    return true;
  }

  take(context: BatchContext): Batch {
    return new PlainBatch(this.#encoder.take(), context);
  }
}
