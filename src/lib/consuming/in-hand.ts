/**
 * What a consumer has of one stream's pending entries: given out and not yet
 * finished, or finished with the acknowledgement not yet confirmed. It is what
 * tells, after a lost connection, which of our pending entries never reached us.
 * Invariant: an ID is in at most one of the two.
 */
export class InHand {
  readonly #given = new Set<string>();
  readonly #finished = new Set<string>();

  /** One that comes again is to be finished again: behind its ID there may be another entry by now. */
  give(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#finished.delete(id);
      this.#given.add(id);
    }
  }

  /** To be acknowledged. */
  finish(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#given.delete(id);
      this.#finished.add(id);
    }
  }

  /** No longer ours, or not to be acknowledged by us: it is as if it had never been given out. */
  drop(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#given.delete(id);
      this.#finished.delete(id);
    }
  }

  has(id: string): boolean {
    return this.#given.has(id) || this.#finished.has(id);
  }

  /** Given out and not finished. */
  get given(): readonly string[] {
    return [...this.#given];
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
    for (const id of this.#given) if (!pending.has(id)) this.#given.delete(id);
  }
}
