/** Counts of what is given back, where one of several fails. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {Releaser} from '../../src/lib/groups/named-entries.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll} from '../support/redis-server.js';

const server = serverForAll();
let client: StreamClient;

beforeAll(async () => {
  client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
});
afterAll(async () => {
  client.close();
});

it('counts are final when it throws: those that were answered later are in them', async () => {
  for (const id of ['1-0', '2-0', '3-0']) await server.redis.xadd('events', id, 'n', id);
  await server.redis.xgroup('CREATE', 'events', 'g', '0');
  await server.redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', 'events', '>');
  const {giveBack} = client.scripts;
  let isRefused = (): void => {};
  const refused = new Promise<void>((resolve) => {
    isRefused = resolve;
  });
  // The one that fails is answered first.
  client.scripts.giveBack = async (...args) => {
    if (args[0].group === 'none') return giveBack(...args).finally(isRefused);
    await refused;
    await new Promise(setImmediate);
    return giveBack(...args);
  };
  const giver = new Releaser(client, {stream: 'events', group: 'g'});
  const all = [{id: '1-0'}, {id: '1-0', group: 'none'}, {id: '2-0'}, {id: '3-0', consumer: 'w9'}];
  await expect(giver.giveBack(all)).rejects.toMatchObject({kind: 'notFound'});
  expect(giver.counts).toEqual([
    {stream: 'events', group: 'g', givenBack: 2, notPending: 0, withAnother: 1, deliveredAgain: 0, gone: 0},
  ]);
});
