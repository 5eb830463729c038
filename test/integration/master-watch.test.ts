/** What keeps an eye on the master, as the sentinels and the master see it: it is there with the first connection, and gone with the last. */
import type {Redis} from 'ioredis';
import {it} from 'vitest';
import {StreamClient} from '../../src/lib/stream-client.js';
import {until} from '../support/redis-server.js';
import {startSentinelSet} from '../support/topologies.js';

/** Connections that listen, and all but those of the sentinels. */
async function clientsOf(redis: Redis): Promise<{listening: number; ours: number}> {
  const list = String(await redis.client('LIST')).split('\n');
  const count = (what: RegExp): number => list.filter((line) => what.test(line)).length;
  return {listening: count(/ sub=[1-9]/), ours: count(/^id=(?!.* name=sentinel-)/)};
}

it('with the last connection to a master end the subscriptions to its sentinels and what asks for its role', async () => {
  const set = await startSentinelSet({replicas: 1, sentinels: 2});
  const clients: StreamClient[] = [];
  try {
    const servers = [set.master.redis, ...set.sentinels.map(({redis}) => redis)];
    const look = () => Promise.all(servers.map(clientsOf));
    const before = await look();
    const connect = async (): Promise<StreamClient> => {
      const client = await StreamClient.connect({url: set.url, connectTimeoutMs: 5_000});
      clients.push(client);
      return client;
    };
    /** How many more there are now: of ours at the master, and those that listen to each sentinel. */
    const more = async (): Promise<number[]> => {
      const [master, ...sentinels] = await look();
      return [
        master!.ours - before[0]!.ours,
        ...sentinels.map(({listening}, at) => listening - before[at + 1]!.listening),
      ];
    };
    for (let round = 0; round < 2; round++) {
      const [first, second] = [await connect(), await connect()];
      await until(async () => (await more()).join() === '3,1,1', 'one more than the two watches the master');
      first.close();
      await until(async () => (await more()).join() === '2,1,1', 'one is left, and watched');
      second.close();
      const isAsBefore = async () =>
        JSON.stringify((await look()).map(({ours}) => ours)) === JSON.stringify(before.map(({ours}) => ours));
      await until(
        async () => (await isAsBefore()) && (await more()).join() === '0,0,0',
        'nobody watches it any more',
        15_000,
      );
    }
  } finally {
    for (const client of clients) client.close();
    await set.stop();
  }
});
