import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {parseTarget} from '../../../src/lib/redis/server-target.js';
import {type ClusterTarget, OwnerWatch} from '../../../src/lib/redis/slot-owner.js';

const target = parseTarget({url: 'redis+cluster://127.0.0.1:1', connectTimeoutMs: 1_000}) as ClusterTarget;

beforeEach(() => void vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']}));
afterEach(() => void vi.useRealTimers());

it('the others are asked for as long as a connection is opened, and no longer, however that ends', async () => {
  const dropped: string[] = [];
  const watch = new OwnerWatch(target, 'events', '127.0.0.1:1');
  let open: (name: string) => void = () => {};
  const opening = watch.unlessMoved(
    new Promise<string>((resolve) => {
      open = resolve;
    }),
    (late) => dropped.push(late),
  );
  expect(vi.getTimerCount()).toBe(1);
  open('opened');
  expect(await opening).toBe('opened');
  expect(vi.getTimerCount()).toBe(0);
  await expect(watch.unlessMoved(Promise.reject(new Error('away')), (late) => dropped.push(late))).rejects.toThrow(
    'away',
  );
  expect([vi.getTimerCount(), dropped]).toEqual([0, []]);
});
