/** Every kind of connection, against real servers: the right place, user and database, or none. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, test} from 'vitest';
import {isFailure} from '../../src/lib/errors.js';
import {EntryIds} from '../../src/lib/records/entry-ids.js';
import {type ConnectionSettings, StreamClient} from '../../src/lib/stream-client.js';
import {type Addition, addEach} from '../support/adding.js';
import {type RedisServer, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {
  type Certificates,
  makeCertificates,
  pem,
  type RedisCluster,
  type SentinelSet,
  startCluster,
  startListener,
  startSentinelSet,
  startTlsRedis,
} from '../support/topologies.js';

const PASSWORD = 'p@ss:w%20rd';
const inUrl = encodeURIComponent(PASSWORD);

const clients: StreamClient[] = [];
async function connect(url: string, settings: Partial<ConnectionSettings> = {}): Promise<StreamClient> {
  const client = await StreamClient.connect({url, connectTimeoutMs: 4_000, ...settings});
  clients.push(client);
  return client;
}
async function another(client: StreamClient, blockMs?: number): Promise<StreamClient> {
  const second = await client.another(blockMs);
  clients.push(second);
  return second;
}
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** The length of `events` as `streamlog info` tells it, or what it says instead. */
async function lengthAt(args: string[], env: Record<string, string> = {}): Promise<number | string> {
  const {code, stdout, stderr} = await streamlog(['info', ...args], {env});
  return code === 0 ? JSON.parse(stdout).length : `${code}: ${stderr}`;
}

const numbered = (stream: string, from: number, count: number): Addition[] =>
  Array.from({length: count}, (_, index) => ({stream, fields: [['n', String(from + index)]]}));

describe.each(serverPrograms())('one server, $name', ({program}) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({program, tcp: true});
    await server.redis.xadd('events', '*', 'in', 'db 0');
    const inThree = server.redis.duplicate({db: 3});
    for (const n of [1, 2, 3]) await inThree.xadd('events', '*', 'n', n);
    inThree.disconnect();
  });
  afterAll(() => server.stop());

  test('redis:// reaches its port, and database 0 unless another is named', async () => {
    expect(await lengthAt(['--url', `redis://127.0.0.1:${server.port}`])).toBe(1);
    expect(await lengthAt(['--url', `redis://localhost:${server.port}/3`])).toBe(3);
    expect(await lengthAt([], {REDIS_URL: `redis://127.0.0.1:${server.port}/3`})).toBe(3);
  });

  test('unix:// reaches its socket, and database 0 unless another is named', async () => {
    const socket = `unix://${server.directory}/redis.sock`;
    expect(await lengthAt(['--url', socket])).toBe(1);
    expect(await lengthAt([], {STREAMLOG_URL: `${socket}?db=3`})).toBe(3);
  });

  test('a database that the server lacks ends in a failure, not in database 0', async () => {
    const result = await streamlog(['trim', '--maxlen', '0', '--url', `redis://127.0.0.1:${server.port}/99`]);
    expect(result).toMatchObject({code: 78, stdout: '', stderr: expect.stringContaining('no database of this number')});
    expect(await server.redis.xlen('events')).toBe(1);
  });

  test('a password that the server does not ask for is no reason to say anything', async () => {
    const {code, stderr} = await streamlog(['info', '--url', `redis://:any@127.0.0.1:${server.port}`]);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
  });

  test('the connection is called streamlog in CLIENT LIST', async () => {
    await connect(server.url);
    expect(await server.redis.client('LIST')).toContain('name=streamlog ');
  });

  test('a read that blocks does not hold up another connection', async () => {
    const client = await connect(server.url);
    await client.createGroup('waiting', 'g', '0', true);
    const reader = await another(client, 20_000);
    const entries = reader.readNew({stream: 'waiting', group: 'g', consumer: 'c'}, {count: 1, blockMs: 20_000});
    await until(async () => String(await server.redis.client('LIST')).includes('cmd=xreadgroup'), 'the reader waits');
    await client.add('waiting', [['n', '1']]);
    expect((await entries).records).toHaveLength(1);
  });
});

