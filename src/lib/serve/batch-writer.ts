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
import type {LiveClient} from '../leased-client.js';
import type {EntryFields} from '../records/raw-fields.js';
import {type AddOptions, type AddOutcome, FencedEncoder, type FencedOutcome} from '../stream-client.js';
import type {HeldRequests} from './held-requests.js';
import type {Gathering, Gatherings, OutcomeTaker} from './request-batcher.js';
import {Refusal} from './responses.js';

export interface Adding {
  /** Takes the next record. */
  add(fields: EntryFields): void;
  /** Once, after the last record. */
  send(taker: OutcomeTaker): void;
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

export class PlainAdding implements Adding {
  readonly #gathering: Gathering;
  readonly #options: AddOptions;
  readonly #start: number;

  /** Until it is sent or dropped, nobody else adds to `gathering`. */
  constructor(gathering: Gathering, options: AddOptions) {
    this.#gathering = gathering;
    this.#options = options;
    this.#start = gathering.records;
  }

  add(fields: EntryFields): void {
    this.#gathering.add(fields, this.#options);
  }

  send(taker: OutcomeTaker): void {
    this.#gathering.share(this.#start, taker);
  }

  drop(): void {
    this.#gathering.cut(this.#start);
  }
}

export class OnceAdding implements Adding {
  readonly #live: LiveClient;
  readonly #gatherings: Gatherings;
  readonly #held: HeldRequests;
  readonly #stream: string;
  readonly #options: AddOptions;
  readonly #encoder: FencedEncoder;

  constructor(
    {live, gatherings, held}: {live: LiveClient; gatherings: Gatherings; held: HeldRequests},
    stream: string,
    options: AddOptions,
    {scope, key, keepSeconds, body}: RequestKey,
  ) {
    this.#live = live;
    this.#gatherings = gatherings;
    this.#held = held;
    this.#stream = stream;
    this.#options = options;
    this.#encoder = new FencedEncoder(
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

  send(taker: OutcomeTaker): void {
    const {records} = this.#encoder;
    // What came before it goes before it.
    this.#gatherings.sendTo(this.#stream);
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
        (outcomes) => taker.settled(outcomes, 0, records),
        (failure) => taker.failed(failure),
      );
  }

  drop(): void {}
}

function outcomesOf({ids, stopped}: FencedOutcome, records: number): AddOutcome[] {
  if (stopped === 'different') throw new Refusal('key_reused');
  const rest = stopped instanceof StreamlogError ? stopped : undefined;
  return Array.from({length: records}, (_, index) => ids[index] ?? rest);
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
