/** Requests with an Idempotency-Key: however often they are sent, and whatever happens to the replies. */
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {type FaultProxy, startProxy} from '../faults/support/proxy.js';
import {type Served, serve} from '../support/http.js';
import {type RedisServer, serverPrograms, startRedis, until} from '../support/redis-server.js';

interface Reply {
  status: number;
  body: {id?: string; ids?: string[]; error?: {code: string}; outcome?: string};
}

const repeat = async (to: Served, path: string, body: string, key: string): Promise<Reply> => {
  const response = await to.post(path, body, {'Idempotency-Key': key});
  return {status: response.status, body: (await response.json()) as Reply['body']};
};

/** Connected through a proxy, and past the first request: the script is known from then on. */
async function servedThroughProxy(): Promise<{redis: RedisServer; proxy: FaultProxy; served: Served}> {
  const redis = await startRedis({tcp: true});
  const proxy = await startProxy(redis);
  const served = await serve([], {env: {STREAMLOG_URL: proxy.url}});
  onTestFinished(async () => {
    served.process.kill('SIGKILL');
    await proxy.stop();
    await redis.stop();
  });
  await repeat(served, '/streams/warm', '{"a":1}', 'k');
  return {redis, proxy, served};
}

describe.each(serverPrograms())('a request that is repeated, on $name', ({program}) => {
  let redis: RedisServer;
  let served: Served;
  beforeAll(async () => {
    redis = await startRedis({program, tcp: true});
    served = await serve([], {server: redis});
  });
  afterAll(async () => {
    served.process.kill('SIGTERM');
    await served.finished;
    await redis.stop();
  });
  const idsIn = async (stream: string): Promise<string[]> =>
    (await redis.redis.xrange(stream, '-', '+')).map(([id]) => id);

  it('adds nothing, and gets the same ID', async () => {
    const first = await repeat(served, '/streams/one', '{"a":1}', 'k');
    expect(first).toMatchObject({status: 201, body: {id: expect.any(String)}});
    expect(await repeat(served, '/streams/one', '{"a":1}', 'k')).toEqual(first);
    expect(await idsIn('one')).toEqual([first.body.id]);
  });

  it('as a batch gets the same IDs, in their order', async () => {
    const body = '[{"a":1},{"a":2},{"a":3}]';
    const first = await repeat(served, '/streams/batch', body, 'k');
    expect(await repeat(served, '/streams/batch', body, 'k')).toEqual(first);
    expect(await idsIn('batch')).toEqual(first.body.ids);
  });

  it('at the same time by many is added once', async () => {
    const replies = await Promise.all(
      Array.from({length: 20}, () => repeat(served, '/streams/many', '[{"a":1},{"a":2}]', 'k')),
    );
    expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
    expect(await idsIn('many')).toEqual(replies[0]!.body.ids);
  });

  it('has a record with more fields than a script can pass on, alone or among others, once', async () => {
    const wide = JSON.stringify(Object.fromEntries(Array.from({length: 4_000}, (_, n) => [`f${n}`, n])));
    const bodies = [wide, `[{"a":1},${wide},{"a":2},{"a":3},${wide}]`, `[${wide},{"a":1}]`];
    for (const [index, body] of bodies.entries()) {
      const replies = await Promise.all(
        Array.from({length: 4}, () => repeat(served, `/streams/wide${index}`, body, 'k')),
      );
      replies.push(await repeat(served, `/streams/wide${index}`, body, 'k'));
      expect(replies[0]!.status).toBe(201);
      for (const {
        body: {id, ids = [id!]},
      } of replies)
        expect(ids).toEqual(await idsIn(`wide${index}`));
    }
    const other = await repeat(served, '/streams/wide1', bodies[0]!, 'k');
    expect(other.body.error?.code).toBe('key_reused');
    // What is gone is added again.
    await redis.redis.del('wide1');
    const again = await repeat(served, '/streams/wide1', bodies[1]!, 'k');
    expect([again.status, again.body.ids]).toEqual([201, await idsIn('wide1')]);
  });

  it('under another key, or for another stream, is another one', async () => {
    await repeat(served, '/streams/other', '{"a":1}', 'k');
    await repeat(served, '/streams/other', '{"a":1}', 'l');
    await repeat(served, '/streams/another', '{"a":1}', 'k');
    expect([(await idsIn('other')).length, (await idsIn('another')).length]).toEqual([2, 1]);
  });

  it('with another body is refused, and adds nothing', async () => {
    await repeat(served, '/streams/body', '{"a":1}', 'k');
    expect(await repeat(served, '/streams/body', '{"a":2}', 'k')).toMatchObject({
      status: 422,
      body: {error: {code: 'key_reused'}},
    });
    expect(await idsIn('body')).toHaveLength(1);
  });

  it('for a stream and the same name in braces is two', async () => {
    const first = await repeat(served, '/streams/braces', '{"a":1}', 'k');
    const second = await repeat(served, '/streams/%7Bbraces%7D', '{"a":1}', 'k');
    expect(await idsIn('braces')).toEqual([first.body.id]);
    expect(await idsIn('{braces}')).toEqual([second.body.id]);
  });

  it('is added again where the stream was deleted, so that the ID of each answer is in the stream', async () => {
    await repeat(served, '/streams/deleted', '[{"a":1},{"a":2}]', 'k');
    await redis.redis.del('deleted');
    await redis.redis.xadd('deleted', '*', 'another', 'one');
    const again = await repeat(served, '/streams/deleted', '[{"a":1},{"a":2}]', 'k');
    expect(again.status).toBe(201);
    expect((await idsIn('deleted')).slice(1)).toEqual(again.body.ids);
  });

  it('for a name of its own keys is refused', async () => {
    const own = '%7Bowned%7D:streamlog:request:owned:x';
    expect(await repeat(served, `/streams/${own}`, '{"a":1}', 'k')).toMatchObject({
      status: 403,
      body: {error: {code: 'stream_not_allowed'}},
    });
  });

  it('is forgotten after a day', async () => {
    await repeat(served, '/streams/day', '{"a":1}', 'k');
    const [key] = await redis.redis.keys('{day}:streamlog:request:*');
    expect(await redis.redis.ttl(key!)).toBeGreaterThan(86_000);
  });

  it('goes on after SCRIPT FLUSH', async () => {
    await redis.redis.script('FLUSH');
    expect((await repeat(served, '/streams/flushed', '{"a":1}', 'k')).status).toBe(201);
  });
});

