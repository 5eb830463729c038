/**
 * What this server counts of itself, as Prometheus reads it: kept in plain
 * numbers, and given to the library that writes them when somebody asks.
 * Invariant: the number of series is bounded whatever clients send: a path
 * counts as one of the known ones or as `other`, and no stream is named.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Counter, Gauge, Histogram, Registry} from 'prom-client';
import type {AccessFacts} from './access-log.js';
import {RequestCounts} from './request-counts.js';
import type {Response} from './responses.js';
import {templateOf} from './routes.js';

/** Between two writings, as a multiple of what the first one took. */
const PAUSES = 9;
const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Metrics {
  readonly #library: typeof import('prom-client');
  readonly #registry: Registry;
  readonly #requests = new RequestCounts(LATENCY_BUCKETS_S);
  #entriesAdded = 0;
  #entriesRead = 0;
  #bodyBytes = 0;
  #connections = 0;
  #next: Promise<string> | undefined;
  #pauseUntilMs = 0;

  private constructor(library: typeof import('prom-client'), version: string) {
    this.#library = library;
    this.#registry = new library.Registry();
    this.#showRequests();
    this.#registry.registerMetric(latencyMetric(this.#requests));
    this.watchTotal('entries_added', 'Entries whose XADD Redis confirmed.', () => this.#entriesAdded);
    this.watchTotal('entries_read', 'Entries sent in event streams.', () => this.#entriesRead);
    this.watchTotal('http_request_body_bytes', 'Bytes of bodies that were read.', () => this.#bodyBytes);
    this.watchTotal('redis_reconnects', 'Connections to Redis made after the first one.', () =>
      Math.max(0, this.#connections - 1),
    );
    const registers = [this.#registry];
    const build = {name: 'streamlog_build_info', help: 'Always 1.', labelNames: ['version'], registers};
    new library.Gauge(build).set({version}, 1);
  }

  /** Loads the library that writes them, which no other command needs. */
  static async create(version: string): Promise<Metrics> {
    return new Metrics(await import('prom-client'), version);
  }

  /** Has `value` looked at whenever somebody asks. */
  watch(name: string, help: string, value: () => number): void {
    const collect = function (this: Gauge): void {
      this.set(value());
    };
    new this.#library.Gauge({name, help, registers: [this.#registry], collect});
  }

  countRequest({method = '', path, status, ms, added}: AccessFacts): void {
    this.#entriesAdded += added;
    if (status === undefined) return;
    const route = templateOf(path);
    this.#requests.count(route, method, status);
    if (!route.endsWith('/entries') || status !== 200) this.#requests.time(route, ms / 1_000);
  }

  /** The same as `watch`, for numbers that only grow, by their code. */
  watchCodes(codes: readonly string[], counts: () => ReadonlyMap<string, number>): void {
    new this.#library.Counter({
      name: 'streamlog_refusals_total',
      help: 'Requests and connections that were refused, by the reason.',
      labelNames: ['code'],
      registers: [this.#registry],
      collect(this: Counter) {
        this.reset();
        for (const code of codes) this.inc({code}, counts().get(code) ?? 0);
      },
    });
  }

  countBody(bytes: number): void {
    this.#bodyBytes += bytes;
  }

  countRead(entries: number): void {
    this.#entriesRead += entries;
  }

  countConnection(): void {
    this.#connections++;
  }

  /** Those who ask while it is not yet written get the same: writing it takes a tenth of the time at most, however many ask. */
  async answer(): Promise<Response> {
    this.#next ??= this.#write();
    return {status: 200, headers: {'Content-Type': this.#registry.contentType}, body: await this.#next};
  }

  async #write(): Promise<string> {
    await sleep(Math.max(0, this.#pauseUntilMs - performance.now()));
    this.#next = undefined;
    const startMs = performance.now();
    const text = await this.#registry.metrics();
    const endMs = performance.now();
    this.#pauseUntilMs = endMs + PAUSES * (endMs - startMs);
    return text;
  }

  /** The same as `watch`, for what only grows: `streamlog_NAME_total`. */
  watchTotal(name: string, help: string, value: () => number): void {
    const collect = function (this: Counter): void {
      this.reset();
      this.inc(value());
    };
    new this.#library.Counter({name: `streamlog_${name}_total`, help, registers: [this.#registry], collect});
  }

  #showRequests(): void {
    const requests = this.#requests;
    new this.#library.Counter({
      name: 'streamlog_http_requests_total',
      help: 'Requests that were answered.',
      labelNames: ['route', 'method', 'status'],
      registers: [this.#registry],
      collect(this: Counter) {
        this.reset();
        for (const {count, route, method, status} of requests.requests) this.inc({route, method, status}, count);
      },
    });
  }
}

/** A histogram of the library can only be told of one request after the other; a registry asks for `get` alone. */
function latencyMetric(requests: RequestCounts): Histogram {
  const name = 'streamlog_http_request_duration_seconds';
  const help = 'From the header of a request to the end of its answer; without event streams.';
  const get = async (): Promise<object> => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: requests.latencies.flatMap(({route, atMost, count, sumSeconds}) => [
      ...[...LATENCY_BUCKETS_S, '+Inf'].map((le, at) => ({
        metricName: `${name}_bucket`,
        labels: {le, route},
        value: atMost[at] ?? count,
      })),
      {metricName: `${name}_sum`, labels: {route}, value: sumSeconds},
      {metricName: `${name}_count`, labels: {route}, value: count},
    ]),
  });
  return {name, help, get} as unknown as Histogram;
}
