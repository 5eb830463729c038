/** What a link does with its connections, on a real server. */
import {afterEach, beforeEach, expect, it} from 'vitest';
import {StreamlogError} from '../../src/lib/errors.js';
import {Link} from '../../src/lib/reconnecting-client.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {type RedisServer, startRedis, until} from '../support/redis-server.js';

const LOST = new StreamlogError('unreachable', 'lost');

let server: RedisServer;
let told: string[];
let link: Link;

beforeEach(async () => {
  server = await startRedis();
  told = [];
  link = newLink(() => StreamClient.connect({url: server.url, connectTimeoutMs: 5_000}));
});
afterEach(async () => {
  link.close();
  await server.stop();
});

const newLink = (connect: () => Promise<StreamClient>): Link =>
  new Link({connect, blockMs: 100, stopping: new AbortController().signal, onTrouble: (line) => told.push(line)});

it('connects anew after a loss, and says so by its generation', async () => {
  const {generation} = link;
  const before = await link.control();
  link.lost(LOST, generation);
  expect(await link.control()).not.toBe(before);
  expect(link.generation).not.toBe(generation);
});

it('keeps a new connection when an old one reports its end late', async () => {
  const {generation} = link;
  await link.control();
  link.lost(LOST, generation);
  const after = await link.control();
  link.lost(LOST, generation);
  await link.restore(LOST, generation);
  expect(await link.control()).toBe(after);
  await after.ping();
});

it('connects once for all who find the connection gone', async () => {
  const clients = await Promise.all([link.control(), link.control(), link.control()]);
  expect(new Set(clients).size).toBe(1);
});

it('ends connecting when it is closed, and leaves nothing open behind', async () => {
  let made: StreamClient | undefined;
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  link = newLink(async () => {
    await gate;
    made = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000});
    return made;
  });
  const waiting = link.control();
  link.close();
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
    await link.restore(LOST, link.generation);
    await link.restore(other, link.generation);
  }
  link.settled();
  link.settled();
  expect(told.map((line) => line.replace(/ in .*/, ''))).toEqual([
    'lost; trying again',
    'busy; trying again',
    'Redis answers again',
  ]);
});

it('rethrows what trying again cannot mend', async () => {
  const denied = new StreamlogError('denied', 'no');
  await expect(link.restore(denied, link.generation)).rejects.toBe(denied);
});
