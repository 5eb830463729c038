/**
 * From a request to who answers it, in the order in which it is cheap to refuse
 * it: path, method, token, rate, and only then what the request is about. Knows
 * HTTP and nothing of sockets. Invariant: nothing but the probes is answered to
 * one who has no token where one is asked for.
 */
import type {IncomingMessage} from 'node:http';
import type {AddHandler} from './add-handler.js';
import type {AuthTokens, RateLimit} from './clients.js';
import type {RequestView} from './http-server.js';
import type {Metrics} from './metrics.js';
import {openApi} from './openapi.js';
import type {Readiness} from './readiness.js';
import {Refusal, type Response} from './responses.js';
import {readRoute} from './routes.js';
import type {SseHandler} from './sse-handler.js';

export interface RouterOptions {
  /** Undefined: whoever can connect may ask. */
  tokens: AuthTokens | undefined;
  /** Undefined: as many requests as come. */
  rateLimit: RateLimit | undefined;
  readiness: Readiness;
  addHandler: AddHandler;
  readers: SseHandler;
  metrics: Metrics;
  /** Of this program. */
  version: string;
}

export class Router {
  readonly #options: RouterOptions;
  /** Made once: it is long, and asked for by whoever likes. */
  readonly #description: Response;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#description = {status: 200, body: Buffer.from(`${JSON.stringify(openApi(options.version))}\n`)};
  }

  /** Answers a request. Throws Refusal, or ClientGone when there is nobody left to answer. */
  answer(request: IncomingMessage, state: RequestView): Promise<Response> {
    const {readiness, metrics, addHandler: ingest, readers} = this.#options;
    const route = readRoute(request.method, state.target);
    if (route.kind === 'livez') return Promise.resolve({status: 200, body: {status: 'alive'}});
    if (route.kind === 'readyz') return readiness.answer(state);
    const token = this.#authorized(request);
    const client = token ?? state.account;
    switch (route.kind) {
      case 'metrics':
        return metrics.answer();
      case 'openapi':
        return Promise.resolve(this.#description);
      case 'add':
        this.#limitRate(client);
        return ingest.answer(request, route, {...state, client, scope: token ?? ''});
      case 'follow':
        this.#limitRate(client);
        return readers.answer(request, route, {...state, client, scope: token ?? ''});
    }
  }

  /** The name of the token that was given; undefined where none is asked for. Throws Refusal. */
  #authorized({headers}: IncomingMessage): string | undefined {
    const {tokens} = this.#options;
    if (tokens === undefined) return undefined;
    const token = tokens.identify(headers.authorization);
    if (token !== undefined) return token;
    throw new Refusal('unauthorized', {headers: {'WWW-Authenticate': 'Bearer realm="streamlog"'}});
  }

  #limitRate(client: string): void {
    const {rateLimit} = this.#options;
    if (rateLimit === undefined) return;
    const waitMs = rateLimit.take(client, performance.now());
    if (waitMs === 0) return;
    throw new Refusal('too_many_requests', {headers: {'Retry-After': String(Math.ceil(waitMs / 1_000))}});
  }
}
