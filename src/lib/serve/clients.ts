/**
 * Clients: the bearer tokens that identify them, how many requests a second each
 * may make, and how much each holds of what all share. Where no tokens are set,
 * a client is an address. Invariant: the memory for clients is bounded, and no
 * client holds all of a shared resource.
 */
import {createHash, timingSafeEqual} from 'node:crypto';
import {isIPv6} from 'node:net';
import {StreamlogError} from '../errors.js';

/**
 * The accepted bearer tokens. There may be several, so that one can replace another without an interruption. They are
 * kept as digests, and all of them are compared each time, so that timing reveals nothing.
 */
export class AuthTokens {
  #digests: readonly Buffer[] = [];
  #names: readonly string[] = [];

  /** Throws a configuration failure when there is no token, or one that cannot be sent in a header. */
  constructor(texts: readonly string[]) {
    this.replace(texts);
  }

  /** Replaces all tokens. Throws as the constructor does, and then changes nothing. */
  replace(texts: readonly string[]): void {
    if (texts.length === 0 || texts.some((text) => !/^[\x21-\x7e]+$/.test(text))) {
      throw new StreamlogError('configuration', 'a token is a line of visible ASCII characters without spaces', {
        hint: 'make one: openssl rand -hex 32',
      });
    }
    this.#digests = texts.map(digest);
    this.#names = this.#digests.map((bytes) => `token ${digest(bytes).toString('base64url').slice(0, 22)}`);
  }

  /**
   * A name for the token of an `Authorization: Bearer TOKEN` header, undefined for an unknown one. A token always has
   * the same name, from which it cannot be derived.
   */
  identify(authorization: string | undefined): string | undefined {
    const given = digest(/^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? '');
    let found: number | undefined;
    this.#digests.forEach((known, index) => {
      if (timingSafeEqual(given, known)) found = index;
    });
    return found === undefined ? undefined : this.#names[found];
  }
}

const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();

/**
 * Names the client behind an address: the IPv4 address, also when it is mapped into IPv6, or the /64 network of an
 * IPv6 address, since one machine usually has all addresses in it. `local` for a unix socket.
 */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return 'local';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length;
    groups.push(...new Array<string>(Math.max(0, 8 - groups.length - behind)).fill('0'), ...tail.split(':'));
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

const MAX_RATED_CLIENTS = 10_000;

/**
 * A request rate per client (GCRA), with a burst of one second's worth. Beyond `maxClients`, the client seen least
 * recently is forgotten.
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #maxClients: number;
  /** When each client will have its whole burst again; the one seen last is at the end. */
  readonly #freeAtMs = new Map<string, number>();

  /** `perSecond` is above 0, and may be below 1. */
  constructor(perSecond: number, maxClients = MAX_RATED_CLIENTS) {
    this.#intervalMs = 1_000 / perSecond;
    this.#burstMs = Math.max(1_000, this.#intervalMs);
    this.#maxClients = maxClients;
  }

  /** Counts a request at `nowMs`. Returns 0 when it may be served, otherwise the milliseconds until one may be. */
  take(client: string, nowMs: number): number {
    const freeAtMs = Math.max(this.#freeAtMs.get(client) ?? 0, nowMs) + this.#intervalMs;
    const waitMs = freeAtMs - nowMs - this.#burstMs;
    // Tolerates rounding errors of the sums.
    if (waitMs > 1e-6) return waitMs;
    this.#freeAtMs.delete(client);
    this.#freeAtMs.set(client, freeAtMs);
    if (this.#freeAtMs.size > this.#maxClients) this.#freeAtMs.delete(this.#freeAtMs.keys().next().value!);
    return 0;
  }

  /** How many clients are remembered. */
  get clients(): number {
    return this.#freeAtMs.size;
  }
}

/** The part of a shared resource that one client may hold. */
const LARGEST_SHARE = 0.75;

/** How much each client holds of a resource that all share. A client that holds nothing is forgotten. */
export class ClientShares {
  /** For all clients together. */
  readonly total: number;
  /** For one client. */
  readonly largest: number;
  readonly #shares = new Map<string, number>();
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
    return this.#shares.size;
  }

  heldBy(client: string): number {
    return this.#shares.get(client) ?? 0;
  }

  hasRoom(client: string, amount = 1): boolean {
    return this.#held + amount <= this.total && this.heldBy(client) + amount <= this.largest;
  }

  /** Counts `amount` for `client`, whether there is room or not. */
  take(client: string, amount = 1): void {
    this.#held += amount;
    this.#shares.set(client, this.heldBy(client) + amount);
  }

  give(client: string, amount = 1): void {
    this.#held -= amount;
    const left = this.heldBy(client) - amount;
    if (left > 0) this.#shares.set(client, left);
    else this.#shares.delete(client);
  }

  /** The clients, the one with the largest share first. */
  get heaviestFirst(): string[] {
    return [...this.#shares].sort(([, one], [, other]) => other - one).map(([client]) => client);
  }
}
