/** Answers `/metrics`, and `/livez` and `/readyz` for probes, which need no token. */

import type {Snapshot} from '../observe/snapshot.js';
import {authenticate} from '../serve/authentication.js';
import type {AuthTokens} from '../serve/clients.js';
import type {RequestState} from '../serve/http-connection.js';
import {PROMETHEUS_TYPE} from '../serve/prometheus-text.js';
import type {HostGuard} from '../serve/request-head.js';
import {Refusal, type Response} from '../serve/responses.js';
import type {LatestSnapshot} from './latest-snapshot.js';

export interface MetricsRouterOptions {
  guard: HostGuard;
  /** Undefined: no token is required. */
  tokens: AuthTokens | undefined;
  latest: LatestSnapshot;
  render: (snapshot: Snapshot | undefined) => string;
}

const PATHS = new Set(['/metrics', '/livez', '/readyz']);
const METHODS = ['GET', 'HEAD'];
/** The longest wait for the first reading, and what is left for the answer where Prometheus says how long it waits. */
const LIMIT_MS = 5_000;
const MARGIN_MS = 500;

export class MetricsRouter {
  readonly #options: MetricsRouterOptions;

  constructor(options: MetricsRouterOptions) {
    this.#options = options;
  }

  /** Throws Refusal, or rejects with it. */
  async answer(state: RequestState): Promise<Response> {
    const {request, target} = state;
    const {guard, tokens, latest, render} = this.#options;
    if (target === undefined) throw new Refusal('bad_target');
    guard(request.headers, target.authority);
    if (!PATHS.has(target.path)) throw new Refusal('not_found');
    if (!METHODS.includes(request.method ?? ''))
      throw new Refusal('method_not_allowed', {headers: {Allow: METHODS.join(', ')}});
    if (target.path === '/livez') return {status: 200, body: {status: 'alive'}};
    if (target.path === '/readyz') return this.#ready(state.draining);
    authenticate(tokens, state);
    const snapshot = await latest.get(limitOf(request.headers['x-prometheus-scrape-timeout-seconds']));
    return {status: 200, headers: {'Content-Type': PROMETHEUS_TYPE}, body: render(snapshot)};
  }

  async #ready(draining: boolean): Promise<Response> {
    if (draining) throw new Refusal('shutting_down');
    if ((await this.#options.latest.get(0)) === undefined) throw new Refusal('redis_unavailable');
    return {status: 200, body: {status: 'ready'}};
  }
}

function limitOf(seconds: string | string[] | undefined): number {
  const ms = Number(seconds) * 1_000 - MARGIN_MS;
  return ms > 0 ? Math.min(LIMIT_MS, ms) : LIMIT_MS;
}
