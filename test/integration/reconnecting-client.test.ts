/** What a link does with its connections, on a real server. */
import {afterEach, beforeEach, expect, it} from 'vitest';
import {StreamlogError} from '../../src/lib/errors.js';
import {ReconnectingClient} from '../../src/lib/reconnecting-client.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForEach, until} from '../support/redis-server.js';

const LOST = new StreamlogError('unreachable', 'lost');

const server = serverForEach();
let reported: string[];
let redis: ReconnectingClient;

beforeEach(async () => {
  reported = [];
  redis = newLink(() => StreamClient.connect({url: server.url, connectTimeoutMs: 5_000}));
});
afterEach(async () => {
  redis.close();
});

const newLink = (connect: () => Promise<StreamClient>): ReconnectingClient =>
  new ReconnectingClient({
    connect,
    blockMs: 100,
    stopping: new AbortController().signal,
    onProblem: (line) => reported.push(line),
  });

it('connects anew after a loss, and says so by another connection', async () => {
  const before = await redis.connection();
  redis.invalidate(LOST, before);
  expect(redis.current).toBeUndefined();
  const after = await redis.connection();
  expect(after).not.toBe(before);
  expect(after.commands).not.toBe(before.commands);
  expect(redis.current).toBe(after);
});

it('keeps a new connection when an old one reports its end late', async () => {
  const before = await redis.connection();
  redis.invalidate(LOST, before);
  const after = await redis.connection();
  redis.invalidate(LOST, before);
  await redis.retryAfter(LOST, before);
  expect(await redis.connection()).toBe(after);
  await after.commands.server.ping();
});

it('connects once for all who find the connection gone', async () => {
  const clients = await Promise.all([redis.connection(), redis.connection(), redis.connection()]);
  expect(new Set(clients).size).toBe(1);
});

it('ends connecting when it is closed, and leaves nothing open behind', async () => {
  let made: StreamClient | undefined;
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  redis = newLink(async () => {
    await gate;
    made = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000});
    return made;
  });
  const waiting = redis.connection();
  redis.close();
  await expect(waiting).rejects.toMatchObject({kind: 'unreachable'});
  go();
  await until(() => made !== undefined, 'it connected all the same');
  await made!.closed;
  await until(
    async () => !String(await server.redis.call('CLIENT', 'LIST')).includes('name=streamlog'),
    'all are closed',
  );
});

it('tells a trouble once while it lasts, also when it alternates with another, and that it is over', async () => {
  const other = new StreamlogError('temporary', 'busy');
  for (let round = 0; round < 2; round++) {
    await redis.retryAfter(LOST, redis.current);
    await redis.retryAfter(other, redis.current);
  }
  redis.resetBackoff();
  redis.resetBackoff();
  expect(reported.map((line) => line.replace(/ in .*/, ''))).toEqual([
    'lost; trying again',
    'busy; trying again',
    'Redis answers again',
  ]);
});

it('rethrows what trying again cannot mend', async () => {
  const denied = new StreamlogError('denied', 'no');
  await expect(redis.retryAfter(denied, redis.current)).rejects.toBe(denied);
});
