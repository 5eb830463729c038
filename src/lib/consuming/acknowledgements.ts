/**
 * Acknowledging what the caller has finished, for as long as it takes. Invariant:
 * an ID leaves only when Redis has confirmed its XACK, and gets in only by
 * `InHand.finish`, so nothing is acknowledged that was not finished.
 */
import type {Membership, StreamClient} from '../stream-client.js';
import type {InHand} from './in-hand.js';

/** IDs in one XACK. */
const PAGE = 1_000;
/** Given out and not acknowledged by us, before a look at which of them are still pending. */
const KNOWN_LIMIT = 10_000;

export class Acknowledgements {
  readonly #member: Membership;
  readonly #inHand: InHand;
  #knownLimit = KNOWN_LIMIT;
  #confirmed = 0;
  #sending: Promise<void> | undefined;

  constructor(member: Membership, inHand: InHand) {
    this.#member = member;
    this.#inHand = inHand;
  }

  /** Entries whose acknowledgement Redis has confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /**
   * XACK for all that is finished, one at a time: what finishes meanwhile goes
   * with the next. Throws when Redis does not confirm it, and keeps it.
   */
  async send(control: StreamClient): Promise<void> {
    while (this.#inHand.finishedCount > 0) {
      this.#sending ??= this.#sendPage(control).finally(() => {
        this.#sending = undefined;
      });
      await this.#sending;
    }
    if (this.#inHand.givenCount >= this.#knownLimit) await this.#forgetOthers(control);
  }

  async #sendPage(control: StreamClient): Promise<void> {
    const ids = this.#inHand.finished(PAGE);
    const confirmed = await control.acknowledge(this.#member.stream, this.#member.group, ids);
    this.#confirmed += confirmed;
    this.#inHand.confirm(ids);
  }

  /** With --ack none somebody else acknowledges: what they have done with need not be remembered. */
  async #forgetOthers(control: StreamClient): Promise<void> {
    const {stream, group, consumer} = this.#member;
    const pending = new Set<string>();
    for await (const page of control.pending(stream, group, {consumer})) for (const {id} of page) pending.add(id);
    this.#inHand.keepOnly(pending);
    this.#knownLimit = Math.max(KNOWN_LIMIT, this.#inHand.givenCount * 2);
  }
}
