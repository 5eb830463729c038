/** What is read of a stream that becomes another one while it is followed, step by step. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {followStreams} from '../../src/lib/reading/follow-streams.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll} from '../support/redis-server.js';

const server = serverForAll();
let client: StreamClient;
beforeAll(async () => {
  client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
});
afterAll(() => client.close());

it('a stream that began anew between what was there and what comes is read from its beginning', async () => {
  const {redis} = server;
  for (const id of ['7-0', '8-0']) await redis.xadd('events', id, 'n', id);
  const stopping = new AbortController();
  const said: string[] = [];
  const batches = followStreams(client, {
    streams: ['events'],
    from: {kind: 'last', count: 10},
    follow: true,
    stopping: stopping.signal,
    retryForMs: undefined,
    onMissing: () => {},
    onIdle: () => {},
    onProblem: (line) => said.push(line),
  });
  const next = async (): Promise<string[]> => {
    const {value} = await batches.next();
    return (value ?? []).map(({id}) => id);
  };
  expect(await next()).toEqual(['7-0', '8-0']);
  await redis.multi().del('events').xadd('events', '1-0', 'n', 'new').exec();
  expect(await next()).toEqual(['1-0']);
  expect(said).toEqual(['stream "events" has begun anew; going on from its beginning']);
  stopping.abort();
  expect((await batches.next()).done).toBe(true);
});
