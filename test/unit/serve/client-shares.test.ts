import {describe, expect, it} from 'vitest';
import {ClientShares} from '../../../src/lib/serve/clients.js';

describe('shares', () => {
  it('keep a quarter from any one client, and all of it from none together', () => {
    const shares = new ClientShares(8);
    for (let n = 0; n < 6; n++) {
      expect(shares.hasRoom('a')).toBe(true);
      shares.take('a');
    }
    expect([shares.hasRoom('a'), shares.hasRoom('b'), shares.hasRoom('b', 3)]).toEqual([false, true, false]);
    shares.take('b', 2);
    expect([shares.hasRoom('c'), shares.held]).toEqual([false, 8]);
    shares.give('a');
    expect([shares.hasRoom('a'), shares.hasRoom('c')]).toEqual([true, true]);
  });

  it('of what there is little of are all of it for one client', () => {
    for (const total of [1, 2, 3]) expect(new ClientShares(total).largest).toBe(total);
  });

  it('forget who holds nothing, and know who holds the most', () => {
    const shares = new ClientShares(100);
    for (const [client, amount] of [
      ['a', 3],
      ['b', 5],
      ['c', 1],
    ] as const)
      shares.take(client, amount);
    expect(shares.heaviestFirst).toEqual(['b', 'a', 'c']);
    for (const [client, amount] of [
      ['a', 3],
      ['b', 5],
      ['c', 1],
    ] as const)
      shares.give(client, amount);
    expect([shares.clients, shares.held]).toEqual([0, 0]);
  });
});
