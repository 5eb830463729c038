/**
 * One request from the moment at which its records are on their way to Redis.
 * Knows neither of the two sides. Invariant: it is answered once, by what Redis
 * said or by having waited too long, and its room is given back once, when
 * Redis is done with it, whoever still waits for the answer.
 */
import type {AddResult} from '../stream-client.js';
import {addResponse} from './add-response.js';
import type {HeldBody} from './body-memory.js';
import type {AddCallback} from './request-batcher.js';
import {TimedRequest} from './request-timeouts.js';
import {Refusal, type RefusalCode, type Response} from './responses.js';

/** Who answers it, and what is told of failures. */
export interface PostRequestFacts {
  readonly resolve: (answer: Response) => void;
  readonly reject: (failure: unknown) => void;
}

export interface PostRequestOwner {
  /** Redis is done with it. */
  leave(pending: PostRequest): void;
  /** Redis has added something. */
  added(): void;
  /** The refusal behind a failure. */
  codeOf(failure: unknown): RefusalCode;
}

export class PostRequest extends TimedRequest implements AddCallback {
  /** Its body, and who sent it. */
  readonly held: HeldBody;
  readonly #single: boolean;
  readonly #owner: PostRequestOwner;
  readonly #waiting: PostRequestFacts;

  /** `single` for a request of one object. */
  constructor(held: HeldBody, single: boolean, owner: PostRequestOwner, waiting: PostRequestFacts) {
    super();
    this.held = held;
    this.#single = single;
    this.#owner = owner;
    this.#waiting = waiting;
  }

  settled(results: readonly AddResult[], start: number, count: number): void {
    this.#owner.leave(this);
    try {
      const mine = count === results.length ? results : results.slice(start, start + count);
      const answer = addResponse(mine, this.#single, (failure) => this.#owner.codeOf(failure));
      if (answer.added !== 0) this.#owner.added();
      this.#waiting.resolve(answer);
    } catch (error) {
      this.#waiting.reject(error);
    }
  }

  failed(failure: unknown): void {
    this.#owner.leave(this);
    this.#waiting.reject(failure instanceof Refusal ? failure : new Refusal(this.#owner.codeOf(failure)));
  }

  giveUp(): void {
    this.#waiting.reject(new Refusal('unknown_outcome'));
  }
}
