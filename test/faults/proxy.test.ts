/** Every fault that the proxy offers happens as it says, seen by a plain client and by the server itself. */
import {connect} from 'node:net';
import {Redis} from 'ioredis';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type RedisServer, startRedis, until} from '../support/redis-server.js';
import {type FaultProxy, startProxy} from './support/proxy.js';

let server: RedisServer;
let proxy: FaultProxy;
let clients: Redis[];

beforeEach(async () => {
  server = await startRedis();
  proxy = await startProxy(server);
  clients = [];
});
afterEach(async () => {
  for (const each of clients) each.disconnect();
  await proxy.stop().finally(() => server.stop());
});

/** A client that says nothing of its own and does not reconnect: what happens to it is what happened. */
async function connected(port = proxy.port): Promise<Redis> {
  const client = newClient(port);
  await client.connect();
  return client;
}

function newClient(port = proxy.port): Redis {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

/** What became of each promise: its value, or 'cut'. */
const results = async (promises: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((each) => (each.status === 'fulfilled' ? each.value : 'cut'));

const add = (client: Redis, value: string): Promise<string | null> => client.xadd('events', '*', 'value', value);
const addAll = (client: Redis, values: string[]): Promise<string | null>[] => values.map((value) => add(client, value));

const inStream = async (): Promise<string[]> =>
  (await server.redis.xrange('events', '-', '+')).map(([, [, value]]) => value!);

/** Whether `promise` has settled once everything that was under way has had its turn. */
async function settledAfter(promise: Promise<unknown>, condition: () => Promise<boolean>): Promise<boolean> {
  let settled = false;
  void promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await until(condition, 'the server has done its part');
  for (let turn = 0; turn < 20; turn += 1) await server.redis.ping();
  return settled;
}

describe('without a fault', () => {
  it('pipelines, transactions, scripts, blocking reads and large values pass unchanged', async () => {
    const client = await connected();
    expect(await results(addAll(client, ['a', 'b']))).toEqual([expect.any(String), expect.any(String)]);
    expect(await client.multi().xlen('events').set('k', 'v').exec()).toEqual([
      [null, 2],
      [null, 'OK'],
    ]);
    const sha = String(await client.script('LOAD', 'return ARGV[1]'));
    const large = Buffer.alloc(3_000_000, 'é\r\n');
    expect(Buffer.compare((await client.callBuffer('EVALSHA', sha, '0', large)) as Buffer, large)).toBe(0);
    await expect(client.xadd('k', '*', 'a', '1')).rejects.toThrow('WRONGTYPE');
    const read = (await connected()).xread('BLOCK', 0, 'STREAMS', 'events', '$');
    await until(async () => (await server.redis.info('clients')).includes('blocked_clients:1'), 'the read blocks');
    await add(client, 'c');
    expect(await read).toEqual([['events', [[expect.any(String), ['value', 'c']]]]]);
  });

  it('each client has a connection of its own to the server, and none is left when it goes', async () => {
    const names = async (): Promise<string[]> =>
      [...String(await server.redis.client('LIST')).matchAll(/ name=(\w+) /g)].map(([, name]) => name!).sort();
    const [first, second] = [await connected(), await connected()];
    await first.client('SETNAME', 'first');
    await second.client('SETNAME', 'second');
    expect(await names()).toEqual(['first', 'second']);
    expect(proxy.connections).toBe(2);
    first.disconnect();
    await until(async () => (await names()).join() === 'second', 'the connection of the first client is gone');
    await until(() => proxy.connections === 1, 'the proxy forgot the first client');
  });

  it('a client that does not read is felt by the server', async () => {
    await server.redis.set('large', Buffer.alloc(1_000_000));
    const socket = connect(proxy.port, '127.0.0.1').pause();
    socket.write(`CLIENT SETNAME lazy\r\n${'GET large\r\n'.repeat(30)}`);
    let waiting = 0;
    let timesTheSame = 0;
    const isStuck = async (): Promise<boolean> => {
      const before = waiting;
      const line = String(await server.redis.client('LIST'))
        .split('\n')
        .find((each) => each.includes('name=lazy'));
      waiting = Number(/ omem=(\d+)/.exec(line ?? '')?.[1] ?? 0);
      timesTheSame = waiting > 0 && waiting === before ? timesTheSame + 1 : 0;
      return timesTheSame === 10;
    };
    await until(isStuck, 'replies pile up in the server, not in the proxy');
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await until(() => received === 5 + 30 * ('$1000000\r\n\r\n'.length + 1_000_000), 'all of it arrives');
    socket.destroy();
  });

  it('a server that dies takes its connections along', async () => {
    const dying = await startRedis({tcp: true});
    const own = await startProxy(dying);
    const client = await connected(own.port);
    const read = results([client.xread('BLOCK', 0, 'STREAMS', 'events', '$')]);
    await until(async () => (await dying.redis.info('clients')).includes('blocked_clients:1'), 'the read blocks');
    await dying.stop();
    expect(await read).toEqual(['cut']);
    await until(() => own.connections === 0, 'no connection is left');
    await own.stop();
  });

  it('a client that speaks no RESP2 is cut off, and stopping says so', async () => {
    const own = await startProxy(server);
    const client = await connected(own.port);
    expect(await results([client.call('HELLO', '3')])).toEqual(['cut']);
    await expect(own.stop()).rejects.toThrow('no RESP2: "%');
  });
});

describe('latency', () => {
  it('delays replies, not requests, and heal delivers what waits', async () => {
    const client = await connected();
    proxy.latency(3_600_000);
    const adding = results(addAll(client, ['a', 'b']));
    expect(await settledAfter(adding, async () => (await inStream()).length === 2)).toBe(false);
    proxy.heal();
    expect(await adding).toEqual([expect.any(String), expect.any(String)]);
  });

  it('of a few milliseconds only delays', async () => {
    const client = await connected();
    proxy.latency(5);
    for (const value of ['a', 'b', 'c']) expect(await add(client, value)).toEqual(expect.any(String));
    expect(await inStream()).toEqual(['a', 'b', 'c']);
  });
});

describe('cut', () => {
  it('closes every connection now and drops what is on its way; new ones are fine', async () => {
    const [first, second] = [await connected(), await connected()];
    proxy.latency(3_600_000);
    const adding = results([add(first, 'a'), add(second, 'b')]);
    await until(async () => (await inStream()).length === 2, 'both were executed');
    proxy.cut();
    expect(await adding).toEqual(['cut', 'cut']);
    proxy.heal();
    expect(await (await connected()).xlen('events')).toBe(2);
    await until(() => proxy.connections === 1, 'the old connections are gone');
  });
});

describe.each([
  ['reset', 'ECONNRESET'],
  ['cut', 'end'],
] as const)('%s', (fault, expected) => {
  it(`is seen by the client as ${expected}`, async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const seen = new Promise<string | undefined>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      socket.once('end', () => resolve('end'));
    });
    socket.write('PING\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    proxy[fault]();
    expect(await seen).toBe(expected);
  });
});

