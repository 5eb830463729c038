/**
 * A POST → entries in a stream, in the order in which it is cheap to refuse it:
 * name, headers, room, Redis, and only then the body. Knows HTTP and the stream
 * client and nothing of sockets. Invariant: a 2xx answer names the ID of every
 * entry that it speaks of as added, each from the reply of Redis to its XADD.
 */
import type {IncomingMessage} from 'node:http';
import type {RequestState} from '../http-server.js';
import type {LiveClient} from '../live-client.js';
import type {EntryFields} from '../marked-fields.js';
import type {AddOptions, AddOutcome} from '../stream-client.js';
import {type Adding, OnceAdding, PlainAdding, readIdempotencyKey} from './adding.js';
import {type Answer, REFUSALS, Refusal, type RefusalCode, refusalCodeOf} from './answers.js';
import {BodyMemory, checkAnnouncedLength, readBody, readMediaType} from './body.js';
import {Patience} from './patience.js';
import {readBodyRecords} from './records.js';
import {decodeName, type Route} from './routes.js';

export interface IngestOptions {
  live: LiveClient;
  isAllowed: (stream: string) => boolean;
  /** How the entries of a request are added; asked anew for each. */
  addOptions: () => AddOptions;
  maxBodyBytes: number;
  /** In one batch. */
  maxRecords: number;
  /** Requests that wait for Redis. */
  maxInFlight: number;
  /** How long a request waits for Redis before it is answered without knowing what was added. */
  timeoutMs: number;
  /** The bytes of a body that was read to its end. */
  onBody: (bytes: number) => void;
  /** What a client is not told: why Redis does not let us, or what is a bug of ours. */
  onInternalFailure: (reason: string) => void;
}

/** Bodies held at a time, at least: enough for many small ones however large one may be. */
const BODY_MEMORY_BYTES = 64 * 1024 * 1024;

export class Ingest {
  readonly #options: IngestOptions;
  readonly #memory: BodyMemory;
  readonly #patience: Patience;
  #inFlight = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#patience = new Patience(options.timeoutMs);
    this.#memory = new BodyMemory(Math.max(BODY_MEMORY_BYTES, 4 * options.maxBodyBytes));
  }

  /** Requests whose entries are on their way to Redis, those that were answered without waiting longer included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether the next request would be refused. */
  get isFull(): boolean {
    return this.#inFlight >= this.#options.maxInFlight;
  }

  /** Throws Refusal, or ClientGone when there is nobody left to answer. */
  async answer(request: IncomingMessage, {encodedName, query}: Route, state: RequestState): Promise<Answer> {
    if (query !== undefined) throw new Refusal('bad_query');
    const stream = decodeName(encodedName);
    if (!this.#options.isAllowed(stream)) throw new Refusal('stream_not_allowed');
    const type = readMediaType(request.headers);
    const key = readIdempotencyKey(request.headers);
    checkAnnouncedLength(request.headers, this.#options.maxBodyBytes);
    if (state.draining) throw new Refusal('shutting_down');
    this.#requireRoom();

    state.invite();
    const body = await readBody(request, this.#options.maxBodyBytes, this.#memory);
    const release = (): void => this.#memory.release(body.length);
    this.#options.onBody(body.length);
    let adding: Promise<AddOutcome[]>;
    let single: boolean;
    try {
      const options = this.#options.addOptions();
      const records =
        key === undefined
          ? new PlainAdding(stream, options, body.length)
          : new OnceAdding(stream, options, {key, body});
      const take = (fields: EntryFields): void => records.add(fields);
      ({single} = readBodyRecords(body, type, this.#options.maxRecords, take));
      this.#requireRoom();
      adding = this.#send(records);
    } catch (error) {
      release();
      throw error;
    }
    void adding.then(release, release);
    return this.#answerTo(adding, single);
  }

  /** A request that cannot be served now is refused at once: waiting requests would only pile up. */
  #requireRoom(): void {
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (this.isFull) throw new Refusal('overloaded');
  }

  /** Settles when Redis has; until then its room is taken, whoever still waits for it. */
  async #send(records: Adding): Promise<AddOutcome[]> {
    this.#inFlight++;
    try {
      return await records.send(this.#options.live);
    } finally {
      this.#inFlight--;
    }
  }

  async #answerTo(adding: Promise<AddOutcome[]>, single: boolean): Promise<Answer> {
    let outcomes: AddOutcome[];
    try {
      outcomes = await this.#patience.with(adding);
    } catch (error) {
      throw error instanceof Refusal ? error : new Refusal(this.#codeOf(error));
    }
    return this.#answerOf(outcomes, single);
  }

  #answerOf(outcomes: readonly AddOutcome[], single: boolean): Answer {
    const codes = new Map<number, RefusalCode>();
    outcomes.forEach((outcome, index) => {
      if (typeof outcome !== 'string') codes.set(index, outcome === undefined ? 'no_stream' : this.#codeOf(outcome));
    });
    const added = outcomes.length - codes.size;
    if (codes.size === 0) return {status: 201, body: single ? {id: outcomes[0]} : {ids: outcomes}, added};
    const distinct = [...new Set(codes.values())];
    if (added === 0 && distinct.length === 1) throw new Refusal(distinct[0]!);
    const results = outcomes.map((outcome, index) => {
      const code = codes.get(index);
      return code === undefined ? {id: outcome} : {error: {code, message: REFUSALS[code].message}};
    });
    if (!distinct.includes('unknown_outcome')) return {status: 207, body: {results}, added};
    const {answer} = new Refusal('unknown_outcome');
    return {...answer, body: {...(answer.body as object), results}, added};
  }

  #codeOf(failure: unknown): RefusalCode {
    const code = refusalCodeOf(failure);
    if (code === 'internal' || code === 'redis_denied')
      this.#options.onInternalFailure(failure instanceof Error ? failure.message : 'unknown failure');
    return code;
  }
}