describe.each(serverPrograms())('user and password, $name', ({program}) => {
  let server: RedisServer;
  let url: string;
  let directory: string;
  beforeAll(async () => {
    server = await startRedis({program, tcp: true});
    url = `redis://127.0.0.1:${server.port}`;
    await server.redis.xadd('events', '*', 'a', '1');
    await server.redis.call('ACL', 'SETUSER', 'app', 'on', `>${PASSWORD}`, '~*', '+@all', '-client');
    await server.redis.config('SET', 'requirepass', `default ${PASSWORD}`);
    directory = mkdtempSync(join(tmpdir(), 'streamlog-secret-'));
    writeFileSync(join(directory, 'app'), `${PASSWORD}\n`);
    writeFileSync(join(directory, 'default'), `default ${PASSWORD}`);
  });
  afterAll(async () => {
    rmSync(directory, {recursive: true, force: true});
    await server.stop();
  });

  test('in the URL', async () => {
    expect(await lengthAt(['--url', `redis://:default%20${inUrl}@127.0.0.1:${server.port}`])).toBe(1);
    expect(await lengthAt(['--url', `redis://app:${inUrl}@127.0.0.1:${server.port}`])).toBe(1);
    expect(await lengthAt(['--url', `unix://app:${inUrl}@${server.directory}/redis.sock`])).toBe(1);
  });

  test('in the environment', async () => {
    const env = {STREAMLOG_URL: url, STREAMLOG_PASSWORD: PASSWORD};
    expect(await lengthAt([], {...env, STREAMLOG_USERNAME: 'app'})).toBe(1);
    expect(await lengthAt(['--username', 'app'], env)).toBe(1);
    expect(await lengthAt([], env)).toMatch(/^77: /);
  });

  test('in a file, whose last newline is not part of it', async () => {
    const app = join(directory, 'app');
    expect(await lengthAt(['--url', url, '--username', 'app', '--password-file', app])).toBe(1);
    expect(await lengthAt(['--url', url], {STREAMLOG_PASSWORD_FILE: join(directory, 'default')})).toBe(1);
    expect(await lengthAt(['--url', url, '--password-file', '/nonexistent'])).toMatch(/^78: /);
  });

  test('what is given beside the URL wins over what is in it', async () => {
    expect(await lengthAt(['--url', `redis://x:wrong@127.0.0.1:${server.port}`, '--username', 'app'])).toMatch(/^77: /);
    const env = {STREAMLOG_PASSWORD: PASSWORD, STREAMLOG_USERNAME: 'app'};
    expect(await lengthAt(['--url', `redis://x:wrong@127.0.0.1:${server.port}`], env)).toBe(1);
  });
});

