/**
 * How much each client holds of something that all clients share. A client is a
 * token or an address: see `clientOf`. Invariant: no client can hold all of it,
 * however many connections it has, and a client that holds nothing is forgotten.
 */

/** What one client may hold: the rest is kept for others. */
const LARGEST_SHARE = 0.75;

export class ClientShares {
  /** Of all clients together. */
  readonly total: number;
  /** Of one client. */
  readonly largest: number;
  readonly #byClient = new Map<string, number>();
  #held = 0;

  constructor(total: number, largest = Math.ceil(LARGEST_SHARE * total)) {
    this.total = total;
    this.largest = largest;
  }

  get held(): number {
    return this.#held;
  }

  /** How many clients hold something. */
  get clients(): number {
    return this.#byClient.size;
  }

  heldBy(client: string): number {
    return this.#byClient.get(client) ?? 0;
  }

  hasRoom(client: string, amount = 1): boolean {
    return this.#held + amount <= this.total && this.heldBy(client) + amount <= this.largest;
  }

  /** Counts `amount` for `client`, whether there is room or not. */
  take(client: string, amount = 1): void {
    this.#held += amount;
    this.#byClient.set(client, this.heldBy(client) + amount);
  }

  give(client: string, amount = 1): void {
    this.#held -= amount;
    const left = this.heldBy(client) - amount;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }

  /** Clients, the one that holds the most first. */
  get heaviestFirst(): string[] {
    return [...this.#byClient].sort(([, one], [, other]) => other - one).map(([client]) => client);
  }
}
