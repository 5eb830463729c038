/**
 * Routes a request to its handler, after the checks that are common to all, the
 * cheapest first: target, host, path, method, token, rate. Invariant: where
 * tokens are set, only the two probes answer without one.
 */
import type {AddHandler} from './add-handler.js';
import {authenticate} from './authentication.js';
import type {AuthTokens, RateLimit} from './clients.js';
import type {RequestState} from './http-connection.js';
import type {Metrics} from './metrics.js';
import {openApi} from './openapi.js';
import type {Readiness} from './readiness.js';
import type {HostGuard, RequestTarget} from './request-head.js';
import {Refusal, type Response} from './responses.js';
import type {SseHandler} from './sse-handler.js';

/** All paths, as OpenAPI and the metrics name them. */
export const ROUTES = [
  {kind: 'add', template: '/streams/{name}', path: /^\/streams\/([^/]+)$/, methods: ['POST']},
  {kind: 'follow', template: '/streams/{name}/entries', path: /^\/streams\/([^/]+)\/entries$/, methods: ['GET']},
  {kind: 'livez', template: '/livez', path: /^\/livez$/, methods: ['GET', 'HEAD']},
  {kind: 'readyz', template: '/readyz', path: /^\/readyz$/, methods: ['GET', 'HEAD']},
  {kind: 'metrics', template: '/metrics', path: /^\/metrics$/, methods: ['GET', 'HEAD']},
  {kind: 'openapi', template: '/openapi.json', path: /^\/openapi\.json$/, methods: ['GET', 'HEAD']},
] as const;

export interface Route {
  readonly kind: (typeof ROUTES)[number]['kind'];
  /** The path segment that names a stream, for `decodeName`; empty for other routes. */
  readonly encodedName: string;
  /** The text after the question mark; undefined without one. */
  readonly query: string | undefined;
}

/** Throws Refusal for an unknown path, or a method that it does not have. */
export function readRoute(method: string | undefined, {path, query}: RequestTarget): Route {
  for (const {kind, path: pattern, methods} of ROUTES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const known: readonly string[] = methods;
    if (method === undefined || !known.includes(method))
      throw new Refusal('method_not_allowed', {headers: {Allow: known.join(', ')}});
    return {kind, encodedName: match[1] ?? '', query};
  }
  throw new Refusal('not_found');
}

/** The template of a path, such as `/streams/{name}`; `other` for an unknown one. */
export const templateOf = (path: string): string =>
  ROUTES.find(({path: pattern}) => pattern.test(path))?.template ?? 'other';

/** The stream that a path segment names. Throws Refusal. */
export function decodeName(encoded: string): string {
  if (!/^[!-~]+$/.test(encoded)) throw new Refusal('bad_path');
  if (!encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new Refusal('bad_path');
  }
}

export interface RouterOptions {
  guard: HostGuard;
  /** Undefined: no token is required. */
  tokens: AuthTokens | undefined;
  /** Undefined: no limit. */
  rateLimit: RateLimit | undefined;
  readiness: Readiness;
  addHandler: AddHandler;
  sseHandler: SseHandler;
  metrics: Metrics;
  /** Of this program. */
  version: string;
}

export class Router {
  readonly #options: RouterOptions;
  /** Made once: it is long, and every client may ask for it. */
  readonly #openApi: Response;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#openApi = {status: 200, body: Buffer.from(`${JSON.stringify(openApi(options.version))}\n`)};
  }

  /** Throws Refusal; rejects with Refusal too, and with ClientGone when the client closed its connection. */
  answer(state: RequestState): Response | Promise<Response> {
    const {request, target} = state;
    const {guard, readiness, metrics, addHandler, sseHandler} = this.#options;
    if (target === undefined) throw new Refusal('bad_target');
    guard(request.headers, target.authority);
    const {kind, encodedName, query} = readRoute(request.method, target);
    if (kind === 'livez') return {status: 200, body: {status: 'alive'}};
    if (kind === 'readyz') return readiness.answer(state.draining);
    authenticate(this.#options.tokens, state);
    if (kind === 'metrics') return metrics.answer();
    if (kind === 'openapi') return this.#openApi;
    this.#limitRate(state.client);
    if (kind === 'follow') return sseHandler.answer(state, decodeName(encodedName), query);
    if (query !== undefined) throw new Refusal('bad_query');
    return addHandler.answer(state, decodeName(encodedName));
  }

  #limitRate(client: string): void {
    const waitMs = this.#options.rateLimit?.take(client, performance.now()) ?? 0;
    if (waitMs > 0)
      throw new Refusal('too_many_requests', {headers: {'Retry-After': String(Math.ceil(waitMs / 1_000))}});
  }
}
