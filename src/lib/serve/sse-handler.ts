/**
 * Those who read entries by GET: from a position, then whatever is added, until
 * they go or the server does. Each has a connection to Redis of its own, so a
 * read that waits holds up nobody else. Invariant: a reader gets every entry
 * behind its position that is still in the stream when it is read, once and in
 * order, also across a lost connection to Redis.
 */

import type {IncomingMessage, ServerResponse} from 'node:http';
import {isFailure} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import {BLOCK_MS, type Cursor, followStream} from '../reading/follow-streams.js';
import {locate} from '../reading/locate.js';
import {PageSize} from '../reading/page-size.js';
import {untilStopped} from '../reading/until-stopped.js';
import {ReconnectingClient} from '../reconnecting-client.js';
import {recordToJson, type StreamRecord} from '../records/entry.js';
import {parsePosition} from '../records/position.js';
import {FIRST_ID, parseStreamId, predecessorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import type {AddingClient} from './add-handler.js';
import {ClientShares} from './clients.js';
import {REFUSALS, Refusal, type RefusalCode, type Response, refusalCodeOf} from './responses.js';
import {decodeName, type Route} from './routes.js';
import {SseResponse} from './sse-response.js';

export interface SseHandlerOptions {
  live: LeasedClient;
  isReadable: (stream: string) => boolean;
  /** At a time. */
  maxReaders: number;
  heartbeatMs: number;
  /** Ends all of them. */
  stopping: AbortSignal;
  onRead: (entries: number) => void;
  /** What a client is not told: why Redis does not let us, or what is a bug of ours. */
  onInternalFailure: (reason: string) => void;
}

/** Of a read, about; each reader that is slow holds that much. */
const PAGE_ENTRIES = 1_000;
const PAGE_BYTES = 128 * 1024;
/** Between attempts to read again when Redis was lost. */
const BACKOFF = {firstMs: 250, longestMs: 500};

const HEADERS = {
  'Content-Type': 'text/event-stream',
  // nginx would gather the events otherwise.
  'X-Accel-Buffering': 'no',
};

export class SseHandler {
  readonly #options: SseHandlerOptions;
  readonly #open: ClientShares;

  constructor(options: SseHandlerOptions) {
    this.#options = options;
    this.#open = new ClientShares(options.maxReaders);
  }

  get count(): number {
    return this.#open.held;
  }

  /** Throws Refusal; what fails later ends the events with one named `error`. */
  async answer({headers}: IncomingMessage, {encodedName, query}: Route, state: AddingClient): Promise<Response> {
    const stream = decodeName(encodedName);
    if (!this.#options.isReadable(stream)) throw new Refusal('read_not_allowed');
    const find = readStart(query, headers['last-event-id']);
    if (state.draining) throw new Refusal('shutting_down');
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (!this.#open.hasRoom(state.client)) throw new Refusal('too_many_readers');
    this.#open.take(state.client);
    let reader: StreamClient | undefined;
    try {
      reader = await this.#connect();
      const cursor = {stream, after: await find(reader, stream)};
      // What is wrong with the stream is found out while it can still be said by a status.
      await reader.read(stream, cursor.after, {count: 1});
      const first = reader;
      return {
        status: 200,
        headers: HEADERS,
        body: (response) => void this.#serve(response, first, cursor, state.client),
      };
    } catch (error) {
      reader?.close();
      this.#open.give(state.client);
      throw new Refusal(this.#codeOf(error));
    }
  }

  async #serve(response: ServerResponse, reader: StreamClient, cursor: Cursor, client: string): Promise<void> {
    const events = new SseResponse(response, this.#options);
    const {ended: stopping} = events;
    let first: StreamClient | undefined = reader;
    const redis = new ReconnectingClient({
      connect: async () => {
        const connected = first ?? (await this.#connect());
        first = undefined;
        return connected;
      },
      backoff: BACKOFF,
      stopping,
      onProblem: () => {},
    });
    const size = new PageSize(PAGE_ENTRIES, 1, PAGE_BYTES);
    try {
      // With an ID from the start, a client that comes back before the first entry misses none either.
      await events.send(`retry: 1000\nid: ${cursor.after}\n\n`);
      const batches = followStream(redis, cursor, {stopping}, size);
      for await (const records of untilStopped(batches, redis, stopping)) {
        await events.send(records.map(eventOf).join(''));
        this.#options.onRead(records.length);
      }
    } catch (error) {
      const code = this.#codeOf(error);
      const failure = JSON.stringify({error: {code, message: REFUSALS[code].message}});
      await events.send(`event: error\ndata: ${failure}\n\n`);
    } finally {
      this.#open.give(client);
      events.end();
      first?.close();
      redis.close();
    }
  }

  #connect(): Promise<StreamClient> {
    return this.#options.live.use((client) => client.another(BLOCK_MS));
  }

  #codeOf(failure: unknown): RefusalCode {
    // Nothing can have been added here.
    if (isFailure(failure, 'unreachable')) return 'redis_unavailable';
    const code = refusalCodeOf(failure);
    if (code === 'internal' || code === 'redis_denied')
      this.#options.onInternalFailure(failure instanceof Error ? failure.message : 'unknown failure');
    return code;
  }
}

/** `id` is what a client sends as Last-Event-ID when it comes back. */
const eventOf = (record: StreamRecord): string => `id: ${record.id}\ndata: ${recordToJson(record)}\n\n`;

/**
 * Behind which ID to begin: that of the last event that the client has had,
 * else before the position that `from` means, else what is the end now. Throws Refusal.
 */
export function readStart(
  query: string | undefined,
  lastEventId: string | string[] | undefined,
): (client: StreamClient, stream: string) => Promise<string> {
  const parameters = [...new URLSearchParams(query)];
  if (parameters.some(([name]) => name !== 'from') || parameters.length > 1) throw new Refusal('bad_query');
  if (lastEventId !== undefined) {
    const id = parseStreamId(String(lastEventId));
    if (id === undefined || id !== lastEventId) throw new Refusal('bad_position');
    return async () => id;
  }
  const position = positionOf(parameters[0]?.[1] ?? 'end');
  return async (client, stream) => predecessorOf(await locate(client, stream, position)) ?? FIRST_ID;
}

function positionOf(text: string): ReturnType<typeof parsePosition> {
  try {
    return parsePosition(text, Date.now());
  } catch {
    throw new Refusal('bad_position');
  }
}
