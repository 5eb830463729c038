/** How long to wait before trying again what may succeed later. */

export interface Backoff {
  /** The bound of the first pause, which doubles from attempt to attempt. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Half of the bound, and a random part of the other half, so that many who wait do not return at the same moment. */
export function pauseMs(attempt: number, {firstMs, longestMs}: Backoff): number {
  const bound = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return bound / 2 + (Math.random() * bound) / 2;
}
