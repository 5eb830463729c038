import {describe, expect, it, vi} from 'vitest';
import {RequestTimeouts} from '../../../src/lib/serve/request-timeouts.js';
import {until} from '../../support/redis-server.js';

const LIMIT_MS = 20;

/** Has a request of that name report when it expires. */
const begin = (timeouts: RequestTimeouts, name: string, reported: string[]) =>
  timeouts.begin(() => void reported.push(name));

describe('the time limit of requests', () => {
  it('expires for those that still wait, each once, the oldest first', async () => {
    const timeouts = new RequestTimeouts(LIMIT_MS);
    const expired: string[] = [];
    const [a, b, c, , e] = ['a', 'b', 'c', 'd', 'e'].map((name) => begin(timeouts, name, expired));
    for (const one of [a!, c!, e!]) timeouts.end(one);
    await until(() => expired.length >= 2, 'two have expired');
    // Redis may answer even now.
    timeouts.end(b!);
    begin(timeouts, 'a', expired);
    await until(() => expired.length >= 3, 'the next one has expired');
    expect(expired).toEqual(['b', 'd', 'a']);
  });

  it('keeps no timer when none waits', async () => {
    const [set, cleared] = [vi.spyOn(globalThis, 'setInterval'), vi.spyOn(globalThis, 'clearInterval')];
    try {
      const timeouts = new RequestTimeouts(LIMIT_MS);
      for (let round = 1; round <= 3; round++) {
        const expired: string[] = [];
        const one = begin(timeouts, 'a', expired);
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
    begin(timeouts, 'early', expired);
    const late = begin(timeouts, 'late', expired);
    timeouts.end(late);
    timeouts.end(late);
    begin(timeouts, 'last', expired);
    await until(() => expired.length >= 2, 'the others have expired');
    expect(expired).toEqual(['early', 'last']);
  });
});
