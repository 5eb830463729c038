/**
 * Sends the entries of a stream to readers as server-sent events, each over a
 * Redis connection of its own, as XREAD BLOCK blocks it. Invariant: a reader gets
 * every entry after its position that is in the stream when it is read, once and
 * in order, also across a lost connection to Redis.
 */
import type {ServerResponse} from 'node:http';
import {isFailure} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import type {Cursor} from '../reading/change-check.js';
import {BLOCK_MS, followStream} from '../reading/follow-streams.js';
import {locate} from '../reading/locate.js';
import {PageSize} from '../reading/page-size.js';
import {untilStopped} from '../reading/until-stopped.js';
import {ReconnectingClient} from '../reconnecting-client.js';
import {recordToJson, type StreamRecord} from '../records/entry.js';
import {parsePosition} from '../records/position.js';
import {FIRST_ID, parseStreamId, predecessorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import {ClientShares} from './clients.js';
import type {RequestState} from './http-connection.js';
import type {Metrics} from './metrics.js';
import {REFUSALS, Refusal, type RefusalCode, type Response, refusalCodeOf} from './responses.js';
import {SseResponse} from './sse-response.js';

export interface SseHandlerOptions {
  live: LeasedClient;
  isReadable: (stream: string) => boolean;
  /** At a time. */
  maxReaders: number;
  /** The longest silence; then a comment is sent. */
  heartbeatMs: number;
  /** Ends all event streams. */
  stopping: AbortSignal;
  metrics: Metrics;
  /** Reports what is wrong with the server, which clients do not learn. */
  warn: (text: string) => void;
}

/** The size of a read, about; each slow reader holds that much. */
const PAGE_ENTRIES = 1_000;
const PAGE_BYTES = 128 * 1024;
/** Between attempts to reconnect to Redis. */
const BACKOFF = {firstMs: 250, longestMs: 500};

const HEADERS = {
  'Content-Type': 'text/event-stream',
  // Turns off buffering by nginx: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
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

  /** Throws Refusal. A later failure ends the events with one named `error`. */
  async answer(state: RequestState, stream: string, query: string | undefined): Promise<Response> {
    const {request, client} = state;
    if (!this.#options.isReadable(stream)) throw new Refusal('read_not_allowed');
    const find = readStart(query, request.headers['last-event-id']);
    if (state.draining) throw new Refusal('shutting_down');
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (!this.#open.hasRoom(client)) throw new Refusal('too_many_readers');
    this.#open.take(client);
    let reader: StreamClient | undefined;
    try {
      reader = await this.#connect();
      const cursor = {stream, after: await find(reader, stream)};
      // So that a refusal of Redis is still answered with a status.
      await reader.read(stream, cursor.after, {count: 1});
      const first = reader;
      return {
        status: 200,
        headers: HEADERS,
        body: (response) => void this.#serve(response, first, cursor, client),
      };
    } catch (error) {
      reader?.close();
      this.#open.give(client);
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
      // The ID lets a client that reconnects before the first entry resume here.
      await events.send(`retry: 1000\nid: ${cursor.after}\n\n`);
      const batches = followStream(redis, cursor, {stopping}, size);
      for await (const records of untilStopped(batches, redis, stopping)) {
        await events.send(records.map(eventOf).join(''));
        this.#options.metrics.countRead(records.length);
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
    // Reading has no unknown result.
    if (isFailure(failure, 'unreachable')) return 'redis_unavailable';
    const code = refusalCodeOf(failure);
    if (code === 'internal' || code === 'redis_denied')
      this.#options.warn(failure instanceof Error ? failure.message : 'unknown failure');
    return code;
  }
}

/** A client sends `id` as Last-Event-ID when it reconnects. */
const eventOf = (record: StreamRecord): string => `id: ${record.id}\ndata: ${recordToJson(record)}\n\n`;

/**
 * The ID after which to start: Last-Event-ID, else the predecessor of the position in `from`, else the current end.
 * Throws Refusal.
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
