import {describe, expect, it} from 'vitest';
import {clientOf, RateLimit} from '../../../src/lib/serve/clients.js';

/** How many of `count` requests at one moment may be served. */
const served = (limit: RateLimit, client: string, nowMs: number, count: number): number =>
  Array.from({length: count}, () => limit.take(client, nowMs)).filter((waitMs) => waitMs === 0).length;

describe('a rate limit', () => {
  it("lets a second's worth through at once, then as many as the time that passed allows", () => {
    const limit = new RateLimit(10);
    expect(served(limit, 'a', 5_000, 100)).toBe(10);
    expect(served(limit, 'a', 5_099, 100)).toBe(0);
    expect(served(limit, 'a', 5_100, 100)).toBe(1);
    expect(served(limit, 'a', 5_500, 100)).toBe(4);
    expect(served(limit, 'a', 60_000, 100)).toBe(10);
  });

  it('is exact over time, also where the interval is no whole number', () => {
    const limit = new RateLimit(3);
    let count = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) count += served(limit, 'a', nowMs, 5);
    expect(count).toBe(3 + 3 * 10 - 1);
  });

  it('may be less than one a second', () => {
    const limit = new RateLimit(0.1);
    expect([limit.take('a', 0), limit.take('a', 4_000), limit.take('a', 10_000)]).toEqual([0, 6_000, 0]);
  });

  it('says when it is worth trying again, and what it refuses uses nothing up', () => {
    const limit = new RateLimit(1);
    limit.take('a', 0);
    for (let n = 0; n < 50; n++) expect(limit.take('a', 400)).toBe(600);
    expect(limit.take('a', 1_000)).toBe(0);
  });

  it('is one for each client', () => {
    const limit = new RateLimit(1);
    expect([limit.take('a', 0), limit.take('b', 0), limit.take('a', 0)]).toEqual([0, 0, 1_000]);
  });

  it('remembers a bounded number of clients, and forgets those that came least recently', () => {
    const limit = new RateLimit(1, 3);
    for (const client of ['a', 'b', 'c']) limit.take(client, 0);
    limit.take('a', 1_500);
    for (const client of ['d', 'e']) limit.take(client, 1_500);
    expect(limit.clients).toBe(3);
    expect([limit.take('a', 1_500), limit.take('b', 1_500)]).toEqual([1_000, 0]);
    for (let n = 0; n < 1_000; n++) limit.take(`x${n}`, 2_000);
    expect(limit.clients).toBe(3);
  });
});

describe('the client behind an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, 'local'],
  ])('%s is %s', (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});
