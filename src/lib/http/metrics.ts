/**
 * What this server counts of itself, as Prometheus reads it. Invariant: the
 * number of series is bounded whatever clients send: a path counts as one of
 * the known ones or as `other`, and no stream is named.
 */
import type {Counter, Gauge, Histogram, Registry} from 'prom-client';
import type {AccessFacts} from './access-log.js';
import type {Answer} from './answers.js';
import {templateOf} from './routes.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);
const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Metrics {
  readonly #registry: Registry;
  readonly #requests: Counter;
  readonly #latency: Histogram;
  readonly #entriesAdded: Counter;
  readonly #entriesRead: Counter;
  readonly #bodyBytes: Counter;
  readonly #reconnects: Counter;
  /** Series by their labels: finding them anew for each request would cost more than counting. */
  readonly #requestSeries = new Map<string, Counter.Internal>();
  readonly #latencySeries = new Map<string, Histogram.Internal<string>>();
  readonly #Gauge: typeof Gauge;
  #connections = 0;

  private constructor({Counter, Gauge, Histogram, Registry}: typeof import('prom-client'), version: string) {
    const registers = [new Registry()];
    const counter = (name: string, help: string): Counter => new Counter({name, help, registers});
    this.#registry = registers[0]!;
    this.#Gauge = Gauge;
    this.#requests = new Counter({
      name: 'streamlog_http_requests_total',
      help: 'Requests that were answered.',
      labelNames: ['route', 'method', 'status'],
      registers,
    });
    this.#latency = new Histogram({
      name: 'streamlog_http_request_duration_seconds',
      help: 'From the header of a request to the end of its answer; without event streams.',
      labelNames: ['route'],
      buckets: LATENCY_BUCKETS_S,
      registers,
    });
    this.#entriesAdded = counter('streamlog_entries_added_total', 'Entries whose XADD Redis confirmed.');
    this.#entriesRead = counter('streamlog_entries_read_total', 'Entries sent in event streams.');
    this.#bodyBytes = counter('streamlog_http_request_body_bytes_total', 'Bytes of bodies that were read.');
    this.#reconnects = counter('streamlog_redis_reconnects_total', 'Connections to Redis made after the first one.');
    const build = {name: 'streamlog_build_info', help: 'Always 1.', labelNames: ['version'], registers};
    new Gauge(build).set({version}, 1);
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
    new this.#Gauge({name, help, registers: [this.#registry], collect});
  }

  countRequest({method = '', path, status, ms, added}: AccessFacts): void {
    if (added > 0) this.#entriesAdded.inc(added);
    if (status === undefined) return;
    const route = templateOf(path);
    const key = `${status} ${METHODS.has(method) ? method : 'other'} ${route}`;
    let requests = this.#requestSeries.get(key);
    if (requests === undefined) {
      const [, label] = key.split(' ');
      requests = this.#requests.labels({route, method: label!, status: String(status)});
      this.#requestSeries.set(key, requests);
    }
    requests.inc();
    if (route.endsWith('/entries') && status === 200) return;
    let latency = this.#latencySeries.get(route);
    if (latency === undefined) {
      latency = this.#latency.labels({route});
      this.#latencySeries.set(route, latency);
    }
    latency.observe(ms / 1_000);
  }

  countBody(bytes: number): void {
    this.#bodyBytes.inc(bytes);
  }

  countRead(entries: number): void {
    this.#entriesRead.inc(entries);
  }

  countConnection(): void {
    if (this.#connections++ > 0) this.#reconnects.inc();
  }

  async answer(): Promise<Answer> {
    const headers = {'Content-Type': this.#registry.contentType};
    return {status: 200, headers, body: await this.#registry.metrics()};
  }
}