describe('blackhole', () => {
  it('passes nothing either way until it is healed, then all of it', async () => {
    const client = await connected();
    await add(client, 'a');
    const blocked = await connected();
    const read = blocked.xread('BLOCK', 0, 'STREAMS', 'events', '$');
    await until(async () => (await server.redis.info('clients')).includes('blocked_clients:1'), 'the read blocks');
    proxy.blackhole();
    const adding = add(client, 'b');
    await server.redis.xadd('events', '*', 'value', 'direct');
    const isRead = async (): Promise<boolean> => (await server.redis.info('clients')).includes('blocked_clients:0');
    expect(await settledAfter(Promise.race([adding, read]), isRead)).toBe(false);
    expect(await inStream()).toEqual(['a', 'direct']);
    proxy.heal();
    expect(await adding).toEqual(expect.any(String));
    expect(await read).toEqual([['events', [[expect.any(String), ['value', 'direct']]]]]);
    expect(await inStream()).toEqual(['a', 'direct', 'b']);
  });

  it('accepts new connections and answers none', async () => {
    proxy.blackhole();
    const client = await connected();
    const pinging = client.ping();
    expect(await settledAfter(pinging, async () => proxy.requests('ping') === 1)).toBe(false);
    proxy.heal();
    expect(await pinging).toBe('PONG');
  });

  it('hides from the server that its client is gone', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.write('CLIENT SETNAME gone\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const isListed = async (): Promise<boolean> => String(await server.redis.client('LIST')).includes('name=gone');
    proxy.blackhole();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.destroy();
    await closed;
    for (let turn = 0; turn < 20; turn += 1) expect(await isListed()).toBe(true);
    proxy.heal();
    await until(async () => !(await isListed()), 'the server learned that its client is gone');
  });

  it('does not outlive a cut', async () => {
    const client = await connected();
    proxy.blackhole();
    const adding = results([add(client, 'a')]);
    await until(() => proxy.requests('xadd') === 1, 'the request came in');
    proxy.cut();
    expect(await adding).toEqual(['cut']);
    await until(() => proxy.connections === 0, 'the connection is gone');
    expect(await inStream()).toEqual([]);
  });
});

