import {describe, expect, it, vi} from 'vitest';
import {RequestTimeouts} from '../../../src/lib/serve/add-handler.js';
import {until} from '../../support/redis-server.js';

const LIMIT_MS = 20;

/** A request of that name, which reports when it expires. */
const request = (name: string, reported: string[]) => () => void reported.push(name);

describe('the time limit of requests', () => {
  it('expires for those that still wait, each once, the oldest first', async () => {
    const timeouts = new RequestTimeouts(LIMIT_MS);
    const expired: string[] = [];
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => request(name, expired));
    for (const one of [a!, b!, c!, d!, e!]) timeouts.begin(one);
    for (const one of [a!, c!, e!]) timeouts.end(one);
    await until(() => expired.length >= 2, 'two have expired');
    // Redis may answer even now.
    timeouts.end(b!);
    timeouts.begin(a!);
    await until(() => expired.length >= 3, 'the next one has expired');
    expect(expired).toEqual(['b', 'd', 'a']);
  });

  it('keeps no timer when none waits', async () => {
    const [set, cleared] = [vi.spyOn(globalThis, 'setInterval'), vi.spyOn(globalThis, 'clearInterval')];
    try {
      const timeouts = new RequestTimeouts(LIMIT_MS);
      for (let round = 1; round <= 3; round++) {
        const expired: string[] = [];
        const one = request('a', expired);
        timeouts.begin(one);
        if (round === 2) timeouts.end(one);
        await until(() => cleared.mock.calls.length === round, 'the timer is given back');
        expect(set).toHaveBeenCalledTimes(round);
      }
    } finally {
      set.mockRestore();
      cleared.mockRestore();
    }
  });

  it('does not expire for one that has ended, whichever others wait', async () => {
    const timeouts = new RequestTimeouts(LIMIT_MS);
    const expired: string[] = [];
    const [early, late] = [request('early', expired), request('late', expired)];
    timeouts.begin(early);
    timeouts.begin(late);
    timeouts.end(late);
    timeouts.end(late);
    const last = request('last', expired);
    timeouts.begin(last);
    await until(() => expired.length >= 2, 'the others have expired');
    expect(expired).toEqual(['early', 'last']);
  });
});
