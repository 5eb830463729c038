/**
 * What stands behind the HTTP server: the connection to Redis and the parts
 * that use it, put together, for as long as the server runs. Invariant: it
 * works with one Redis, which may come and go.
 */
import type {IncomingMessage} from 'node:http';
import {setTimeout as sleep} from 'node:timers/promises';
import {LeasedClient} from '../leased-client.js';
import type {StreamClient} from '../stream-client.js';
import type {AccessFacts} from './access-log.js';
import {AddHandler, type AddHandlerOptions} from './add-handler.js';
import type {AuthTokens} from './clients.js';
import {RateLimit} from './clients.js';
import {HeldRequests} from './held-requests.js';
import type {RequestView, ServerLoad} from './http-server.js';
import {Metrics} from './metrics.js';
import {Readiness} from './readiness.js';
import {REFUSAL_CODES, RefusalLog} from './refusal-log.js';
import type {Response} from './responses.js';
import {Router} from './router.js';
import {SseHandler, type SseHandlerOptions} from './sse-handler.js';

/** What the parts ask for and do not give each other. */
export interface AppOptions
  extends Omit<AddHandlerOptions, 'live' | 'held' | 'onBody' | 'onInternalFailure' | 'refusals'>,
    Omit<SseHandlerOptions, 'live' | 'onRead' | 'onInternalFailure'> {
  connect: () => Promise<StreamClient>;
  /** How long confirmed requests with an Idempotency-Key are kept, to be added again after a failover. */
  holdMs: number;
  /** Undefined: whoever can connect may ask. */
  tokens: AuthTokens | undefined;
  /** Requests a second of each client; undefined: as many as come. */
  requestsPerSecond: number | undefined;
  /** Of this program. */
  version: string;
  note: (text: string) => void;
  warn: (text: string) => void;
}

/** How often it is looked whether a failover is over. */
const SETTLE_LOOK_MS = 100;

export class App {
  readonly #live: LeasedClient;
  readonly #held: HeldRequests;
  readonly #refusals: RefusalLog;
  readonly #metrics: Metrics;
  readonly #addHandler: AddHandler;
  readonly #router: Router;

  private constructor(live: LeasedClient, held: HeldRequests, metrics: Metrics, options: AppOptions) {
    const {tokens, requestsPerSecond, version, warn} = options;
    const refusals = new RefusalLog(options);
    const addHandler = new AddHandler({
      ...options,
      refusals,
      live,
      held,
      onBody: (bytes) => metrics.countBody(bytes),
      onInternalFailure: warn,
    });
    const readers = new SseHandler({
      ...options,
      live,
      onRead: (entries) => metrics.countRead(entries),
      onInternalFailure: warn,
    });
    const readiness = new Readiness(live, () => addHandler.isFull, refusals);
    const rateLimit = requestsPerSecond === undefined ? undefined : new RateLimit(requestsPerSecond);
    metrics.watch('streamlog_requests_in_flight', 'Requests that wait for Redis.', () => addHandler.inFlight);
    metrics.watch('streamlog_readers', 'Event streams that are open.', () => readers.count);
    metrics.watch('streamlog_redis_connected', 'Whether Redis is connected.', () => Number(live.connected));
    metrics.watch('streamlog_body_bytes', 'Bytes held for bodies.', () => addHandler.bodyBytes);
    metrics.watchCodes(REFUSAL_CODES, () => refusals.counts);
    this.#refusals = refusals;
    this.#live = live;
    this.#held = held;
    this.#metrics = metrics;
    this.#addHandler = addHandler;
    this.#router = new Router({tokens, rateLimit, readiness, addHandler, readers, metrics, version});
  }

  /** Connects, or goes on trying to. Throws `configuration` and `denied`, which waiting would not mend. */
  static async start(options: AppOptions): Promise<App> {
    const {connect, note, warn, version, holdMs} = options;
    const held = new HeldRequests({ms: holdMs, warn});
    const metrics = await Metrics.create(version);
    let isFirst = true;
    const live = await LeasedClient.start({
      connect: async () => {
        const client = await (await connect()).readyToAdd();
        const warning = isFirst
          ? await client.server.evictionWarning('what an Idempotency-Key is known by')
          : undefined;
        isFirst = false;
        if (warning !== undefined) warn(warning);
        return held.bringTo(client);
      },
      onConnected: (place) => {
        metrics.countConnection();
        note(`connected to Redis at ${place}`);
      },
      onLost: warn,
    });
    return new App(live, held, metrics, options);
  }

  /** Throws Refusal, or ClientGone when there is nobody left to answer. */
  answer(request: IncomingMessage, state: RequestView): Promise<Response> {
    return this.#router.answer(request, state);
  }

  /** Shows what connections take up, and what of the log was lost. */
  watch(load: ServerLoad, log?: {readonly dropped: number}): void {
    this.#metrics.watchTotal(
      'access_log_dropped_lines',
      'Lines of the access log that were dropped, since standard error was not read fast enough.',
      () => log?.dropped ?? 0,
    );
    this.#metrics.watch('streamlog_connections', 'Connections that are open.', () => load.connections);
    this.#metrics.watch(
      'streamlog_requests_waiting',
      'Requests whose turn on their connection has not come.',
      () => load.waiting,
    );
    this.#metrics.watch(
      'streamlog_unsent_bytes',
      'Bytes of answers that clients have not taken.',
      () => load.unsentBytes,
    );
  }

  /** To be told of each request that was answered, and of each connection that was ended without. */
  count(facts: AccessFacts): void {
    if (facts.error !== undefined) this.#refusals.count(facts.error);
    this.#metrics.countRequest(facts);
  }

  /** Requests that Redis has not confirmed. */
  get unconfirmed(): number {
    return this.#addHandler.inFlight;
  }

  /**
   * Before the last one goes: whether the master has what was answered with 201. Waits for the outcome of a failover, at
   * most for `limitMs`, so that what it took back is sent again or told.
   */
  async settle(limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    while (!this.#held.isEmpty) {
      const standing = await this.#live.use((client) => client.standing()).catch(() => 'ended');
      if (standing === 'master') return true;
      if (performance.now() >= endMs) return false;
      await sleep(SETTLE_LOOK_MS);
    }
    return true;
  }

  /** Lets go of Redis at once. */
  close(): void {
    this.#refusals.close();
    this.#live.close();
  }
}
