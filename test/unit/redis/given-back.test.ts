/** How idle looks what is given back where Redis has no XNACK. */
import {expect, it} from 'vitest';
import {GIVEN_BACK_IDLE_MS, idleOfGivenBack} from '../../../src/lib/redis/given-back.js';

it('is older than all that was given back before, so that Redis 8 puts it first without a search', () => {
  const nowMs = Date.UTC(2026, 11, 1);
  const times = [nowMs, nowMs, nowMs + 1, nowMs + 1_000].map((atMs) => atMs - idleOfGivenBack(atMs));
  expect(times).toEqual([...new Set(times)].sort((a, b) => b - a));
});

it.each([2020, 2026, 2027, 2050])('is ten years or more in %i, and no delivery before 1970', (year) => {
  const nowMs = Date.UTC(year, 5, 1);
  const idleMs = idleOfGivenBack(nowMs);
  expect(idleMs).toBeGreaterThanOrEqual(GIVEN_BACK_IDLE_MS);
  expect(nowMs - idleMs).toBeGreaterThan(0);
});