describe('refuse and listen', () => {
  it('refuse keeps what is open, turns new clients away, and listen takes them on the same port', async () => {
    const before = await connected();
    const {url} = proxy;
    proxy.refuse();
    const refused = newClient();
    const problem = new Promise<string | undefined>((resolve) => {
      refused.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    await expect(refused.connect()).rejects.toThrow();
    expect(await problem).toBe('ECONNREFUSED');
    expect(await before.ping()).toBe('PONG');
    await proxy.listen();
    expect(proxy.url).toBe(url);
    expect(await (await connected()).ping()).toBe('PONG');
  });
});

describe('slice', () => {
  it('delivers replies in pieces, whole in the end', async () => {
    proxy.slice(2);
    const socket = connect(proxy.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const reply = `$40\r\n${'x'.repeat(40)}\r\n`;
    socket.write(`*2\r\n$4\r\nECHO\r\n${reply}`);
    await until(() => Buffer.concat(chunks).toString() === reply, 'the reply is whole');
    // The kernel may join pieces; without slices there is one.
    expect(chunks.length).toBeGreaterThan(5);
    socket.destroy();
  });

  it('of one byte does not mix up the replies of a pipeline', async () => {
    const client = await connected();
    proxy.slice(1);
    const echoes = Array.from({length: 30}, (_, index) => client.echo(`reply ${index}`));
    expect(await Promise.all(echoes)).toEqual(Array.from({length: 30}, (_, index) => `reply ${index}`));
  });
});

/** `$15\r\n1526919030474-0\r\n` */
const ID_REPLY_BYTES = 22;

describe('limitReplies', () => {
  it('cuts in the middle of a reply: those before it are answered, all were executed', async () => {
    const client = await connected();
    await add(client, 'before');
    const reached = proxy.limitReplies(2 * ID_REPLY_BYTES + 9);
    const ids = await results(addAll(client, ['a', 'b', 'c', 'd']));
    await reached;
    expect(ids).toEqual([expect.any(String), expect.any(String), 'cut', 'cut']);
    expect(await inStream()).toEqual(['before', 'a', 'b', 'c', 'd']);
  });

  it('passes exactly that many bytes, once', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    const reached = proxy.limitReplies(10);
    socket.write('PING\r\nPING\r\n');
    await Promise.all([ended, reached]);
    expect(Buffer.concat(chunks).toString()).toBe('+PONG\r\n+PO');
    expect(await (await connected()).echo('all of this passes again')).toBe('all of this passes again');
  });
});

describe('cutBefore', () => {
  it('answers the requests before the n-th and never executes it or what follows', async () => {
    const client = await connected();
    const happened = proxy.cutBefore('XADD', 3);
    const ids = await results(addAll(client, ['a', 'b', 'c', 'd']));
    await happened;
    expect(ids).toEqual([expect.any(String), expect.any(String), 'cut', 'cut']);
    expect(await inStream()).toEqual(['a', 'b']);
  });

  it('of the first request leaves nothing behind, and the next connection is fine', async () => {
    const happened = proxy.cutBefore('xadd', 1);
    expect(await results([add(await connected(), 'a')])).toEqual(['cut']);
    await happened;
    expect(await inStream()).toEqual([]);
    await add(await connected(), 'b');
    expect(await inStream()).toEqual(['b']);
  });

  it('counts over all connections and cuts only the one it happens on', async () => {
    const [first, second] = [await connected(), await connected()];
    const happened = proxy.cutBefore('xadd', 3);
    await add(first, 'a');
    await add(second, 'b');
    expect(await results([add(second, 'c')])).toEqual(['cut']);
    await happened;
    await add(first, 'd');
    expect(await inStream()).toEqual(['a', 'b', 'd']);
  });

  it('counts from when it was asked for, and other commands do not count', async () => {
    const client = await connected();
    await add(client, 'a');
    const happened = proxy.cutBefore('xadd', 2);
    await client.xlen('events');
    await add(client, 'b');
    expect(await results([client.xlen('events'), add(client, 'c')])).toEqual([2, 'cut']);
    await happened;
    expect(await inStream()).toEqual(['a', 'b']);
  });

  it('tells subcommands apart', async () => {
    const client = await connected();
    const happened = proxy.cutBefore('XGROUP CREATE', 2);
    await client.xgroup('CREATE', 'events', 'one', '$', 'MKSTREAM');
    await client.xgroup('SETID', 'events', 'one', '0');
    expect(await results([client.xgroup('CREATE', 'events', 'two', '$')])).toEqual(['cut']);
    await happened;
    expect(await server.redis.xinfo('GROUPS', 'events')).toHaveLength(1);
  });

  it('of EXEC leaves a transaction undone', async () => {
    const client = await connected();
    const happened = proxy.cutBefore('exec', 1);
    expect(await results([client.multi().xadd('events', '*', 'value', 'a').exec()])).toEqual(['cut']);
    await happened;
    expect(await inStream()).toEqual([]);
  });
});

describe('cutAfter', () => {
  it('executes the n-th request and swallows its reply alone; what follows is never executed', async () => {
    const client = await connected();
    const happened = proxy.cutAfter('xadd', 2);
    const ids = await results(addAll(client, ['a', 'b', 'c']));
    await happened;
    expect(ids).toEqual([expect.any(String), 'cut', 'cut']);
    expect(await inStream()).toEqual(['a', 'b']);
  });

  it('works in a pipeline, after replies of other commands and with replies in slices', async () => {
    const client = await connected();
    proxy.slice(3);
    const happened = proxy.cutAfter('xadd', 2);
    const pipeline = client.pipeline().echo('first').xadd('events', '*', 'value', 'a').xrange('events', '-', '+');
    const piped = pipeline.xadd('events', '*', 'value', 'b').echo('last').exec();
    const results = (await piped)!.map(([error, reply]) => (error === null ? reply : 'cut'));
    await happened;
    const id = results[1];
    expect(results).toEqual(['first', expect.any(String), [[id, ['value', 'a']]], 'cut', 'cut']);
    expect(await inStream()).toEqual(['a', 'b']);
  });

  it('waits for the reply of a blocking read: the entry is pending and nobody has it', async () => {
    await server.redis.xgroup('CREATE', 'events', 'g', '$', 'MKSTREAM');
    const client = await connected();
    const happened = proxy.cutAfter('xreadgroup', 1);
    const read = results([client.xreadgroup('GROUP', 'g', 'w1', 'BLOCK', 0, 'STREAMS', 'events', '>')]);
    await until(async () => (await server.redis.info('clients')).includes('blocked_clients:1'), 'the read blocks');
    const id = await server.redis.xadd('events', '*', 'value', 'a');
    expect(await read).toEqual(['cut']);
    await happened;
    expect(await server.redis.xpending('events', 'g')).toEqual([1, id, id, [['w1', '1']]]);
  });

  it.each(['EVALSHA', 'EVAL', 'EXEC'] as const)('executes %s, unanswered', async (command) => {
    const client = await connected();
    const script = "return redis.call('XADD', KEYS[1], '*', 'value', 'a')";
    const sha = String(await client.script('LOAD', script));
    const happened = proxy.cutAfter(command.toLowerCase(), 1);
    const run = {
      EVALSHA: () => client.evalsha(sha, 1, 'events'),
      EVAL: () => client.eval(script, 1, 'events'),
      EXEC: () => client.multi().xadd('events', '*', 'value', 'a').exec(),
    };
    expect(await results([run[command]()])).toEqual(['cut']);
    await happened;
    expect(await inStream()).toEqual(['a']);
  });

  it('lets the first bytes of the reply through when asked to', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    const happened = proxy.cutAfter('echo', 2, {replyBytes: 6});
    socket.write('ECHO one\r\nECHO two\r\nECHO three\r\n');
    await Promise.all([ended, happened]);
    expect(Buffer.concat(chunks).toString()).toBe('$3\r\none\r\n$3\r\ntw');
  });

  it('and cutBefore of the same request: one has it, the other has the next', async () => {
    const after = proxy.cutAfter('xadd', 1);
    const before = proxy.cutBefore('xadd', 1);
    expect(await results([add(await connected(), 'a')])).toEqual(['cut']);
    await after;
    expect(await results([add(await connected(), 'b')])).toEqual(['cut']);
    await before;
    expect(await inStream()).toEqual(['a']);
  });

  it('and cutBefore come due one after the other', async () => {
    const client = await connected();
    const after = proxy.cutAfter('xadd', 1);
    const before = proxy.cutBefore('xadd', 2);
    expect(await results([add(client, 'a')])).toEqual(['cut']);
    await after;
    expect(await results([add(await connected(), 'b')])).toEqual(['cut']);
    await before;
    expect(await inStream()).toEqual(['a']);
  });
});

describe('a cut that cannot happen any more', () => {
  it('is told to who waits for it when the proxy stops', async () => {
    const own = await startProxy(server);
    const waiting = [own.cutBefore('xadd', 1), own.limitReplies(10)];
    await own.stop();
    await expect(waiting[0]).rejects.toThrow('the cut before xadd never came due');
    await expect(waiting[1]).rejects.toThrow('the limit of replies was never reached');
  });

  it('is told when the connection closes first', async () => {
    const client = await connected();
    const cut = proxy.cutAfter('xread', 1);
    void results([client.xread('BLOCK', 0, 'STREAMS', 'events', '$')]);
    await until(async () => (await server.redis.info('clients')).includes('blocked_clients:1'), 'the read blocks');
    client.disconnect();
    await expect(cut).rejects.toThrow('the connection closed before it could be cut after xread');
  });
});