describe('TLS', () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates.remove());

  describe.each(serverPrograms())('$name', ({program}) => {
    let server: RedisServer;
    let strict: RedisServer;
    let expired: RedisServer;
    let otherName: RedisServer;
    let plain: RedisServer;
    beforeAll(async () => {
      const options = {program};
      [server, strict, expired, otherName, plain] = await Promise.all([
        startTlsRedis(certificates, certificates.server, options),
        startTlsRedis(certificates, certificates.server, {...options, clientCertificates: 'yes'}),
        startTlsRedis(certificates, certificates.expired, options),
        startTlsRedis(certificates, certificates.otherName, options),
        startRedis({program, tcp: true}),
      ]);
      for (const each of [server, strict, expired, otherName, plain]) await each.redis.xadd('events', '*', 'a', '1');
    });
    afterAll(() => Promise.all([server, strict, expired, otherName, plain].map((each) => each.stop())));

    test('a certificate of a trusted authority is accepted, by address and by name', async () => {
      const {ca} = certificates;
      expect(await lengthAt(['--url', server.url, '--cacert', ca])).toBe(1);
      expect(await lengthAt(['--url', `rediss://localhost:${server.port}`, '--cacert', ca])).toBe(1);
    });

    test('--cacert turns TLS on by itself', async () => {
      expect(await lengthAt(['--url', `redis://127.0.0.1:${server.port}`, '--cacert', certificates.ca])).toBe(1);
    });

    test('our own certificate is shown to a server that wants one', async () => {
      const {ca, client} = certificates;
      const args = ['--url', strict.url, '--cacert', ca];
      expect(await lengthAt([...args, '--cert', client.cert, '--key', client.key])).toBe(1);
      expect(await lengthAt(args)).toMatch(/^69: .*requires a client certificate/);
    });

    test('F31 a certificate that is not good is refused, and said why', async () => {
      const {ca, otherCa} = certificates;
      expect(await lengthAt(['--url', server.url])).toMatch(/^69: .*not signed by an authority/);
      expect(await lengthAt(['--url', server.url, '--cacert', otherCa])).toMatch(/^69: .*not signed by an authority/);
      expect(await lengthAt(['--url', expired.url, '--cacert', ca])).toMatch(/^69: .*expired/);
      expect(await lengthAt(['--url', otherName.url, '--cacert', ca])).toMatch(/^69: .*another name/);
    });

    test('files that hold no certificate, or not the key of it, are mistakes in the configuration', async () => {
      const {ca, client, server: pair} = certificates;
      expect(await lengthAt(['--url', server.url, '--cacert', import.meta.filename])).toMatch(/^78: .*--cacert/);
      const args = ['--url', strict.url, '--cacert', ca, '--cert', client.cert, '--key', pair.key];
      expect(await lengthAt(args)).toMatch(/^78: .*TLS/);
    });

    test('a plain server is not reached by rediss://, nor a TLS server by redis://', async () => {
      const toPlain = ['--url', `rediss://127.0.0.1:${plain.port}`, '--connect-timeout', '500ms'];
      expect(await lengthAt(toPlain)).toMatch(/^69: (.|\n)*TLS/);
      expect(await lengthAt(['--url', `redis://127.0.0.1:${server.port}`])).toMatch(/^69: (.|\n)*TLS/);
    });
  });

  test('nothing but TLS is sent where TLS was asked for, a password least of all', async () => {
    const listener = await startListener();
    const url = `rediss://:${inUrl}@127.0.0.1:${listener.port}`;
    expect(await lengthAt(['--url', url, '--connect-timeout', '500ms'])).toMatch(/^69: /);
    const received = listener.received();
    expect(received[0]).toBe(22);
    expect(received.includes(PASSWORD)).toBe(false);
    expect(received.includes('AUTH')).toBe(false);
    await listener.stop();
  });

  test('a cluster and its reasons are reached over TLS too', async () => {
    const cluster = await startCluster({certificates, password: PASSWORD});
    try {
      const settings = {password: PASSWORD, tls: {ca: pem(certificates.ca)}};
      const client = await connect(cluster.url, settings);
      const results = await addEach(client, [...numbered('a', 0, 5), ...numbered('b', 0, 5), ...numbered('c', 0, 5)]);
      expect(results.every((outcome) => typeof outcome === 'string')).toBe(true);
      await expect(connect(cluster.url, {...settings, password: 'wrong'})).rejects.toMatchObject({kind: 'denied'});
      await expect(connect(cluster.url, {...settings, password: undefined})).rejects.toMatchObject({kind: 'denied'});
      const otherCa = {ca: pem(certificates.otherCa)};
      await expect(connect(cluster.url, {...settings, tls: otherCa})).rejects.toMatchObject({
        kind: 'unreachable',
        message: expect.stringContaining('not signed by an authority'),
      });
    } finally {
      await cluster.stop();
    }
  });
});

