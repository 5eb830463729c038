/**
 * What a consumer has of one stream's pending entries: given out and not yet
 * finished, or finished with the acknowledgement not yet confirmed. It is what
 * tells, after a lost connection, which of our pending entries never reached us.
 * Invariant: an ID is in at most one of the two, and what was given out again
 * is no longer held by the delivery that it first came with.
 */
export class InHand {
  /** With the delivery that each came with, or came again. */
  readonly #given = new Map<string, object>();
  readonly #finished = new Set<string>();

  /** One that comes again is to be finished again: behind its ID there may be another entry by now. */
  give(ids: Iterable<string>, delivery: object): void {
    for (const id of ids) {
      this.#finished.delete(id);
      this.#given.set(id, delivery);
    }
  }

  /** Whether `id` is still to be finished by whoever got it with `delivery`. */
  isHeld(id: string, delivery: object): boolean {
    return this.#given.get(id) === delivery;
  }

  /** Will not be finished by whoever got them with `delivery`: it is as if they had never been given out so. */
  letGo(ids: Iterable<string>, delivery: object): void {
    for (const id of ids) if (this.isHeld(id, delivery)) this.#given.delete(id);
  }

  /** To be acknowledged. */
  finish(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#given.delete(id);
      this.#finished.add(id);
    }
  }

  /** Their acknowledgement is confirmed; one that has come again since then is still to be finished. */
  confirm(ids: Iterable<string>): void {
    for (const id of ids) this.#finished.delete(id);
  }

  has(id: string): boolean {
    return this.#given.has(id) || this.#finished.has(id);
  }

  /** All that is in hand, as it is now. */
  get ids(): ReadonlySet<string> {
    return new Set([...this.#given.keys(), ...this.#finished]);
  }

  /** What was given out and not finished, each with its delivery, as it is now. */
  get holders(): ReadonlyMap<string, object> {
    return new Map(this.#given);
  }

  /** Given out and not finished. */
  get given(): readonly string[] {
    return [...this.#given.keys()];
  }

  /** Finished, and not known to be acknowledged; at most `limit` of them. */
  finished(limit: number): readonly string[] {
    return [...this.#finished].slice(0, limit);
  }

  get finishedCount(): number {
    return this.#finished.size;
  }

  get givenCount(): number {
    return this.#given.size;
  }

  /** Forgets what was given out and is not among `pending`: somebody else has acknowledged it. */
  keepOnly(pending: ReadonlySet<string>): void {
    for (const id of this.#given.keys()) if (!pending.has(id)) this.#given.delete(id);
  }
}
