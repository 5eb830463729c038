/**
 * How the records of one request reach Redis: as XADDs, or, with an
 * Idempotency-Key, through the fence (docs/adr/0007), so that the request can
 * be repeated. Records are encoded as they are read. Invariant: either way each
 * record gets an outcome, in their order.
 */
import {createHash} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import {StreamlogError} from '../errors.js';
import type {LiveClient} from '../live-client.js';
import type {EntryFields} from '../marked-fields.js';
import {neighbourOf} from '../slot-neighbour.js';
import {AddEncoder, type AddOptions, type AddOutcome, FencedEncoder, type FencedOutcome} from '../stream-client.js';
import {Refusal} from './answers.js';

export interface Adding {
  /** Takes the next record. Throws Refusal for one that cannot go this way. */
  add(fields: EntryFields): void;
  /** Once, after the last record. Throws what befell all of them alike. */
  send(live: LiveClient): Promise<AddOutcome[]>;
}

/** How a repeated request is recognised. */
export interface RequestKey {
  readonly key: string;
  readonly body: Buffer;
}

/** A day: clients that try again do so within minutes. */
const KEEP_SECONDS = 86_400;
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
  readonly #stream: string;
  readonly #options: AddOptions;
  readonly #encoder: AddEncoder;

  constructor(stream: string, options: AddOptions, bodyBytes: number) {
    this.#stream = stream;
    this.#options = options;
    this.#encoder = new AddEncoder(stream, 2 * bodyBytes + OVERHEAD_BYTES);
  }

  add(fields: EntryFields): void {
    this.#encoder.add(fields, this.#options, '*');
  }

  send(live: LiveClient): Promise<AddOutcome[]> {
    return live.use(async (client, doubt) => {
      const outcomes = await client.addAll(this.#stream, this.#encoder.take());
      for (const outcome of outcomes) if (outcome instanceof StreamlogError) doubt(outcome);
      return outcomes;
    });
  }
}

export class OnceAdding implements Adding {
  readonly #stream: string;
  readonly #options: AddOptions;
  readonly #encoder: FencedEncoder;

  /** Throws Refusal for a stream that can have no fence. */
  constructor(stream: string, options: AddOptions, {key, body}: RequestKey) {
    const fence = neighbourOf(stream, `request:${digestOf(Buffer.from(key))}`);
    if (fence === undefined) throw new Refusal('bad_key');
    this.#stream = stream;
    this.#options = options;
    this.#encoder = new FencedEncoder(
      stream,
      {key: fence, keepSeconds: KEEP_SECONDS, digest: digestOf(body), wantsIds: true, atomic: false},
      2 * body.length + OVERHEAD_BYTES,
    );
  }

  add(fields: EntryFields): void {
    if (!FencedEncoder.takes(fields)) throw new Refusal('too_wide');
    this.#encoder.add(fields, this.#options, '*');
  }

  send(live: LiveClient): Promise<AddOutcome[]> {
    return live.use(async (client, doubt) => {
      const {records} = this.#encoder;
      const outcome = await client.addOnce(this.#stream, this.#encoder.take(1, undefined));
      doubt(outcome.stopped);
      return outcomesOf(outcome, records);
    });
  }
}

function outcomesOf({ids, stopped}: FencedOutcome, records: number): AddOutcome[] {
  if (stopped === 'different') throw new Refusal('key_reused');
  const rest = stopped instanceof StreamlogError ? stopped : undefined;
  return Array.from({length: records}, (_, index) => ids[index] ?? rest);
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
