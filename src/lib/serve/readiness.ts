/**
 * The readiness probe. Invariant: one PING at a time is in flight, however many
 * clients ask.
 */
import type {LeasedClient} from '../leased-client.js';
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

  /**
   * Throws Refusal while the server drains or is full, Redis does not reply to PING within a second, or has refused an
   * XADD within the last ten seconds and taken none since (`RefusalLog.redisWord`): PING succeeds where XADD does not.
   */
  async answer(draining: boolean): Promise<Response> {
    if (draining) throw new Refusal('shutting_down');
    if (!(await this.#redisAnswers())) throw new Refusal('redis_unavailable');
    const word = this.#refusals.redisWord;
    if (word !== undefined) throw new Refusal('redis_refuses', {reason: `Redis refuses for now (${word})`});
    if (this.#isFull()) throw new Refusal('overloaded');
    return {status: 200, body: {status: 'ready'}};
  }

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
