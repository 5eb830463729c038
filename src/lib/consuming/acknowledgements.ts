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
  /** Entries whose acknowledgement Redis has confirmed. */
  confirmed = 0;
  readonly #member: Membership;
  readonly #inHand: InHand;
  #knownLimit = KNOWN_LIMIT;

  constructor(member: Membership, inHand: InHand) {
    this.#member = member;
    this.#inHand = inHand;
  }

  /** XACK for all that is finished. Throws when Redis does not confirm it; what it did not confirm is kept. */
  async send(control: StreamClient): Promise<void> {
    const {stream, group} = this.#member;
    while (this.#inHand.finishedCount > 0) {
      const ids = this.#inHand.finished(PAGE);
      this.confirmed += await control.acknowledge(stream, group, ids);
      this.#inHand.drop(ids);
    }
    if (this.#inHand.givenCount >= this.#knownLimit) await this.#forgetOthers(control);
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
