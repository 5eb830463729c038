/** An entry that was delivered to a consumer of a group and not acknowledged, as XPENDING lists it. */

export interface PendingEntry {
  id: string;
  consumer: string;
  /** Since its last delivery; says nothing where it was given back. */
  idleMs: number;
  deliveries: number;
  /** The same where a number cannot hold it. */
  exactDeliveries?: bigint;
  /** By `nack` or XNACK: the next claim of any consumer takes it. */
  givenBack: boolean;
}

/**
 * How long ago an entry was delivered at least that was given back where the server has no XNACK. Ten years: longer than
 * Redis has had streams and than any claim waits.
 */
export const GIVEN_BACK_IDLE_MS = 10 * 365 * 86_400_000;

/** Of the last delivery; from here on a consumer may be dead, and its entries another's to take. */
export const LONG_IDLE_MS = 60_000;

/** Whether an entry was delivered at least `minIdleMs` ago, or was given back. */
export const isIdle = ({idleMs, givenBack}: PendingEntry, minIdleMs: number): boolean =>
  givenBack || idleMs >= minIdleMs;
