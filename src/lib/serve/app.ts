/**
 * Assembles what answers the requests of the HTTP server: the Redis connection,
 * the handlers, and the router in front of them.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';
import {LeasedClient} from '../leased-client.js';
import type {StreamClient} from '../stream-client.js';
import type {AccessFacts} from './access-log.js';
import {AddHandler, type AddHandlerOptions} from './add-handler.js';
import {RateLimit} from './clients.js';
import type {Connections} from './connections.js';
import {HeldRequests} from './held-requests.js';
import {Metrics} from './metrics.js';
import {Readiness} from './readiness.js';
import {REFUSAL_CODES, RefusalLog} from './refusal-log.js';
import {Router, type RouterOptions} from './router.js';
import {SseHandler, type SseHandlerOptions} from './sse-handler.js';

export interface AppOptions
  extends Omit<AddHandlerOptions, 'live' | 'held' | 'metrics' | 'refusals'>,
    Omit<SseHandlerOptions, 'live' | 'metrics'>,
    Pick<RouterOptions, 'guard' | 'tokens' | 'version'> {
  connect: () => Promise<StreamClient>;
  /** How long confirmed requests with an Idempotency-Key are kept, to be added again after a failover. */
  holdMs: number;
  /** Requests per second and client; undefined: no limit. */
  requestsPerSecond: number | undefined;
  note: (text: string) => void;
}

/** How often `settle` asks whether a failover is over. */
const SETTLE_CHECK_MS = 100;

export class App {
  readonly #live: LeasedClient;
  readonly #held: HeldRequests;
  readonly #refusals: RefusalLog;
  readonly #metrics: Metrics;
  readonly #addHandler: AddHandler;
  readonly router: Router;

  private constructor(live: LeasedClient, held: HeldRequests, metrics: Metrics, options: AppOptions) {
    const {requestsPerSecond} = options;
    const refusals = new RefusalLog(options);
    const addHandler = new AddHandler({...options, refusals, live, held, metrics});
    const sseHandler = new SseHandler({...options, live, metrics});
    const readiness = new Readiness(live, () => addHandler.isFull, refusals);
    const rateLimit = requestsPerSecond === undefined ? undefined : new RateLimit(requestsPerSecond);
    metrics.gauge('requests_in_flight', 'Requests that wait for Redis.', () => addHandler.inFlight);
    metrics.gauge('readers', 'Event streams that are open.', () => sseHandler.count);
    metrics.gauge('redis_connected', 'Whether Redis is connected.', () => Number(live.connected));
    metrics.gauge('body_bytes', 'Bytes held for bodies.', () => addHandler.bodyBytes);
    metrics.refusals(REFUSAL_CODES, refusals.counts);
    this.#refusals = refusals;
    this.#live = live;
    this.#held = held;
    this.#metrics = metrics;
    this.#addHandler = addHandler;
    this.router = new Router({...options, rateLimit, readiness, addHandler, sseHandler, metrics});
  }

  /** Connects, or keeps trying to. Throws `configuration` and `denied`, which a retry would not change. */
  static async start(options: AppOptions): Promise<App> {
    const {connect, note, warn, version, holdMs} = options;
    const held = new HeldRequests({ms: holdMs, warn});
    const metrics = new Metrics(version);
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
      onConnected: (address) => {
        metrics.countConnection();
        note(`connected to Redis at ${address}`);
      },
      onLost: warn,
    });
    return new App(live, held, metrics, options);
  }

  /** Adds the HTTP server and the access log to the metrics. */
  watch(connections: Connections, log?: {readonly dropped: number}): void {
    const metrics = this.#metrics;
    metrics.counter(
      'access_log_dropped_lines',
      'Lines of the access log that were dropped, since standard error was not read fast enough.',
      () => log?.dropped ?? 0,
    );
    metrics.gauge('connections', 'Connections that are open.', () => connections.count);
    const help = 'Requests whose turn on their connection has not come.';
    metrics.gauge('requests_waiting', help, () => connections.waiting);
    metrics.gauge('unsent_bytes', 'Bytes of answers that clients have not taken.', () => connections.unsentBytes);
  }

  /** Counts a request that was answered, or a connection that was closed without a request. */
  count(facts: AccessFacts): void {
    if (facts.error !== undefined) this.#refusals.count(facts.error);
    this.#metrics.countRequest(facts);
  }

  /** Closes the connection to Redis within `limitMs`. Returns a failure when entries are unconfirmed, or may be lost. */
  async end(limitMs: number, mayFailOver: boolean): Promise<StreamlogError | undefined> {
    const unconfirmed = this.#addHandler.inFlight;
    const isSettled = !mayFailOver || (await this.#settle(limitMs));
    this.#refusals.close();
    this.#live.close();
    if (isSettled && unconfirmed === 0) return undefined;
    const message = isSettled
      ? `Redis had not confirmed ${unconfirmed} requests when --drain was over`
      : 'the master was away when --drain was over: what was added last may be lost';
    return new StreamlogError('incomplete', message);
  }

  /**
   * Waits until Redis is surely the master, at most for `limitMs`: after a failover, what was answered with 201 is added
   * again or reported as lost. False when that is still open.
   */
  async #settle(limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    while (!this.#held.isEmpty) {
      const standing = await this.#live.use((client) => client.server.standing()).catch(() => 'ended');
      if (standing === 'master') return true;
      if (performance.now() >= endMs) return false;
      await sleep(SETTLE_CHECK_MS);
    }
    return true;
  }
}
