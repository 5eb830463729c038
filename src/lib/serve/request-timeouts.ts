/**
 * The time limit of requests, the same for all: one timer serves them, and the first is the first to expire.
 * Invariant: each request that waits ends once, by its response or by the limit.
 */
import {Refusal, type Response} from './responses.js';

/** A request that waits; without `resolve`, it has ended. */
interface TimedRequest {
  readonly expiresMs: number;
  resolve: ((response: Response) => void) | undefined;
}

/** An array, as a Map from which each request is deleted again costs a tenth of a request. */
export class RequestTimeouts {
  readonly #limitMs: number;
  /** In the order in which they began, those before `#first` ended. */
  readonly #requests: TimedRequest[] = [];
  #first = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Resolves with `unknown_outcome` after the limit, late by a twentieth of it at most, unless `end` comes first. */
  begin(resolve: (response: Response) => void): TimedRequest {
    const request = {expiresMs: performance.now() + this.#limitMs, resolve};
    this.#requests.push(request);
    this.#timer ??= setInterval(() => this.#check(), this.#limitMs / 20);
    return request;
  }

  /** Does nothing for a request that has expired or ended. */
  end(request: TimedRequest): void {
    request.resolve = undefined;
    const requests = this.#requests;
    while (this.#first < requests.length && requests[this.#first]!.resolve === undefined) this.#first++;
    if (2 * this.#first < requests.length) return;
    requests.splice(0, this.#first);
    this.#first = 0;
  }

  #check(): void {
    const nowMs = performance.now();
    for (let next = this.#requests[this.#first]; next !== undefined; next = this.#requests[this.#first]) {
      if (next.expiresMs > nowMs) return;
      const {resolve} = next;
      this.end(next);
      resolve?.(new Refusal('unknown_outcome').answer);
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
