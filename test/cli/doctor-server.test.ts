/** `doctor` on servers: each finding in a scene that has it and nothing else, its commands as they are printed, and no false alarm. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {type AddressInfo, connect, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {SAVED, SERVER_SCENES, type ServerScene} from '../support/doctor-server-scenes.js';
import {type FoundFinding, pasteForAll} from '../support/findings.js';
import {jsonLines} from '../support/json-lines.js';
import {type RedisServer, serverPrograms, startRedis, userUrl} from '../support/redis-server.js';
import {type RunOptions, streamlog} from '../support/run-cli.js';
import {type RedisCluster, startCluster} from '../support/topologies.js';

const {paste} = pasteForAll();

async function findings(url: string, args: string[] = [], options: RunOptions = {}): Promise<FoundFinding[]> {
  const {code, stdout, stderr} = await streamlog(['doctor', '--json', '-u', url, ...args], options);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return jsonLines<FoundFinding>(stdout);
}

const ids = (found: readonly FoundFinding[]): string[] => found.map(({id}) => id);

async function withServers<T>(started: Promise<RedisServer[]>, work: (server: RedisServer) => Promise<T>): Promise<T> {
  const servers = await started;
  try {
    return await work(servers[0]!);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

describe.concurrent.each(SERVER_SCENES)('$id, $what', ({id, start, mends}: ServerScene) => {
  it('is found, and nothing else', async () => {
    await withServers(start(), async ({url}) => {
      const found = await findings(url);

      expect(found).toMatchObject([{id, stream: null}]);
      expect(found[0]!.mend).toHaveLength(mends);
      for (const line of found[0]!.look) expect(await paste(line)).toMatchObject({code: 0, stderr: ''});
    });
  });

  it.each(Array.from({length: mends}, (_, at) => at))('is mended by command %i, as it is printed', async (at) => {
    await withServers(start(), async ({url}) => {
      const [found] = await findings(url);

      expect(await paste(found!.mend[at]!)).toMatchObject({code: 0, stdout: 'OK\n', stderr: ''});

      expect(await findings(url)).toEqual([]);
    });
  });
});

describe('a command that is printed', () => {
  it('reaches a socket', async () => {
    const server = await startRedis();
    try {
      const [found] = await findings(server.url);

      expect(found!.mend[0]).toContain(` -s ${server.url.replace('unix://', '')} `);
      expect(await paste(found!.mend[0]!)).toMatchObject({stdout: 'OK\n'});
      expect(await findings(server.url)).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  it('has no password, and finds it where streamlog does', async () => {
    const server = await startRedis({tcp: true, password: 'zQ9x'});
    const env = {STREAMLOG_PASSWORD: 'zQ9x'};
    try {
      const [found] = await findings(server.url, [], {env});

      expect(JSON.stringify(found)).not.toContain('zQ9x');
      expect(await paste(found!.mend[0]!, {env})).toMatchObject({stdout: 'OK\n'});
      expect(await findings(server.url, [], {env})).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

describe.each(serverPrograms())('a server as it is installed: $name', ({program}) => {
  it('has nothing, empty and in use', async () => {
    const server = await startRedis({program, args: SAVED});
    try {
      expect(await findings(server.url)).toEqual([]);
      await server.redis.xadd('orders', '*', 'n', '1');
      await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
      await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 10, 'STREAMS', 'orders', '>');
      expect(await findings(server.url)).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

it('has nothing against the private server', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-doctor-'));
  const options = {env: {XDG_STATE_HOME: directory}};
  try {
    await streamlog(['local', 'start'], options);
    expect(await streamlog(['doctor', '--json'], options)).toMatchObject({code: 0, stdout: '', stderr: ''});
  } finally {
    await streamlog(['local', 'stop'], options);
    rmSync(directory, {recursive: true, force: true});
  }
});

it('knows the bugs of the version that answers', async () => {
  const server = await startRedis({tcp: true, args: SAVED});
  const older = await startOlder(server);
  try {
    const found = await findings(older.url);

    expect(found.map(({id, seen}) => [id, seen.bug, seen.fixed])).toEqual([
      ['D25', 'CVE-2025-62507', '8.2.3'],
      ['D25', 'redis/redis#14656', '8.2.7'],
    ]);
    expect(found[0]!.what).toBe('Redis 8.2.01 has CVE-2025-62507, which 8.2.3 has not');
  } finally {
    await older.stop();
    await server.stop();
  }
});

/** The same server for clients, but for the version that INFO says: it is as long, so all else stays as it is. */
async function startOlder({redis, port}: RedisServer): Promise<{url: string; stop(): Promise<void>}> {
  const version = /redis_version:([\d.]+)/.exec(await redis.info('server'))![1]!;
  const older = `8.2.${'1'.padStart(version.length - 4, '0')}`;
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      const text = chunk.toString('latin1').replace(`redis_version:${version}`, `redis_version:${older}`);
      client.write(text, 'latin1');
    });
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const url = `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {url, stop: () => new Promise((resolve) => proxy.close(() => resolve()))};
}

it('says what a user may not ask, and finds the rest', async () => {
  const server = await startRedis({args: ['--maxmemory', '200mb', '--maxmemory-policy', 'allkeys-lru']});
  try {
    const url = await userUrl(server, '~*', '+@read', '+ping', '+info', '+time', '-@write');
    const {code, stdout, stderr} = await streamlog(['doctor', '--json', '-u', url]);

    expect(code).toBe(0);
    expect(ids(jsonLines<FoundFinding>(stdout))).toEqual(['D20']);
    expect(stderr).toContain('D21, D22, D24, D26, D27 not looked for: ');
    expect(stderr).toContain('D28 not looked for: ');
  } finally {
    await server.stop();
  }
});

describe('a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({args: SAVED});
  });
  afterAll(() => cluster.stop());

  it('has nothing, as it is installed', async () => {
    expect(await findings(cluster.url)).toEqual([]);
  });

  it('is named node by node, and mended so', async () => {
    await cluster.nodes[1]!.redis.config('SET', 'save', '');

    const found = await findings(cluster.url);

    const node = `127.0.0.1:${cluster.nodes[1]!.port}`;
    expect(found).toMatchObject([{id: 'D21', seen: {node}, what: expect.stringContaining(` on ${node}`)}]);
    expect(await paste(found[0]!.mend[1]!)).toMatchObject({stdout: 'OK\n'});
    expect(await findings(cluster.url)).toEqual([]);
  });

  it('has a slot that gets nearly all adds', async () => {
    const {redis} = await cluster.nodeOf('orders');
    let isOver = false;
    const adding = (async () => {
      while (!isOver) {
        const pipeline = redis.pipeline();
        for (let n = 0; n < 100; n++) pipeline.xadd('orders', 'MAXLEN', '~', 1_000, '*', 'n', String(n));
        await pipeline.exec();
      }
    })();
    try {
      const found = await findings(cluster.url, ['--only', 'D18']);
      expect(found).toMatchObject([{id: 'D18', seen: {streams: ['orders'], percent: 100}, mend: []}]);
      expect(await paste(found[0]!.look[0]!)).toMatchObject({code: 0, stderr: ''});
    } finally {
      isOver = true;
      await adding;
      await redis.del('orders');
    }
  });

  it('has a dead letter stream in another slot, as the configuration names it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'streamlog-doctor-'));
    const file = join(directory, 'config.toml');
    const env = {STREAMLOG_CONFIG: file};
    try {
      writeFileSync(file, '[defaults.consume]\nstream = "orders"\ndead-letter = "failed"\n', {mode: 0o600});
      expect(await findings(cluster.url, [], {env})).toMatchObject([
        {id: 'D19', stream: 'orders', seen: {deadLetter: 'failed', at: `${file}:3`}, mend: []},
      ]);
      writeFileSync(file, '[defaults.consume]\nstream = "orders"\ndead-letter = "{orders}:failed"\n');
      expect(await findings(cluster.url, [], {env})).toEqual([]);
    } finally {
      rmSync(directory, {recursive: true, force: true});
    }
  });

  it('is looked at as far as it answers', async () => {
    await cluster.nodes[2]!.stop();

    const {code, stdout, stderr} = await streamlog(['doctor', '--json', '-u', cluster.url]);

    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('not looked for');
  });
});
