/**
 * How long an entry that is given back is made to look idle where the server has
 * no XNACK. From Redis 8.4 on, what is pending is in the order of its delivery times,
 * and XCLAIM with an IDLE finds its place from the newest on (16 ms of Redis
 * where 300,000 are pending), but for what is older than all the rest. Invariant: at
 * least GIVEN_BACK_IDLE_MS; and what is given back later looks idle for longer than
 * what was given back before, in this process always, and by another one as long as
 * no more than one in two milliseconds was.
 */

/** Ten years: longer than Redis has had streams and than anyone waits before claiming. */
export const GIVEN_BACK_IDLE_MS = 10 * 365 * 86_400_000;

/** 2026. Redis takes no delivery time before 1970, which is reached some 46 years later. */
const SINCE_MS = Date.UTC(2026, 0, 1);

let given = 0;

/** In milliseconds, for the next entry at `nowMs`. */
export function idleOfGivenBack(nowMs: number): number {
  // Two: of what is sent together, the last is executed some milliseconds after the first.
  given += 2;
  // Its delivery time goes back as time goes on.
  return GIVEN_BACK_IDLE_MS + 2 * Math.max(0, nowMs - SINCE_MS) + given;
}
