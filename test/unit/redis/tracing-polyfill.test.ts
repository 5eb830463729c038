import {tracingChannel} from 'node:diagnostics_channel';
import {afterAll, beforeAll, expect, it, vi} from 'vitest';

const prototype: object = Object.getPrototypeOf(tracingChannel('ours'));
const before = Object.getOwnPropertyDescriptor(prototype, 'hasSubscribers');

// As Bun and early versions of Node have it.
beforeAll(async () => {
  Reflect.deleteProperty(prototype, 'hasSubscribers');
  // Another test of this process may have imported it.
  vi.resetModules();
  await import('../../../src/lib/redis/tracing-polyfill.js');
});
afterAll(() => {
  if (before !== undefined) Object.defineProperty(prototype, 'hasSubscribers', before);
});

it('a tracing channel says whether anybody listens, so that nothing is traced for nobody', () => {
  const channel = tracingChannel<object>('ours') as ReturnType<typeof tracingChannel> & {hasSubscribers: boolean};
  expect(channel.hasSubscribers).toBe(false);
  const listener = {asyncEnd: (): void => {}} as unknown as Parameters<typeof channel.subscribe>[0];
  channel.subscribe(listener);
  expect(channel.hasSubscribers).toBe(true);
  channel.unsubscribe(listener);
  expect(channel.hasSubscribers).toBe(false);
});
