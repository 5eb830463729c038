/**
 * How many requests a client may make a second. A client that was silent may
 * make a second's worth of them at once. Knows no HTTP beyond addresses.
 * Invariant: memory is bounded whoever comes: beyond MAX_CLIENTS those that
 * came least recently are forgotten, which forgives them what they used.
 */
import {isIPv6} from 'node:net';

const MAX_CLIENTS = 10_000;

export class RateLimit {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #maxClients: number;
  /** When each client will have used nothing; the ones that came last are at the end. */
  readonly #freeAtMs = new Map<string, number>();

  /** `perSecond` is above 0, and may be below 1. */
  constructor(perSecond: number, maxClients = MAX_CLIENTS) {
    this.#intervalMs = 1_000 / perSecond;
    this.#burstMs = Math.max(1_000, this.#intervalMs);
    this.#maxClients = maxClients;
  }

  /** Counts a request of `client` at `nowMs`: 0 when it may be served, else after how many milliseconds it might. */
  take(client: string, nowMs: number): number {
    const freeAtMs = Math.max(this.#freeAtMs.get(client) ?? 0, nowMs) + this.#intervalMs;
    const waitMs = freeAtMs - nowMs - this.#burstMs;
    // What sums of fractions leave is no reason to refuse.
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

/**
 * The client behind an address: IPv4 as it is, also where it comes as IPv6, and
 * of IPv6 the network of 64 bits, since one machine has all the addresses in it.
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
