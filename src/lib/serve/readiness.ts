/**
 * Whether this server can do its work now, for probes. A refusal of Redis is
 * remembered until it takes something again, or for ten seconds: a probe adds
 * nothing, so it could not find out by itself. Invariant: however many ask, one
 * PING is under way.
 */

import type {LiveClient} from '../leased-client.js';
import type {RequestState} from './http-server.js';
import type {Refusals} from './refusal-log.js';
import {type Answer, Refusal} from './responses.js';

const PING_LIMIT_MS = 1_000;

export class Readiness {
  readonly #live: LiveClient;
  readonly #isFull: () => boolean;
  readonly #refusals: Refusals;
  #ping: Promise<boolean> | undefined;

  /** `isFull` says whether the next request would be refused. */
  constructor(live: LiveClient, isFull: () => boolean, refusals: Refusals) {
    this.#refusals = refusals;
    this.#live = live;
    this.#isFull = isFull;
  }

  /** Throws Refusal when the server drains, or Redis does not answer within a second. */
  async answer({draining}: RequestState): Promise<Answer> {
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
      .use((client) => client.ping())
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
