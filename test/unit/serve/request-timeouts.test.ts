import {describe, expect, it, vi} from 'vitest';
import {RequestTimeouts, TimedRequest} from '../../../src/lib/serve/request-timeouts.js';
import {until} from '../../support/redis-server.js';

const LIMIT_MS = 20;

class Someone extends TimedRequest {
  readonly #reported: string[];
  readonly #name: string;

  constructor(name: string, reported: string[]) {
    super();
    this.#name = name;
    this.#reported = reported;
  }

  giveUp(): void {
    this.#reported.push(this.#name);
  }
}

describe('patience', () => {
  it('ends for those who still wait, each once, and first for those who came first', async () => {
    const timeouts = new RequestTimeouts(LIMIT_MS);
    const told: string[] = [];
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name) => new Someone(name, told));
    for (const waiter of [a!, b!, c!, d!, e!]) timeouts.begin(waiter);
    for (const waiter of [a!, c!, e!]) timeouts.end(waiter);
    await until(() => told.length >= 2, 'they were told');
    // Redis may answer even now.
    timeouts.end(b!);
    timeouts.begin(a!);
    await until(() => told.length >= 3, 'the next one was told');
    expect(told).toEqual(['b', 'd', 'a']);
  });

  it('keeps no timer when nobody waits any more', async () => {
    const [set, cleared] = [vi.spyOn(globalThis, 'setInterval'), vi.spyOn(globalThis, 'clearInterval')];
    try {
      const patience = new RequestTimeouts(LIMIT_MS);
      for (let round = 1; round <= 3; round++) {
        const told: string[] = [];
        const waiter = new Someone('a', told);
        patience.begin(waiter);
        if (round === 2) patience.end(waiter);
        await until(() => cleared.mock.calls.length === round, 'the timer is given back');
        expect(set).toHaveBeenCalledTimes(round);
      }
    } finally {
      set.mockRestore();
      cleared.mockRestore();
    }
  });

  it('does not end for one who was told to wait no more, whoever else waits', async () => {
    const patience = new RequestTimeouts(LIMIT_MS);
    const told: string[] = [];
    const [early, late] = [new Someone('early', told), new Someone('late', told)];
    patience.begin(early);
    patience.begin(late);
    patience.end(late);
    patience.end(late);
    const last = new Someone('last', told);
    patience.begin(last);
    await until(() => told.length >= 2, 'the others were told');
    expect(told).toEqual(['early', 'last']);
  });
});
