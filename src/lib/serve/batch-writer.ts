/**
 * How the records of one request reach Redis: as XADDs, or, with an
 * Idempotency-Key, through the fence (docs/adr/0007), so that the request can
 * be repeated. Records are encoded as they are read. Invariant: either way each
 * record gets an outcome, in their order, and requests for one stream are sent
 * in the order in which they came.
 */
import {createHash} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import {colocatedKey} from '../colocated-key.js';
import {StreamlogError} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import type {EntryFields} from '../records/raw-fields.js';
import {type AddOptions, type AddResult, IdempotentEncoder, type IdempotentResult} from '../stream-client.js';
import type {HeldRequests} from './held-requests.js';
import type {AddCallback, OpenBatch, RequestBatcher} from './request-batcher.js';
import {Refusal} from './responses.js';

export interface BatchWriter {
  /** Takes the next record. */
  add(fields: EntryFields): void;
  /** Once, after the last record. */
  send(callback: AddCallback): void;
  /** In place of `send`: nothing of this request goes to Redis. */
  drop(): void;
}

/** How a repeated request is recognised. */
export interface RequestKey {
  /** Whose key it is: clients with other tokens may use the same. */
  readonly scope: string;
  readonly key: string;
  /** How long it is remembered, in seconds. */
  readonly keepSeconds: number;
  readonly body: Buffer;
}

/** Protocol bytes for a record beyond those of its JSON, about; memory grows where that is too little. */
const OVERHEAD_BYTES = 512;

/** The value of Idempotency-Key, undefined without one. Throws Refusal for one that is no key. */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) throw new Refusal('bad_key');
  return key;
}

export class PlainBatchWriter implements BatchWriter {
  readonly #batch: OpenBatch;
  readonly #options: AddOptions;
  readonly #start: number;

  /** Until it is sent or dropped, nobody else adds to `gathering`. */
  constructor(batch: OpenBatch, options: AddOptions) {
    this.#batch = batch;
    this.#options = options;
    this.#start = batch.records;
  }

  add(fields: EntryFields): void {
    this.#batch.add(fields, this.#options);
  }

  send(callback: AddCallback): void {
    this.#batch.share(this.#start, callback);
  }

  drop(): void {
    this.#batch.cut(this.#start);
  }
}

export class IdempotentBatchWriter implements BatchWriter {
  readonly #live: LeasedClient;
  readonly #batcher: RequestBatcher;
  readonly #held: HeldRequests;
  readonly #stream: string;
  readonly #options: AddOptions;
  readonly #encoder: IdempotentEncoder;

  constructor(
    {live, batcher, held}: {live: LeasedClient; batcher: RequestBatcher; held: HeldRequests},
    stream: string,
    options: AddOptions,
    {scope, key, keepSeconds, body}: RequestKey,
  ) {
    this.#live = live;
    this.#batcher = batcher;
    this.#held = held;
    this.#stream = stream;
    this.#options = options;
    this.#encoder = new IdempotentEncoder(
      stream,
      {
        // A digest, so that neither a key nor whose it is can be read there.
        key: colocatedKey('request', stream, digestOf(Buffer.from(JSON.stringify([scope, key])))),
        keepSeconds,
        digest: digestOf(body),
        wantsIds: true,
        atomic: false,
        // An answer of 201 is true when it is given, so a stream that is gone has to have the records again.
        againWhenGone: true,
      },
      2 * body.length + OVERHEAD_BYTES,
    );
  }

  add(fields: EntryFields): void {
    this.#encoder.add(fields, this.#options, '*');
  }

  send(callback: AddCallback): void {
    const {records} = this.#encoder;
    // What came before it goes before it.
    this.#batcher.sendTo(this.#stream);
    this.#live
      .use(async (client, doubt) => {
        const call = this.#encoder.take(1, undefined);
        const outcome = await client.addOnce(this.#stream, call);
        doubt(outcome.stopped);
        const [first] = outcome.ids;
        if (first !== undefined && outcome.stopped === undefined) this.#held.keep(this.#stream, call, first);
        return outcomesOf(outcome, records);
      })
      .then(
        (results) => callback.settled(results, 0, records),
        (failure) => callback.failed(failure),
      );
  }

  drop(): void {}
}

function outcomesOf({ids, stopped}: IdempotentResult, records: number): AddResult[] {
  if (stopped === 'different') throw new Refusal('key_reused');
  const rest = stopped instanceof StreamlogError ? stopped : undefined;
  return Array.from({length: records}, (_, index) => ids[index] ?? rest);
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