describe.each(serverPrograms())('Cluster, $name', ({program}) => {
  // Each in a slot of another master.
  const STREAMS = ['a', 'b', 'c'];
  const group = 'g';
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({program});
    expect(new Set(await Promise.all(STREAMS.map((stream) => cluster.nodeOf(stream)))).size).toBe(3);
  });
  afterEach(() => Promise.all(cluster.nodes.map(({redis}) => redis.flushall())));
  afterAll(() => cluster.stop());

  test('commands find their way by the stream, whatever the command', async () => {
    for (const {redis} of cluster.nodes) await redis.config('RESETSTAT');
    const client = await connect(cluster.url);
    for (const stream of STREAMS) {
      const member = {stream, group, consumer: 'c'};
      expect(await client.createGroup(stream, group, '0', true)).toBe(true);
      const first = await client.add(stream, [['n', '1']]);
      await client.add(stream, [['n', '2']]);
      expect(await client.length(stream)).toBe(2);
      expect((await client.readNew(member, {count: 10})).ids.texts).toContain(first);
      expect(await client.acknowledge(stream, group, EntryIds.of([first!]))).toBe(1);
      expect(await client.pendingSummary(stream, group)).toMatchObject({count: 1});
      const [left] = await client.readPending(member, '0', 10);
      expect(await client.claim({...member, consumer: 'd'}, 0, [left!.id])).toHaveLength(1);
      expect(await client.consumers(stream, group)).toHaveLength(2);
      expect(await client.info(stream)).toMatchObject({length: 2, groups: 1});
      expect(await client.bytes(stream)).toBeGreaterThan(0);
      expect(await client.trim(stream, {kind: 'maxLen', maxLen: 1, approximate: false})).toBe(1);
      await client.setGroup(stream, group, '0');
      expect(await client.pendingEntry(member, left!.id)).toMatchObject({consumer: 'd'});
      expect(await client.destroyGroup(stream, group)).toBe(true);
    }
    await addEach(
      client,
      STREAMS.flatMap((stream) => numbered(stream, 0, 2)),
    );
    // Not by asking the wrong node first.
    for (const {redis} of cluster.nodes) expect(await redis.info('errorstats')).not.toContain('MOVED');
  });

  test('a database other than 0 is used where the server has it, and else refused as the server does', async () => {
    const {nodes} = cluster;
    const [, databases] = (await nodes[0]!.redis.config('GET', 'cluster-databases')) as string[];
    if (databases === undefined) {
      const {code, stderr} = await streamlog(['info', '--url', `${cluster.url}/1`]);
      expect({code, stderr}).toEqual({code: 78, stderr: expect.stringContaining('no database but 0')});
      return;
    }
    const several = await startCluster({program, args: ['--cluster-databases', '4']});
    try {
      const url = `${several.url}/3`;
      const added = await streamlog(['produce', '--stream', 'a', 'n=1', '--url', url]);
      expect(added.code, added.stderr).toBe(0);
      const client = await connect(url);
      await client.add('a', [['n', '2']]);
      expect(await client.length('a')).toBe(2);
      expect(await (await connect(several.url)).length('a')).toBe(0);
      await expect(connect(`${several.url}/9`)).rejects.toMatchObject({kind: 'configuration'});
    } finally {
      await several.stop();
    }
  });

  test('the executable does too', async () => {
    for (const stream of STREAMS) await (await cluster.nodeOf(stream)).redis.xadd(stream, '*', 'a', '1');
    const {code, stdout, stderr} = await streamlog(['info', ...STREAMS.flatMap((stream) => ['-s', stream])], {
      env: {STREAMLOG_URL: cluster.url},
    });
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    const trimmed = await streamlog(['trim', '-s', 'b', '--maxlen', '0', '--url', cluster.url]);
    expect(trimmed.code).toBe(0);
    expect(await (await cluster.nodeOf('b')).redis.xlen('b')).toBe(0);
  });

  test('the streams of all masters are listed', async () => {
    const client = await connect(cluster.url);
    await addEach(
      client,
      STREAMS.flatMap((stream) => numbered(stream, 0, 1)),
    );
    const found: string[] = [];
    for await (const names of client.server.streams()) found.push(...names.map(String));
    expect(found.sort()).toEqual(STREAMS);
  });

  test('commands given at once, before any node is connected, all arrive', async () => {
    const client = await connect(cluster.url);
    const records = Array.from({length: 60}, (_, index) => numbered(STREAMS[index % 3]!, index, 1)[0]!);
    const single = await Promise.all(records.map(({stream, fields}) => client.add(stream, fields)));
    expect(single.every((id) => id !== undefined)).toBe(true);

    const fresh = await another(client);
    const outcomes = await addEach(fresh, records);
    expect(outcomes.filter((outcome) => typeof outcome !== 'string')).toEqual([]);
  });

  test('one startup node is enough, and one that is down or silent is passed over', async () => {
    const {port} = cluster.nodes[2]!;
    const silent = await startListener();
    await connect(`redis+cluster://127.0.0.1:${port}`);
    await connect(`redis+cluster://127.0.0.1:1,127.0.0.1:${port}`);
    await connect(`redis+cluster://127.0.0.1:${silent.port},127.0.0.1:${port}`, {connectTimeoutMs: 1_500});
    await silent.stop();
  });

  test('F30 reads block on every node', async () => {
    const client = await connect(cluster.url);
    for (const stream of STREAMS) {
      await client.createGroup(stream, group, '0', true);
      const reader = await another(client, 20_000);
      const {redis} = await cluster.nodeOf(stream);
      const entries = reader.readNew({stream, group, consumer: 'c'}, {count: 1, blockMs: 20_000});
      await until(async () => String(await redis.client('LIST')).includes('cmd=xreadgroup'), 'the reader waits');
      await client.add(stream, [['n', '1']]);
      expect((await entries).records).toHaveLength(1);
    }
  });

  test('nothing is lost, doubled or reordered while the slot of a stream moves', async () => {
    const client = await connect(cluster.url);
    await client.add('a', [['n', '-1']]);
    let arrived = 0;
    const moving = (async () => {
      for (let moves = 0; moves < 20; moves++) {
        const holder = cluster.nodes.indexOf(await cluster.nodeOf('a'));
        await cluster.moveSlot('a', cluster.nodes[(holder + 1) % 3]!);
        // A cluster whose slot moves faster than its nodes can tell each other serves nobody.
        const before = arrived;
        await until(() => arrived > before, 'entries arrive where the slot is now');
      }
    })();
    let isMoving = true;
    const stop = (): void => {
      isMoving = false;
    };
    moving.then(stop, stop);
    const underWay: Promise<unknown>[] = [];
    let sent = 0;
    while (isMoving) {
      const batch = addEach(client, numbered('a', sent, 20)).then((outcomes) => {
        expect(outcomes.filter((outcome) => typeof outcome !== 'string')).toEqual([]);
        arrived += outcomes.length;
      });
      sent += 20;
      underWay.push(batch);
      if (underWay.length >= 8) await underWay.shift();
    }
    await Promise.all([moving, ...underWay]);

    const numbers: number[] = [];
    for await (const entries of (await another(client)).range('a')) {
      for (const {fields} of entries) numbers.push(Number(String(fields[0]![1])));
    }
    expect(numbers).toEqual(Array.from({length: sent + 1}, (_, index) => index - 1));
  });

  test('a waiting reader follows its stream to another node, or is told to read again', async () => {
    const client = await connect(cluster.url);
    await client.createGroup('a', group, '0', true);
    const from = await cluster.nodeOf('a');
    const to = cluster.nodes.find((node) => node !== from)!;
    const reader = await another(client, 20_000);
    const read = () => reader.readNew({stream: 'a', group, consumer: 'c'}, {count: 1, blockMs: 20_000});
    const entries = read().catch((error) => (isFailure(error, 'temporary') ? read() : Promise.reject(error)));
    await until(async () => String(await from.redis.client('LIST')).includes('cmd=xreadgroup'), 'the reader waits');
    await cluster.moveSlot('a', to);
    await client.add('a', [['n', '1']]);
    expect((await entries).records).toHaveLength(1);
  });

  test('one node reached as a single server names the right URL for streams of other nodes', async () => {
    const node = await cluster.nodeOf('a');
    // Of these two, which live on two nodes, one lives elsewhere.
    const other = (await cluster.nodeOf('b')) === node ? 'c' : 'b';
    expect(await streamlog(['info', '-s', other, '--url', `redis://127.0.0.1:${node.port}`])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('redis+cluster://'),
    });
    expect(await streamlog(['info', '-s', 'a', '--url', `redis://127.0.0.1:${node.port}/3`])).toMatchObject({code: 78});
  });

  test('a server that is no cluster is called so', async () => {
    const alone = await startRedis({program, tcp: true});
    const {code, stderr} = await streamlog(['info', '--url', `redis+cluster://127.0.0.1:${alone.port}`]);
    await alone.stop();
    expect({code, stderr}).toMatchObject({code: 78, stderr: expect.stringContaining('not part of a cluster')});
  });
});