it('after a lost reply the repeated request tells what the first one added', async () => {
  const {redis, proxy, served} = await servedThroughProxy();
  const cut = proxy.cutAfter('evalsha', 1);
  const first = await repeat(served, '/streams/paid', '[{"a":1},{"a":2}]', 'k');
  await cut;
  expect(first).toMatchObject({status: 503, body: {outcome: 'unknown'}});
  let again = await repeat(served, '/streams/paid', '[{"a":1},{"a":2}]', 'k');
  while (again.body.error?.code === 'redis_unavailable') {
    again = await repeat(served, '/streams/paid', '[{"a":1},{"a":2}]', 'k');
  }
  expect(again.status).toBe(201);
  expect((await redis.redis.xrange('paid', '-', '+')).map(([id]) => id)).toEqual(again.body.ids);
});

it.each(['that has expired', 'that Redis has dropped'])(
  'a key %s adds nothing again when a connection was lost',
  async (how) => {
    const server = await startRedis({tcp: true});
    onTestFinished(() => server.stop());
    const served = await serve(['--hold', '1m', '--idempotency-ttl', '1s'], {server});
    onTestFinished(async () => {
      served.process.kill('SIGTERM');
      await served.finished;
    });
    const reported = await repeat(served, '/streams/kept', '[{"a":1},{"a":2}]', 'k');
    expect(reported.status).toBe(201);
    const states = (): Promise<string[]> => server.redis.keys('{kept}*');
    if (how === 'that Redis has dropped') await server.redis.del(await states());
    else await until(async () => (await states()).length === 0, 'it has expired');
    await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    // What is held is looked at before the first request.
    await until(async () => (await repeat(served, '/streams/next', '{"a":1}', 'n')).status === 201, 'Redis is back');
    expect((await server.redis.xrange('kept', '-', '+')).map(([id]) => id)).toEqual(reported.body.ids);
  },
);

it('a wide record is added once, though the reply to its transaction is lost', async () => {
  const {redis, proxy, served} = await servedThroughProxy();
  const body = `[{"a":1},{${Array.from({length: 4_000}, (_, n) => `"f${n}":1`).join()}}]`;
  const cut = proxy.cutAfter('exec', 1);
  const first = await repeat(served, '/streams/paid', body, 'k');
  await cut;
  expect(first).toMatchObject({status: 503, body: {outcome: 'unknown'}});
  let again = await repeat(served, '/streams/paid', body, 'k');
  while (again.status === 503) {
    again = await repeat(served, '/streams/paid', body, 'k');
  }
  expect(again.status).toBe(201);
  expect((await redis.redis.xrange('paid', '-', '+')).map(([id]) => id)).toEqual(again.body.ids);
});
