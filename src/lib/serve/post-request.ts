/**
 * One request from the moment at which its records are on their way to Redis.
 * Knows neither of the two sides. Invariant: it is answered once, by what Redis
 * said or by having waited too long, and its room is given back once, when
 * Redis is done with it, whoever still waits for the answer.
 */
import type {AddOutcome} from '../stream-client.js';
import {answerOf} from './add-response.js';
import type {HeldBody} from './body-memory.js';
import type {OutcomeTaker} from './request-batcher.js';
import {Waiter} from './request-timeouts.js';
import {type Answer, Refusal, type RefusalCode} from './responses.js';

/** Who answers it, and what is told of failures. */
export interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (failure: unknown) => void;
}

export interface Desk {
  /** Redis is done with it. */
  leave(posting: Posting): void;
  /** Redis has added something. */
  added(): void;
  /** The refusal behind a failure. */
  codeOf(failure: unknown): RefusalCode;
}

export class Posting extends Waiter implements OutcomeTaker {
  /** Its body, and who sent it. */
  readonly held: HeldBody;
  readonly #single: boolean;
  readonly #desk: Desk;
  readonly #waiting: Waiting;

  /** `single` for a request of one object. */
  constructor(held: HeldBody, single: boolean, desk: Desk, waiting: Waiting) {
    super();
    this.held = held;
    this.#single = single;
    this.#desk = desk;
    this.#waiting = waiting;
  }

  settled(outcomes: readonly AddOutcome[], start: number, count: number): void {
    this.#desk.leave(this);
    try {
      const mine = count === outcomes.length ? outcomes : outcomes.slice(start, start + count);
      const answer = answerOf(mine, this.#single, (failure) => this.#desk.codeOf(failure));
      if (answer.added !== 0) this.#desk.added();
      this.#waiting.resolve(answer);
    } catch (error) {
      this.#waiting.reject(error);
    }
  }

  failed(failure: unknown): void {
    this.#desk.leave(this);
    this.#waiting.reject(failure instanceof Refusal ? failure : new Refusal(this.#desk.codeOf(failure)));
  }

  giveUp(): void {
    this.#waiting.reject(new Refusal('unknown_outcome'));
  }
}
