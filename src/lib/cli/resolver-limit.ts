/**
 * How long the system's resolver may take for the name of a host. Node does not end before it has answered (libuv/libuv#364), and
 * resolv.conf(5) may give it minutes. Invariant: what the environment says of it stands.
 */

/** It asks up to three name servers in turn. */
const MOST_SERVERS = 3;
const MOST_ATTEMPTS = 5;

/** To be called before the first name is looked up: glibc reads RES_OPTIONS then. */
export function limitLookups(limitMs: number): void {
  const attempts = Math.min(MOST_ATTEMPTS, Math.max(1, Math.floor(limitMs / 1_000 / (MOST_SERVERS + 1))));
  process.env.RES_OPTIONS ??= `timeout:1 attempts:${attempts}`;
}
