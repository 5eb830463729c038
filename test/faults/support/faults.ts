/**
 * The faults that traffic can suffer, in words that a test can say: those of
 * `Delays`, and cuts at a chosen request. Knows commands by name only, and no
 * socket. Invariant: every cut settles: when it happened, or when it no longer can.
 */
import {Delays} from './delays.js';
import {Outcome} from './outcome.js';

/** What is to happen to one request. */
export interface Cut {
  /** 'xadd', or 'xgroup create'. */
  readonly command: string;
  readonly when: 'before' | 'after';
  /** How much of the reply to that request still reaches the client. */
  readonly replyBytes: number;
  readonly outcome: Outcome;
}

/** What the connections of a proxy suffer: all of them, those to come included. */
export class Faults extends Delays {
  #cuts: {cut: Cut; requestsLeft: number}[] = [];
  #limit: {bytesLeft: number; outcome: Outcome} | undefined;
  readonly #requests = new Map<string, number>();

  /**
   * Counted from now: the `n`-th request of `command`, on whatever connection,
   * never reaches the server. Requests before it on its connection are
   * answered, then the connection is cut. A command is a name, or a name and
   * a first argument ('xgroup create'); case does not matter. Resolves when
   * the client has been cut off; rejects when that can no longer happen.
   */
  cutBefore(command: string, n: number): Promise<void> {
    return this.#arm(command, n, 'before', 0);
  }

  /**
   * As `cutBefore`, but the `n`-th request is executed: the server's reply to
   * it is awaited and, but for its first `replyBytes`, swallowed; then the
   * connection is cut. What the client sent after it never reaches the server.
   */
  cutAfter(command: string, n: number, {replyBytes = 0} = {}): Promise<void> {
    return this.#arm(command, n, 'after', replyBytes);
  }

  /**
   * Counted from now: when `bytes` of replies in all have gone to clients, the
   * connection that got the last of them is cut, in the middle of a reply if
   * that is where they end. Once. Resolves and rejects as `cutBefore`.
   */
  limitReplies(bytes: number): Promise<void> {
    this.#limit?.outcome.failed('another limit took the place of this one');
    this.#limit = {bytesLeft: bytes, outcome: new Outcome()};
    return this.#limit.outcome.promise;
  }

  /** How many requests of `command` came in since the start, the one that a cut took included, not those behind it. */
  requests(command: string): number {
    return this.#requests.get(command.toLowerCase()) ?? 0;
  }

  /** Counts a request of `words`, and says what is to happen to it. */
  meet([name = '', argument]: readonly string[]): Cut | undefined {
    const names = argument === undefined ? [name] : [name, `${name} ${argument}`];
    for (const each of names) this.#requests.set(each, this.requests(each) + 1);
    const counting = this.#cuts.filter(({cut}) => names.includes(cut.command));
    for (const armed of counting) armed.requestsLeft -= 1;
    // Where two come due at one request, the later one takes the next.
    const due = counting.find(({requestsLeft}) => requestsLeft <= 0);
    this.#cuts = this.#cuts.filter((armed) => armed !== due);
    return due?.cut;
  }

  /** How many of `bytes` of replies may pass, and whom to tell when they are the last ones. */
  takeReplyBytes(bytes: number): {passing: number; limit?: Outcome} {
    if (this.#limit === undefined) return {passing: bytes};
    const {bytesLeft, outcome} = this.#limit;
    this.#limit.bytesLeft -= bytes;
    if (bytes < bytesLeft) return {passing: bytes};
    this.#limit = undefined;
    return {passing: bytesLeft, limit: outcome};
  }

  /** Gives up on every cut and limit that has not happened yet. */
  protected disarm(): void {
    for (const {cut} of this.#cuts) cut.outcome.failed(`the cut ${cut.when} ${cut.command} never came due`);
    this.#limit?.outcome.failed('the limit of replies was never reached');
    this.#cuts = [];
    this.#limit = undefined;
  }

  #arm(command: string, n: number, when: Cut['when'], replyBytes: number): Promise<void> {
    if (!(n >= 1)) throw new Error(`the first request is number 1, not ${n}`);
    const cut = {command: command.toLowerCase(), when, replyBytes, outcome: new Outcome()};
    this.#cuts.push({cut, requestsLeft: n});
    return cut.outcome.promise;
  }
}
