/**
 * Sends the records of requests to Redis. Requests for one stream within one turn
 * of the event loop share a batch: one buffer, one write, one wait. Requests with
 * an Idempotency-Key are sent alone (docs/adr/0007). Invariant: each record gets
 * its own result, and requests for a stream are sent in the order in which they came.
 */
import {createHash} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import {colocatedKey} from '../colocated-key.js';
import {StreamlogError} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import type {EntryFields} from '../records/raw-fields.js';
import {
  type AddBatch,
  type AddEncoder,
  type AddOptions,
  type AddRequest,
  type AddResult,
  type IdempotentEncoder,
  StreamClient,
} from '../stream-client.js';
import type {HeldRequests} from './held-requests.js';
import {Refusal} from './responses.js';

/** Takes the result of each record, in their order; or undefined, and the failure of all of them. */
export type Settle = (results: readonly AddResult[] | undefined, failure?: unknown) => void;

/** Takes the records of one request, encodes them, and sends them. */
export interface RequestWriter {
  add(fields: EntryFields): void;
  send(settle: Settle): void;
  /** In place of `send`: nothing of this request goes to Redis. */
  drop(): void;
}

/** Identifies a repeated request. */
export interface RequestKey {
  /** Clients with other tokens have other keys. */
  readonly scope: string;
  readonly key: string;
  /** How long the request is remembered, in seconds. */
  readonly keepSeconds: number;
  readonly body: Buffer;
}

/** The value of Idempotency-Key, undefined without one. Throws Refusal for an invalid one. */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) throw new Refusal('bad_key');
  return key;
}

/** The initial capacity of a batch: enough for one turn of small requests. */
const FIRST_CAPACITY = 8 * 1024;
/** A batch of this size is sent before the end of the turn, so that Redis can start. */
const FULL_BYTES = 64 * 1024;
/** RESP bytes for a record beside its JSON, about. */
const OVERHEAD_BYTES = 512;

export class RequestBatcher {
  readonly live: LeasedClient;
  readonly held: HeldRequests;
  /** The batches of this turn, by stream. */
  readonly #batches = new Map<string, OpenBatch>();
  #isScheduled = false;

  constructor(live: LeasedClient, held: HeldRequests) {
    this.live = live;
    this.held = held;
  }

  /** A writer for one request, to be used before the next one is made. */
  writer(stream: string, options: AddOptions, key: RequestKey | undefined): RequestWriter {
    return key === undefined
      ? new PlainWriter(this.#batchOf(stream), options)
      : new IdempotentWriter(this, stream, options, key);
  }

  /** Sends the batch for `stream` before the end of the turn. */
  flush(stream: string): void {
    this.#batches.get(stream)?.send();
  }

  #batchOf(stream: string): OpenBatch {
    let batch = this.#batches.get(stream);
    if (batch === undefined) {
      batch = new OpenBatch(this, stream);
      this.#batches.set(stream, batch);
    }
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#sendAll());
    }
    return batch;
  }

  /** Keeps the buffers of streams that are used in each turn. */
  #sendAll(): void {
    this.#isScheduled = false;
    for (const [stream, batch] of this.#batches) if (!batch.send()) this.#batches.delete(stream);
  }
}

/** The results of one request: `count` of the batch, from `start` on. */
interface Share {
  readonly start: number;
  readonly count: number;
  readonly settle: Settle;
}

class OpenBatch {
  readonly encoder: AddEncoder;
  readonly #batcher: RequestBatcher;
  readonly #stream: string;
  #shares: Share[] = [];

  constructor(batcher: RequestBatcher, stream: string) {
    this.#batcher = batcher;
    this.#stream = stream;
    this.encoder = StreamClient.addEncoder(stream, FIRST_CAPACITY);
  }

  /** The records from `start` on are complete. */
  share(start: number, settle: Settle): void {
    this.#shares.push({start, count: this.encoder.records - start, settle});
    if (this.encoder.byteLength >= FULL_BYTES) this.send();
  }

  /** False when the batch is empty. */
  send(): boolean {
    if (this.#shares.length === 0) return false;
    const shares = this.#shares;
    this.#shares = [];
    this.#add(this.encoder.take()).then(
      (results) => {
        for (const {start, count, settle} of shares)
          settle(count === results.length ? results : results.slice(start, start + count));
      },
      (failure) => {
        for (const {settle} of shares) settle(undefined, failure);
      },
    );
    return true;
  }

  #add(batch: AddBatch): Promise<AddResult[]> {
    const {live, held} = this.#batcher;
    return live.use(async (client, onFailure) => {
      const results = await client.addAll(this.#stream, batch);
      for (const result of results) if (result instanceof StreamlogError) onFailure(result);
      const last = results.at(-1);
      if (typeof last === 'string') held.confirmed(this.#stream, last, results.length);
      return results;
    });
  }
}

class PlainWriter implements RequestWriter {
  readonly #batch: OpenBatch;
  readonly #request: AddRequest;
  readonly #start: number;

  constructor(batch: OpenBatch, options: AddOptions) {
    this.#batch = batch;
    this.#request = {fields: [], id: '*', options};
    this.#start = batch.encoder.records;
  }

  add(fields: EntryFields): void {
    this.#request.fields = fields;
    this.#batch.encoder.add(this.#request);
  }

  send(settle: Settle): void {
    this.#batch.share(this.#start, settle);
  }

  drop(): void {
    this.#batch.encoder.cut(this.#start);
  }
}

class IdempotentWriter implements RequestWriter {
  readonly #batcher: RequestBatcher;
  readonly #stream: string;
  readonly #request: AddRequest;
  readonly #encoder: IdempotentEncoder;

  constructor(batcher: RequestBatcher, stream: string, options: AddOptions, request: RequestKey) {
    const {scope, key, keepSeconds, body} = request;
    this.#batcher = batcher;
    this.#stream = stream;
    this.#request = {fields: [], id: '*', options};
    const state = {
      // A digest: neither key nor token can be read in Redis.
      key: colocatedKey('request', stream, digestOf(Buffer.from(JSON.stringify([scope, key])))),
      keepSeconds,
      digest: digestOf(body),
      wantsIds: true,
      atomic: false,
      // 201 means that the entry is in the stream now, so a stream that was deleted gets the records again.
      againWhenGone: true,
    };
    this.#encoder = StreamClient.idempotentEncoder(stream, state, 2 * body.length + OVERHEAD_BYTES);
  }

  add(fields: EntryFields): void {
    this.#request.fields = fields;
    this.#encoder.add(this.#request);
  }

  send(settle: Settle): void {
    this.#batcher.flush(this.#stream);
    this.#add().then(settle, (failure) => settle(undefined, failure));
  }

  drop(): void {}

  #add(): Promise<AddResult[]> {
    const {records} = this.#encoder;
    const {live, held} = this.#batcher;
    return live.use(async (client, onFailure) => {
      const call = this.#encoder.take(1, undefined);
      const {ids, stopped} = await client.addOnce(this.#stream, call);
      onFailure(stopped);
      if (stopped === 'different') throw new Refusal('key_reused');
      if (ids[0] !== undefined && stopped === undefined) held.keep(this.#stream, call, ids[0]);
      const rest = stopped instanceof StreamlogError ? stopped : undefined;
      return Array.from({length: records}, (_, index) => ids[index] ?? rest);
    });
  }
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
