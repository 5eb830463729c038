/**
 * Whether this server can do its work now, for probes. A refusal of Redis is
 * remembered until it takes something again, or for ten seconds: a probe adds
 * nothing, so it could not find out by itself. Invariant: however many ask, one
 * PING is under way.
 */

import type {LeasedClient} from '../leased-client.js';
import type {RequestView} from './http-server.js';
import type {RefusalLog} from './refusal-log.js';
import {Refusal, type Response} from './responses.js';

const PING_LIMIT_MS = 1_000;

export class Readiness {
  readonly #live: LeasedClient;
  readonly #isFull: () => boolean;
  readonly #refusals: RefusalLog;
  #ping: Promise<boolean> | undefined;

  /** `isFull` says whether the next request would be refused. */
  constructor(live: LeasedClient, isFull: () => boolean, refusals: RefusalLog) {
    this.#refusals = refusals;
    this.#live = live;
    this.#isFull = isFull;
  }

  /** Throws Refusal when the server drains, or Redis does not answer within a second. */
  async answer({draining}: RequestView): Promise<Response> {
    if (draining) throw new Refusal('shutting_down');
    if (!(await this.#redisAnswers())) throw new Refusal('redis_unavailable');
    const word = this.#refusals.redisWord;
    if (word !== undefined) throw new Refusal('redis_refuses', {reason: `Redis refuses for now (${word})`});
    if (this.#isFull()) throw new Refusal('overloaded');
    return {status: 200, body: {status: 'ready'}};
  }

  /** Questions must not pile up behind a Redis that hangs. */
  async #redisAnswers(): Promise<boolean> {
    this.#ping ??= this.#live
      .use((client) => client.server.ping())
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#ping = undefined;
      });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, PING_LIMIT_MS, false);
    });
    return Promise.race([this.#ping, limit]).finally(() => clearTimeout(timer));
  }
}
