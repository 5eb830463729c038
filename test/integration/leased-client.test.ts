import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {NOT_CONNECTED, StreamlogError} from '../../src/lib/errors.js';
import {LeasedClient} from '../../src/lib/leased-client.js';
import {HeldRequests} from '../../src/lib/serve/held-requests.js';
import {RequestBatcher} from '../../src/lib/serve/request-batcher.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {freePort, type RedisServer, startRedis, until} from '../support/redis-server.js';

const settings = (url: string) => ({url, connectTimeoutMs: 2_000});

describe('a live client', () => {
  let server: RedisServer;
  let live: LeasedClient;
  /** What was reported, in order. */
  let events: string[];

  const start = async (url: string): Promise<LeasedClient> =>
    LeasedClient.start({
      connect: () => StreamClient.connect(settings(url)),
      onConnected: () => events.push('connected'),
      onLost: () => events.push('lost'),
    });
  const add = (): Promise<string | undefined> => live.use((client) => client.add('s', [['a', '1']]));
  const clientIds = async (): Promise<string[]> => {
    const list = (await server.redis.call('CLIENT', 'LIST')) as string;
    return [...list.matchAll(/^id=(\d+) .* name=streamlog /gm)].map(([, id]) => id!);
  };

  beforeEach(async () => {
    events = [];
    server = await startRedis({tcp: true});
    live = await start(server.url);
  });
  afterEach(async () => {
    live.close();
    await server.stop();
  });

  it('fails at once while it is not connected, without having sent anything', async () => {
    server.process.kill('SIGKILL');
    await until(() => !live.connected, 'the loss is noticed');
    await expect(add()).rejects.toMatchObject({kind: 'unreachable', code: NOT_CONNECTED});
    expect(events.slice(0, 2)).toEqual(['connected', 'lost']);
  });

  it('connects again by itself when its connection is closed, and says so once', async () => {
    const [id] = await clientIds();
    await server.redis.call('CLIENT', 'KILL', 'ID', id!);
    await until(() => events.length === 3, 'it is connected again');
    expect(events).toEqual(['connected', 'lost', 'connected']);
    expect(await clientIds()).toHaveLength(1);
    expect(await add()).toMatch(/-/);
  });

  it('replaces a connection to a server that has become a replica, and keeps working once it is a master again', async () => {
    const [id] = await clientIds();
    await server.redis.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    await expect(add()).rejects.toMatchObject({code: 'READONLY'});
    await until(async () => (await clientIds())[0] !== id, 'the connection is another one');
    await server.redis.call('REPLICAOF', 'NO', 'ONE');
    expect(await add()).toMatch(/-/);
    // One for adding, one for all else.
    await until(async () => (await clientIds()).length === 2, 'the old connections are closed');
  });

  it('replaces it too when the failure was among the outcomes of a batch', async () => {
    const [id] = await clientIds();
    await live.use(async (_, doubt) => doubt(new StreamlogError('temporary', 'not the master', {code: 'READONLY'})));
    await until(async () => (await clientIds())[0] !== id, 'the connection is another one');
  });

  it('replaces it too when a request with an Idempotency-Key was refused', async () => {
    const [id] = await clientIds();
    await server.redis.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    const held = new HeldRequests({ms: 0, warn: () => {}});
    const request = {scope: '', key: 'k', keepSeconds: 60, body: Buffer.from('{"a":"1"}')};
    const writer = new RequestBatcher(live, held).writer('s', {}, request);
    writer.add([['a', '1']]);
    const results = await new Promise((settled) => writer.send(settled));
    expect(results).toMatchObject([{code: 'READONLY'}]);
    await until(async () => (await clientIds())[0] !== id, 'the connection is another one');
  });

  it('is replaced by one connection, however many found it to be the wrong one', async () => {
    let [made, failures] = [0, 0];
    live.close();
    live = await LeasedClient.start({
      connect: () => {
        made++;
        if (failures-- > 0) return Promise.reject(new StreamlogError('unreachable', 'away'));
        return StreamClient.connect(settings(server.url));
      },
      onConnected: () => events.push('connected'),
      onLost: () => events.push('lost'),
    });
    // Then the pauses are so long that whatever else was begun is seen before the end.
    failures = 3;
    const failure = new StreamlogError('temporary', 'not the master', {code: 'READONLY'});
    events = [];
    await Promise.all(Array.from({length: 50}, () => live.use(async (_, doubt) => doubt(failure))));
    await until(() => events.includes('connected'), 'there is another connection');
    events = [];
    for (const id of await clientIds()) await server.redis.call('CLIENT', 'KILL', 'ID', id);
    await until(() => events.includes('lost') && events.at(-1) === 'connected', 'there is a third one');
    expect(made).toBe(1 + 3 + 1 + 1);
  });

  it('leaves a connection to those who still work with it until they are done', async () => {
    let finish: () => void = () => {};
    const work = live.use(async (client, doubt) => {
      doubt(new StreamlogError('temporary', 'not the master', {code: 'READONLY'}));
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return client.add('s', [['a', '1']]);
    });
    await until(() => events.length === 2, 'there is a new connection');
    expect(await clientIds()).toHaveLength(2);
    finish();
    expect(await work).toMatch(/-/);
    await until(async () => (await clientIds()).length === 1, 'the old connection is closed');
  });

  it('does not replace a connection because a command was wrong', async () => {
    const [id] = await clientIds();
    await server.redis.set('text', 'x');
    await expect(live.use((client) => client.add('text', [['a', '1']]))).rejects.toMatchObject({code: 'WRONGTYPE'});
    await add();
    expect((await clientIds())[0]).toBe(id);
    expect(events).toEqual(['connected']);
  });

  it('waits for a server that is not there yet, and connects to nothing once it is closed', async () => {
    const port = await freePort();
    events = [];
    const waiting = await start(`redis://127.0.0.1:${port}`);
    expect([waiting.connected, events]).toEqual([false, ['lost']]);
    waiting.close();
    const late = await startRedis({args: ['--port', String(port)]});
    const second = await start(`redis://127.0.0.1:${port}`);
    expect(events).toEqual(['lost', 'connected']);
    expect([waiting.connected, second.connected]).toEqual([false, true]);
    second.close();
    await late.stop();
  });

  it('does not wait for what waiting cannot mend', async () => {
    await server.redis.call('ACL', 'SETUSER', 'someone', 'on', '>right', '~*', '+@all');
    const url = server.url.replace('redis://', 'redis://someone:wrong@');
    await expect(start(url)).rejects.toMatchObject({kind: 'denied'});
    await expect(start('ftp://nonsense')).rejects.toMatchObject({kind: 'configuration'});
  });
});