describe.each(serverPrograms())('Sentinel, $name', ({program}) => {
  let set: SentinelSet;
  beforeAll(async () => {
    set = await startSentinelSet({program});
  });
  afterAll(() => set.stop());

  test('the master that the sentinels name is used, with the database of the URL', async () => {
    await (await connect(set.url)).add('events', [['n', '1']]);
    expect(await set.master.redis.xlen('events')).toBe(1);
    expect(await lengthAt(['--url', set.url])).toBe(1);
    await (await connect(set.url.replace(/\/0$/, '/3'))).add('in-three', [['n', '1']]);
    expect(await set.master.redis.xlen('in-three')).toBe(0);
  });

  test('sentinels that are down, silent or no sentinels are passed over', async () => {
    const silent = await startListener();
    const bad = [1, silent.port, set.master.port].map((port) => `127.0.0.1:${port}`);
    const url = `redis+sentinel://${[...bad, `127.0.0.1:${set.sentinelPort}`].join(',')}/mymaster`;
    await connect(url, {connectTimeoutMs: 2_500});
    await silent.stop();
  });

  test('an unknown master, and what is no sentinel, are mistakes in the configuration', async () => {
    await expect(connect(set.url.replace('mymaster', 'other'))).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('no master of this name'),
    });
    await expect(connect(`redis+sentinel://127.0.0.1:${set.master.port}/mymaster`)).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('not a sentinel'),
    });
  });

  test('F27 without a sentinel there is no connection', async () => {
    await expect(connect('redis+sentinel://127.0.0.1:1/mymaster')).rejects.toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
    });
  });

  // The last one: it leaves the set with one server less.
  test('after the master was killed, what was under way fails and new connections reach the new master', async () => {
    const client = await connect(set.url);
    const reader = await another(client, 20_000);
    await client.createGroup('failover', 'g', '0', true);
    const waiting = reader.readNew({stream: 'failover', group: 'g', consumer: 'c'}, {count: 1, blockMs: 20_000});
    await until(async () => (await set.replica.redis.exists('failover')) === 1, 'the replica has the group');
    await until(async () => String(await set.master.redis.client('LIST')).includes('cmd=xreadgroup'), 'it waits');

    set.master.process.kill('SIGKILL');
    await expect(waiting).rejects.toMatchObject({kind: 'unreachable'});
    await expect(client.add('failover', [['n', '0']])).rejects.toMatchObject({kind: 'unreachable'});
    await set.untilMasterIs(set.replica);

    const successor = await another(client, 20_000);
    await successor.add('failover', [['n', '1']]);
    expect(await set.replica.redis.xlen('failover')).toBe(1);
    const again = successor.readNew({stream: 'failover', group: 'g', consumer: 'c'}, {count: 1, blockMs: 20_000});
    expect((await again).records).toHaveLength(1);
    expect(await lengthAt(['--url', set.url, '-s', 'failover'])).toBe(1);
  });
});

test('of several sentinels, one that refuses says more than one that is down', async () => {
  const set = await startSentinelSet({password: PASSWORD, sentinelPassword: PASSWORD});
  try {
    const url = `redis+sentinel://127.0.0.1:1,127.0.0.1:${set.sentinelPort}/mymaster`;
    await expect(connect(url, {password: 'wrong'})).rejects.toMatchObject({kind: 'denied'});
    await connect(url, {password: PASSWORD});
  } finally {
    await set.stop();
  }
});

test('a password reaches a server behind sentinels, whether or not the sentinels want it too', async () => {
  for (const sentinelPassword of [undefined, PASSWORD]) {
    const set = await startSentinelSet({password: PASSWORD, sentinelPassword});
    try {
      await (await connect(set.url, {password: PASSWORD})).add('events', [['n', '1']]);
      await expect(connect(set.url, {password: 'wrong'})).rejects.toMatchObject({kind: 'denied'});
      await expect(connect(set.url)).rejects.toMatchObject({kind: 'denied'});
    } finally {
      await set.stop();
    }
  }
});
