/**
 * Requests by route, method and status, and how long they took, in plain
 * numbers: a request is counted far more often than somebody asks. Knows no
 * Prometheus beyond what a histogram is. Invariant: what is kept is bounded by
 * the routes that there are, whatever methods clients make up.
 */
const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS', 'other'] as const;
const OTHER = METHODS.length - 1;

interface RouteCounts {
  /** By status and method, in one number. */
  readonly requests: Map<number, number>;
  /** By the first bound that is not below; the last one is for what is above all. */
  readonly byBound: number[];
  sumSeconds: number;
}

export interface RequestCount {
  readonly route: string;
  readonly method: string;
  readonly status: string;
  readonly count: number;
}

/** Of a route: how many requests took at most each bound, and how long all took together. */
export interface Latency {
  readonly route: string;
  readonly atMost: readonly number[];
  readonly count: number;
  readonly sumSeconds: number;
}

export class RequestCounts {
  readonly #boundsSeconds: readonly number[];
  readonly #routes = new Map<string, RouteCounts>();

  /** `boundsSeconds` ascend. */
  constructor(boundsSeconds: readonly number[]) {
    this.#boundsSeconds = boundsSeconds;
  }

  count(route: string, method: string, status: number): void {
    const {requests} = this.#of(route);
    const known = METHODS.indexOf(method as (typeof METHODS)[number]);
    const key = status * METHODS.length + (known === -1 ? OTHER : known);
    requests.set(key, (requests.get(key) ?? 0) + 1);
  }

  time(route: string, seconds: number): void {
    const counts = this.#of(route);
    let at = 0;
    while (at < this.#boundsSeconds.length && seconds > this.#boundsSeconds[at]!) at++;
    counts.byBound[at]!++;
    counts.sumSeconds += seconds;
  }

  get requests(): RequestCount[] {
    return [...this.#routes].flatMap(([route, {requests}]) =>
      [...requests].map(([key, count]) => ({
        route,
        method: METHODS[key % METHODS.length]!,
        status: String(Math.floor(key / METHODS.length)),
        count,
      })),
    );
  }

  /** Of routes of which a request was timed. */
  get latencies(): Latency[] {
    return [...this.#routes].flatMap(([route, {byBound, sumSeconds}]) => {
      let count = 0;
      const atMost = byBound.map((here) => {
        count += here;
        return count;
      });
      return count === 0 ? [] : [{route, atMost: atMost.slice(0, -1), count, sumSeconds}];
    });
  }

  #of(route: string): RouteCounts {
    let counts = this.#routes.get(route);
    if (counts === undefined) {
      counts = {requests: new Map(), byBound: [0, ...this.#boundsSeconds.map(() => 0)], sumSeconds: 0};
      this.#routes.set(route, counts);
    }
    return counts;
  }
}
