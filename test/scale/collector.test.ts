/** The collector holds no server up, whatever the data, and takes little of its time. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {Collector} from '../../src/lib/observe/collector.js';
import type {Snapshot} from '../../src/lib/observe/snapshot.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll} from '../support/redis-server.js';
import {fill, SIZES} from './dataset.js';
import {SlowCommands} from './slow-commands.js';

const EVERY_MS = 1_000;

const server = serverForAll();
let client: StreamClient;
let slow: SlowCommands;
beforeAll(async () => {
  await fill(server);
  slow = new SlowCommands(server);
  await slow.calibrate();
  client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
});
afterAll(() => client?.close());

/** MEMORY USAGE looks at each consumer, once a minute. */
const allowedMs = ([command]: readonly string[]): number => (command === 'memory' ? 10 : 0);

it('no command of a reading of everything holds the server up', async () => {
  let snapshot: Snapshot | undefined;
  const readAll = async (): Promise<void> => {
    snapshot = await new Collector({everyMs: EVERY_MS, maxStreams: 100_000, consumersUpTo: 1_000}).readAll(client);
  };
  expect(await slow.find(readAll, async () => {}, allowedMs)).toEqual([]);
  expect(snapshot!.streams.length).toBe(SIZES.streams + 4);
  const big = snapshot!.streams.find(({stream}) => stream === 'big')!;
  expect(big.bytes).toBeNull();
  expect(big.groups).toHaveLength(SIZES.groups);
  expect(big.groups!.find(({group}) => group === 'streamlog')).toMatchObject({
    consumers: SIZES.consumers,
    pending: SIZES.entries,
    lag: 0,
    maxDeliveries: 1,
    maxDeliveriesExact: false,
    members: null,
  });
});

it('no command of readings in turn does, and they take their share of its time, no more', async () => {
  const readings = 15;
  const collector = new Collector({everyMs: EVERY_MS, maxStreams: 100_000});
  const read = async (): Promise<void> => {
    for (let reading = 0; reading < readings; reading++) await collector.read(client);
  };
  expect(await slow.find(read, async () => {}, allowedMs)).toEqual([]);
  await server.redis.config('RESETSTAT');
  await read();
  const stats = await server.redis.info('commandstats');
  const usec = [...stats.matchAll(/cmdstat_([^:]+):calls=\d+,usec=(\d+)/g)].filter(
    ([, name]) => name !== 'config|resetstat',
  );
  const share = usec.reduce((sum, [, , each]) => sum + Number(each), 0) / (readings * EVERY_MS * 1_000);
  // 2 %, and what is not part of a turn: INFO, SCAN, and memory once a minute.
  expect(share).toBeLessThan(0.03);
});
