/**
 * What a request to this server comes to, in the order in which it is cheap to
 * refuse it: path, method, token, name, headers, room, Redis, and only then the
 * body. Knows HTTP and the stream client and nothing of sockets. Invariant: a
 * 2xx answer names the ID of every entry that it speaks of as added, each from
 * the reply of Redis to its XADD.
 */
import type {IncomingMessage} from 'node:http';
import type {Field} from '../entry.js';
import {StreamlogError} from '../errors.js';
import type {RequestState} from '../http-server.js';
import type {LiveClient} from '../live-client.js';
import type {AddOptions, AddOutcome} from '../stream-client.js';
import {type Answer, REFUSALS, Refusal, type RefusalCode, refusalCodeOf} from './answers.js';
import {BodyMemory, checkAnnouncedLength, readBody, readMediaType} from './body.js';
import {parseBody} from './records.js';
import {decodeName, readRoute} from './routes.js';
import type {Tokens} from './tokens.js';

export interface IngestOptions {
  live: LiveClient;
  /** Undefined: whoever can connect may add. */
  tokens: Tokens | undefined;
  isAllowed: (stream: string) => boolean;
  /** How the entries of a request are added; asked anew for each. */
  addOptions: () => AddOptions;
  maxBodyBytes: number;
  /** In one batch. */
  maxRecords: number;
  /** Requests that wait for Redis. */
  maxInFlight: number;
  /** What a client is not told: why Redis does not let us, or what is a bug of ours. */
  onInternalFailure: (reason: string) => void;
}

/** Bodies held at a time, at least: enough for many small ones however large one may be. */
const BODY_MEMORY_BYTES = 64 * 1024 * 1024;
const PING_LIMIT_MS = 1_000;

export class Ingest {
  readonly #options: IngestOptions;
  readonly #memory: BodyMemory;
  #inFlight = 0;
  #ping: Promise<boolean> | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#memory = new BodyMemory(Math.max(BODY_MEMORY_BYTES, 4 * options.maxBodyBytes));
  }

  /** Requests whose entries are on their way to Redis. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Answers a request. Throws Refusal, or ClientGone when there is nobody left to answer. */
  async answer(request: IncomingMessage, state: RequestState): Promise<Answer> {
    if (request.httpVersion === '1.1' && request.headers.host === undefined) throw new Refusal('bad_request');
    const route = readRoute(request.method, request.url);
    if (route.kind === 'livez') return {status: 200, body: {status: 'alive'}};
    if (route.kind === 'readyz') return this.#readiness(state);
    if (this.#options.tokens?.accepts(request.headers.authorization) === false)
      throw new Refusal('unauthorized', {headers: {'WWW-Authenticate': 'Bearer realm="streamlog"'}});
    if (route.query) throw new Refusal('bad_query');
    const stream = decodeName(route.encodedName);
    if (!this.#options.isAllowed(stream)) throw new Refusal('stream_not_allowed');
    const type = readMediaType(request.headers);
    checkAnnouncedLength(request.headers, this.#options.maxBodyBytes);
    if (state.draining) throw new Refusal('shutting_down');
    this.#requireRoom();

    state.invite();
    const body = await readBody(request, this.#options.maxBodyBytes, this.#memory);
    try {
      const {single, records} = await parseBody(body, type, this.#options.maxRecords);
      this.#requireRoom();
      this.#inFlight++;
      try {
        return single ? await this.#addOne(stream, records[0]!) : await this.#addBatch(stream, records);
      } finally {
        this.#inFlight--;
      }
    } finally {
      this.#memory.release(body.length);
    }
  }

  /** A request that cannot be served now is refused at once: waiting requests would only pile up. */
  #requireRoom(): void {
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (this.#inFlight >= this.#options.maxInFlight) throw new Refusal('overloaded');
  }

  async #addOne(stream: string, fields: readonly Field[]): Promise<Answer> {
    let outcome: AddOutcome;
    try {
      outcome = await this.#options.live.use((client) => client.add(stream, fields, this.#options.addOptions()));
    } catch (error) {
      throw new Refusal(this.#codeOf(error));
    }
    if (outcome === undefined) throw new Refusal('no_stream');
    return {status: 201, body: {id: outcome}, added: 1};
  }

  async #addBatch(stream: string, records: readonly (readonly Field[])[]): Promise<Answer> {
    const options = this.#options.addOptions();
    let outcomes: AddOutcome[];
    try {
      outcomes = await this.#options.live.use(async (client, doubt) => {
        const results = await client.addAll(records.map((fields) => ({stream, fields, options})));
        for (const result of results) if (result instanceof StreamlogError) doubt(result);
        return results;
      });
    } catch (error) {
      throw new Refusal(this.#codeOf(error));
    }
    return this.#batchAnswer(outcomes);
  }

  #batchAnswer(outcomes: readonly AddOutcome[]): Answer {
    const codes = new Map<number, RefusalCode>();
    outcomes.forEach((outcome, index) => {
      if (typeof outcome !== 'string') codes.set(index, outcome === undefined ? 'no_stream' : this.#codeOf(outcome));
    });
    const added = outcomes.length - codes.size;
    if (codes.size === 0) return {status: 201, body: {ids: outcomes}, added};
    const distinct = [...new Set(codes.values())];
    if (added === 0 && distinct.length === 1) throw new Refusal(distinct[0]!);
    const results = outcomes.map((outcome, index) => {
      const code = codes.get(index);
      return code === undefined ? {id: outcome} : {error: {code, message: REFUSALS[code].message}};
    });
    if (!distinct.includes('unknown_outcome')) return {status: 207, body: {results}, added};
    const {answer} = new Refusal('unknown_outcome');
    return {...answer, body: {...answer.body, results}, added};
  }

  #codeOf(failure: unknown): RefusalCode {
    const code = refusalCodeOf(failure);
    if (code === 'internal' || code === 'redis_denied')
      this.#options.onInternalFailure(failure instanceof Error ? failure.message : 'unknown failure');
    return code;
  }

  async #readiness({draining}: RequestState): Promise<Answer> {
    if (draining) throw new Refusal('shutting_down');
    if (!(await this.#redisAnswers())) throw new Refusal('redis_unavailable');
    return {status: 200, body: {status: 'ready'}};
  }

  /** One PING at a time, however many ask, so that questions do not pile up behind a Redis that hangs. */
  async #redisAnswers(): Promise<boolean> {
    this.#ping ??= this.#options.live
      .use((client) => client.ping())
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#ping = undefined;
      });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, PING_LIMIT_MS, false);
    });
    return Promise.race([this.#ping, limit]).finally(() => clearTimeout(timer));
  }
}
