import {afterAll, beforeAll, expect, it} from 'vitest';
import {listStreams} from '../../src/lib/reports/stream-list.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {type RedisServer, startRedis} from '../support/redis-server.js';

let server: RedisServer;
let client: StreamClient;
beforeAll(async () => {
  server = await startRedis();
  client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
});
afterAll(async () => {
  client.close();
  await server.stop();
});

it('what goes, or becomes something else, between SCAN and XINFO is left out', async () => {
  for (const name of ['gone', 'replaced', 'stays']) await server.redis.xadd(name, '1-0', 'a', 'b');
  // The real client, and somebody else who is fast.
  const raced = {
    async *streams() {
      for await (const names of client.streams()) {
        await server.redis.del('gone', 'replaced');
        await server.redis.set('replaced', 'text');
        yield names;
      }
    },
    info: (name: string) => client.info(name),
  } as unknown as StreamClient;

  const found = [];
  for await (const page of listStreams(raced, {now: Date.now})) found.push(...page);

  expect(found.map(({name}) => name)).toEqual(['stays']);
});
