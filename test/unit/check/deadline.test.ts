/** That a check ends in time, and what it says then. */
import {expect, it} from 'vitest';
import {Deadline} from '../../../src/lib/check/deadline.js';

const never = (): Promise<never> => new Promise(() => {});

it('is that Redis cannot be reached where nothing has answered', async () => {
  await expect(new Deadline(10).of(never())).rejects.toMatchObject({kind: 'unreachable'});
});

it('is not, where Redis has answered', async () => {
  const deadline = new Deadline(10);
  deadline.connected();
  await expect(deadline.of(never())).rejects.toMatchObject({kind: 'incomplete', message: 'not finished within 10ms'});
});

it('gives what comes before it, and leaves time to say what has failed', async () => {
  const deadline = new Deadline(60_000);
  expect(await deadline.of(Promise.resolve('done'))).toBe('done');
  expect(deadline.within(4_000)).toBe(4_000);
  expect(deadline.within(60_000)).toBe(48_000);
});
