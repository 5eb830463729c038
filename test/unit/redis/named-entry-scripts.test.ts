import {expect, it} from 'vitest';
import {GIVEN_BACK_IDLE_MS} from '../../../src/lib/records/pending-entry.js';
import {sumOfGivenBack} from '../../../src/lib/redis/named-entry-scripts.js';

const NOW_MS = Date.UTC(2030, 5, 1);

it('what is given back later looks older, however long the server takes between the two', () => {
  const times = [0, 0, 1, 5, 1_000, 1_000].map((laterMs) => sumOfGivenBack() - (NOW_MS + laterMs));
  for (const [at, time] of times.slice(1).entries()) expect(time).toBeLessThan(times[at]!);
});

it('is idle for longer than anyone waits, and was not delivered before 1970', () => {
  const deliveredMs = sumOfGivenBack() - NOW_MS;
  expect(NOW_MS - deliveredMs).toBeGreaterThanOrEqual(GIVEN_BACK_IDLE_MS);
  expect(deliveredMs).toBeGreaterThan(0);
});
