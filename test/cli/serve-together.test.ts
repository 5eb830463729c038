/**
 * Requests that arrive at the same time, and so reach Redis as one batch: sent
 * in one piece on one connection, they are read in one turn of the event loop.
 */
import {afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {cuttingProxy, postHead, RUNTIMES, type Served, sendRaw, serve, statuses} from '../support/http.js';
import {type RedisServer, serverForAll, startRedis} from '../support/redis-server.js';

const redis = serverForAll();
let served: Served;

async function end(server: Served): Promise<void> {
  server.process.kill('SIGTERM');
  await server.finished;
}

interface Sent {
  body: string;
  stream?: string;
  key?: string;
}

/** The status and the body of each answer, in the order of the requests. */
async function together(to: Served, all: readonly Sent[]): Promise<[status: number, body: unknown][]> {
  const requests = all.map(({body, stream = 'events', key}, index) => {
    const headers = [`Content-Length: ${Buffer.byteLength(body)}`];
    if (key !== undefined) headers.push(`Idempotency-Key: ${key}`);
    if (index === all.length - 1) headers.push('Connection: close');
    return postHead(`/streams/${stream}`, ...headers) + body;
  });
  const received = await sendRaw(to.url, requests.join('')).closed;
  const bodies = received.split('\n').filter((line) => line.startsWith('{'));
  return statuses(received).map((status, index) => [status, JSON.parse(bodies[index]!)]);
}

/** The first value of each entry. */
const valuesOf = async (server: RedisServer, stream = 'events'): Promise<string[]> =>
  ((await server.redis.xrange(stream, '-', '+')) as [string, string[]][]).map(([, [, value]]) => value!);
const idsOf = async (stream = 'events'): Promise<string[]> =>
  ((await redis.redis.xrange(stream, '-', '+')) as [string, string[]][]).map(([id]) => id);

describe.each(RUNTIMES)('requests that arrive together, on %s', (_, start) => {
  beforeAll(async () => {
    served = await start([], redis);
  });
  afterAll(() => end(served));
  afterEach(() => redis.redis.flushall());

  it('are added in their order, and each is answered with the IDs of its own entries', async () => {
    const answers = await together(served, [
      {body: '{"n":1}'},
      {body: '[{"n":2},{"n":3}]'},
      {body: '{"n":"x"}', stream: 'other'},
      {body: '{"n":4}'},
    ]);
    const [first, second, third, fourth] = await idsOf();
    expect(answers).toEqual([
      [201, {id: first}],
      [201, {ids: [second, third]}],
      [201, {id: (await idsOf('other'))[0]}],
      [201, {id: fourth}],
    ]);
    expect(await valuesOf(redis)).toEqual(['1', '2', '3', '4']);
  });

  it('are refused one by one: nothing of a bad one is added, and all of the others', async () => {
    const answers = await together(served, [
      {body: '[{"n":"a"},{"n":null}]'},
      {body: '{"n":1}'},
      {body: '[{"n":"b"},{"n":"c"},{"n":}]'},
      {body: '[{"n":2},{"n":3}]'},
      {body: '{"n":'},
    ]);
    expect(answers.map(([status]) => status)).toEqual([400, 201, 400, 201, 400]);
    expect(await valuesOf(redis)).toEqual(['1', '2', '3']);
  });

  it('are each told what Redis refused of theirs', async () => {
    // Two IDs are left in this stream.
    await redis.redis.xadd('events', '18446744073709551615-18446744073709551613', 'n', '0');
    const answers = await together(served, [{body: '{"n":1}'}, {body: '[{"n":2},{"n":3}]'}, {body: '{"n":4}'}]);
    const refused = {error: {code: 'refused', message: expect.any(String)}};
    expect(answers).toEqual([
      [201, {id: '18446744073709551615-18446744073709551614'}],
      [207, {results: [{id: '18446744073709551615-18446744073709551615'}, refused]}],
      [409, refused],
    ]);
  });

  it('with a key and without one keep their order too', async () => {
    // So that Redis knows the script: where it does not, what comes behind does not wait until it does.
    await served.post('/streams/other', '{"n":0}', {'Idempotency-Key': 'first'});
    const answers = await together(served, [
      {body: '{"n":1}'},
      {body: '[{"n":2},{"n":3}]', key: 'k'},
      {body: '{"n":4}'},
      {body: '{"n":5}', key: 'l'},
      {body: '{"n":"a"}', key: 'k'},
    ]);
    expect(answers.map(([status]) => status)).toEqual([201, 201, 201, 201, 422]);
    expect(await valuesOf(redis)).toEqual(['1', '2', '3', '4', '5']);
  });
});

it('requests whose shared batch is cut off are each told what is known of their own entries', async () => {
  const server = await startRedis({tcp: true});
  onTestFinished(() => server.stop());
  const proxy = await cuttingProxy(server);
  onTestFinished(() => proxy.close());
  const cut = await serve([], {env: {STREAMLOG_URL: proxy.url}});
  onTestFinished(() => end(cut));
  // So that what comes now is nothing but replies to XADDs.
  expect((await cut.post('/streams/events', '{"n":0}')).status).toBe(201);
  // The replies to two of them: "$15\r\n1526919030474-0\r\n" each.
  proxy.cutAfter(2 * 22);
  const answers = await together(cut, [{body: '{"n":1}'}, {body: '[{"n":2},{"n":3}]'}, {body: '{"n":4}'}]);
  const unknown = {error: {code: 'unknown_outcome', message: expect.any(String)}};
  const id = expect.stringMatching(/^\d+-\d+$/);
  expect(answers).toEqual([
    [201, {id}],
    [503, {...unknown, outcome: 'unknown', results: [{id}, unknown]}],
    [503, {...unknown, outcome: 'unknown'}],
  ]);
  expect(await valuesOf(server)).toEqual(['0', '1', '2', '3', '4']);
});
