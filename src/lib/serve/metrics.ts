/**
 * The counters of the server, in the text format of Prometheus. Invariant: the
 * number of series is bounded whatever clients send: an unknown path counts as
 * `other`, an unknown method too, and no stream is named.
 */
import type {AccessFacts} from './access-log.js';
import {type Family, familyText, PROMETHEUS_TYPE, type Sample} from './prometheus-text.js';
import type {Response} from './responses.js';
import {templateOf} from './router.js';

const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS', 'other'] as const;
const OTHER = METHODS.length - 1;
/** The upper bounds of the buckets, in seconds. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Metric extends Family {
  readonly samples: () => readonly Sample[];
}

interface RouteCounts {
  /** By status and method, in one number. */
  readonly requests: Map<number, number>;
  /** By bucket; the last one is for what is above all bounds. */
  readonly byBucket: number[];
  sumSeconds: number;
}

export class Metrics {
  readonly #metrics: Metric[] = [];
  readonly #routes = new Map<string, RouteCounts>();
  #entriesAdded = 0;
  #entriesRead = 0;
  #bodyBytes = 0;
  #connections = 0;

  /** `version` of this program. */
  constructor(version: string) {
    const requests = () => this.#requestSamples();
    this.#add('http_requests_total', 'counter', 'Requests that were answered.', requests);
    const help = 'From the header of a request to the end of its answer; without event streams.';
    this.#add('http_request_duration_seconds', 'histogram', help, () => this.#durationSamples());
    this.counter('entries_added', 'Entries whose XADD Redis confirmed.', () => this.#entriesAdded);
    this.counter('entries_read', 'Entries sent in event streams.', () => this.#entriesRead);
    this.counter('http_request_body_bytes', 'Bytes of bodies that were read.', () => this.#bodyBytes);
    this.counter('redis_reconnects', 'Connections to Redis made after the first one.', () =>
      Math.max(0, this.#connections - 1),
    );
    this.#add('build_info', 'gauge', 'Always 1.', () => [[`{version="${version}"}`, 1]]);
  }

  /** Shows `value` as `streamlog_NAME`. */
  gauge(name: string, help: string, value: () => number): void {
    this.#add(name, 'gauge', help, () => [['', value()]]);
  }

  /** Shows `value`, which only grows, as `streamlog_NAME_total`. */
  counter(name: string, help: string, value: () => number): void {
    this.#add(`${name}_total`, 'counter', help, () => [['', value()]]);
  }

  /** Shows `counts` by `codes`, which are all that there can be. */
  refusals(codes: readonly string[], counts: ReadonlyMap<string, number>): void {
    this.#add('refusals_total', 'counter', 'Requests and connections that were refused, by the reason.', () =>
      codes.map((code) => [`{code="${code}"}`, counts.get(code) ?? 0]),
    );
  }

  countRequest({method = '', path, status, ms, added}: AccessFacts): void {
    this.#entriesAdded += added;
    if (status === undefined) return;
    const route = templateOf(path);
    const counts = this.#routeCounts(route);
    const known = METHODS.indexOf(method as (typeof METHODS)[number]);
    const key = status * METHODS.length + (known === -1 ? OTHER : known);
    counts.requests.set(key, (counts.requests.get(key) ?? 0) + 1);
    if (route.endsWith('/entries') && status === 200) return;
    const seconds = ms / 1_000;
    let at = 0;
    while (at < BUCKETS_S.length && seconds > BUCKETS_S[at]!) at++;
    counts.byBucket[at]!++;
    counts.sumSeconds += seconds;
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

  answer(): Response {
    const body = this.#metrics.map((metric) => familyText(metric, metric.samples()));
    return {status: 200, headers: {'Content-Type': PROMETHEUS_TYPE}, body: body.join('\n')};
  }

  #add(name: string, type: Metric['type'], help: string, samples: Metric['samples']): void {
    this.#metrics.push({name: `streamlog_${name}`, help, type, samples});
  }

  #routeCounts(route: string): RouteCounts {
    let counts = this.#routes.get(route);
    if (counts === undefined) {
      counts = {requests: new Map(), byBucket: [0, ...BUCKETS_S.map(() => 0)], sumSeconds: 0};
      this.#routes.set(route, counts);
    }
    return counts;
  }

  #requestSamples(): Sample[] {
    return [...this.#routes].flatMap(([route, {requests}]) =>
      [...requests].map(([key, count]): Sample => {
        const method = METHODS[key % METHODS.length];
        const status = Math.floor(key / METHODS.length);
        return [`{route="${route}",method="${method}",status="${status}"}`, count];
      }),
    );
  }

  #durationSamples(): Sample[] {
    return [...this.#routes].flatMap(([route, {byBucket, sumSeconds}]) => {
      let count = 0;
      const buckets = byBucket.map((here, at): Sample => {
        count += here;
        return [`_bucket{le="${BUCKETS_S[at] ?? '+Inf'}",route="${route}"}`, count];
      });
      const sum: Sample[] = [
        [`_sum{route="${route}"}`, sumSeconds],
        [`_count{route="${route}"}`, count],
      ];
      return count === 0 ? [] : [...buckets, ...sum];
    });
  }
}
