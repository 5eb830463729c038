/**
 * How long ago an entry that is given back is made to look delivered where the server has
 * no XNACK. From Redis 8.4 on, what is pending is in the order of its delivery times,
 * and XCLAIM with a time in the past finds its place from the newest on (16 ms of Redis
 * where 300,000 are pending), but for what is older than all the rest. Invariant: at
 * least GIVEN_BACK_IDLE_MS; and what is given back later looks older than what was given
 * back before, in this process always, however slow the server is, and by another one as long as
 * no more than one in a millisecond was. So the script looks at the server's clock
 * when it runs: by ours, what waits behind a slow command is not old enough any more,
 * is slow itself, and makes what comes behind it slow.
 */

/** Ten years: longer than Redis has had streams and than anyone waits before claiming. */
export const GIVEN_BACK_IDLE_MS = 10 * 365 * 86_400_000;

/** 2026. Redis takes no delivery time before 1970, which is reached some 46 years later. */
const SINCE_MS = Date.UTC(2026, 0, 1);

let given = 0;

/** The delivery time of the next entry and the time of the server when it is given back, both in Unix milliseconds, add up to this. */
export function sumOfGivenBack(): number {
  return 2 * SINCE_MS - GIVEN_BACK_IDLE_MS - ++given;
}
