/** The addresses, names and credentials by which servers are reached when they are not what the user typed. */

import {join} from 'node:path';
import {createServer} from 'node:tls';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type RedisServer, startRedis} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, shell, streamlog} from '../support/run-cli.js';
import {
  type Certificates,
  makeCertificates,
  pem,
  type RedisCluster,
  startCluster,
  startSentinelSet,
  startTlsRedis,
} from '../support/topologies.js';

const PACKAGE = `"${process.execPath}" "${join(import.meta.dirname, '../../bin/run.js')}"`;
const RUNTIMES = [
  {runtime: 'the executable', program: `"${EXECUTABLE}"`},
  {runtime: 'the package under Node', program: PACKAGE},
];

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());

describe.each(RUNTIMES)('$runtime', ({program}) => {
  const run = (args: string, env?: Record<string, string>): Promise<Finished> => shell(`${program} ${args}`, {env});

  /** The server name that TLS asks for when `args` connect to it, '' where it asks for none. */
  async function serverNameOf(args: (port: number) => string): Promise<string> {
    const names: string[] = [];
    const {cert, key} = certificates.server;
    const server = createServer({cert: pem(cert), key: pem(key)}, (socket) => {
      names.push(typeof socket.servername === 'string' ? socket.servername : '');
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const {port} = server.address() as {port: number};
    await run(`info --connect-timeout 2s --retry-for 100ms --cacert ${certificates.ca} ${args(port)}`);
    server.close();
    return names[0] ?? 'no connection';
  }

  it('asks for the host of the URL by name, and for none where that is an address', async () => {
    const names = Promise.all([
      serverNameOf((port) => `-u rediss://localhost:${port}`),
      serverNameOf((port) => `-u rediss://127.0.0.1:${port}`),
      serverNameOf((port) => `-u valkeys+sentinel://localhost:${port}/m`),
      serverNameOf((port) => `-u rediss+cluster://localhost:${port}`),
    ]);
    expect(await names).toEqual(['localhost', '', 'localhost', 'localhost']);
  });

  it('asks for the name of --sni, and holds the certificate to it', async () => {
    const server = await startTlsRedis(certificates, certificates.otherName);
    await server.redis.xadd('events', '1-0', 'a', '1');
    const where = `range -u redis://127.0.0.1:${server.port} --cacert ${certificates.ca}`;

    expect(await run(`${where} --sni redis.example`)).toMatchObject({code: 0, stdout: expect.stringContaining('1-0')});
    expect(await run(`${where} --sni other.example`)).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('another name'),
    });
    // Told by the handshake itself, which the certificate above would end.
    expect(await serverNameOf((port) => `-u redis://127.0.0.1:${port} --sni localhost`)).toBe('localhost');
    await server.stop();
  });
});

describe('a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
    for (const {redis} of cluster.nodes)
      await redis.config('SET', 'cluster-preferred-endpoint-type', 'unknown-endpoint');
  });
  afterAll(() => cluster.stop());
  const all = async (stream: string): Promise<number> => (await cluster.nodeOf(stream)).redis.xlen(stream);

  it('that announces no hosts is reached by the host that was asked', async () => {
    const url = cluster.url;
    for (const stream of ['a', 'b', 'c', 'd']) {
      const produced = await shell(`seq 50 | streamlog produce --input text -s ${stream} -u ${url}`);
      expect(produced).toMatchObject({code: 0});
      expect(await all(stream)).toBe(50);
      const consumed = await streamlog(['consume', '-s', stream, '-u', url, '--exit']);
      expect(consumed.stdout.trimEnd().split('\n')).toHaveLength(50);
    }
    const listed = await streamlog(['ls', '-u', url]);
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(4);
  });

  it('that has no host name to announce is reached by the host that was asked', async () => {
    for (const {redis} of cluster.nodes) await redis.config('SET', 'cluster-preferred-endpoint-type', 'hostname');
    const listed = await streamlog(['ls', '-u', cluster.url]);
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(4);
    const read = await streamlog(['range', '-s', 'a', '-n', '1', '-u', cluster.url]);
    expect(read).toMatchObject({code: 0, stdout: expect.stringContaining('"stream":"a"')});
  });

  it('whose addresses cannot be reached from here is reached by those of --map-address', async () => {
    const announced = ['192.0.2.1:7001', '192.0.2.1:7002', '192.0.2.1:7003'];
    for (const [index, {redis}] of cluster.nodes.entries()) {
      await redis.config('SET', 'cluster-preferred-endpoint-type', 'ip');
      await redis.config('SET', 'cluster-announce-ip', '192.0.2.1');
      await redis.config('SET', 'cluster-announce-port', 7001 + index);
    }
    const maps = cluster.nodes.flatMap(({port}, index) => ['--map-address', `${announced[index]}=127.0.0.1:${port}`]);
    const url = `redis+cluster://127.0.0.1:${cluster.nodes[0]!.port}`;

    const before = await all('b');
    expect(await streamlog(['produce', '-s', 'b', 'n=1', '-u', url, ...maps])).toMatchObject({code: 0});
    expect(await all('b')).toBe(before + 1);
    expect((await streamlog(['ls', '-u', url, ...maps])).stdout.trimEnd().split('\n')).toHaveLength(4);
  });
});

it('--map-address is held to its form', async () => {
  for (const text of ['a:1', 'a=b', 'a:1=b', 'a:1=b:2=c:3', '=', 'a:1=:2', 'a:x=b:1']) {
    const {code, stderr} = await streamlog(['info', '--map-address', text]);
    expect(stderr, text).toContain('--map-address takes ANNOUNCED=REACHABLE');
    expect(code).toBe(2);
  }
});

describe('sentinels with a user and a password of their own', () => {
  it('get them from flags, variables or the URL, and the server gets its own', async () => {
    const set = await startSentinelSet({password: 'of the server'});
    await set.sentinel.call('ACL', 'SETUSER', 'watcher', 'on', '>of the sentinels', '+@all', '~*', '&*');
    await set.sentinel.call('ACL', 'SETUSER', 'default', 'off');
    const file = `${certificates.directory}/sentinel-password`;
    const env = {STREAMLOG_PASSWORD: 'of the server\n'};
    try {
      const expectInfo = async (args: string[], more: Record<string, string> = {}): Promise<void> => {
        const {code, stderr} = await streamlog(['ls', ...args], {env: {...env, ...more}});
        expect([code, stderr]).toEqual([0, '']);
      };
      await shell(`umask 077; printf 'of the sentinels\\n' > ${file}`);
      await expectInfo(['-u', set.url, '--sentinel-username', 'watcher', '--sentinel-password-file', file]);
      await expectInfo(['-u', set.url], {
        STREAMLOG_SENTINEL_USERNAME: 'watcher',
        STREAMLOG_SENTINEL_PASSWORD: 'of the sentinels',
      });
      const query = 'sentinel_username=watcher&sentinel_password=of%20the%20sentinels';
      await expectInfo(['-u', `${set.url}?${query}`]);

      const refused = await streamlog(['ls', '-u', `${set.url}?sentinel_username=watcher&sentinel_password=wrong`], {
        env,
      });
      expect(refused.code).toBe(77);
      expect(refused.stderr).not.toContain('wrong');
    } finally {
      await set.stop();
    }
  });
});

describe('what is typed as a URL', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({tcp: true, password: 'geheim'});
    await server.redis.xadd('events', '1-0', 'a', '1');
  });
  afterAll(() => server.stop());

  it('may say valkey, with blanks and line ends around it, as in a file of secrets', async () => {
    const url = `valkey://127.0.0.1:${server.port}`;
    for (const [variable, password] of [
      [`${url}\n`, 'geheim\n'],
      [` ${url} `, 'geheim \r\n'],
    ] as const) {
      const {code, stderr} = await streamlog(['range'], {env: {STREAMLOG_URL: variable, STREAMLOG_PASSWORD: password}});
      expect([code, stderr]).toEqual([0, '']);
    }
  });

  it('never has the password of its sentinels in a message', async () => {
    const {stderr, code} = await streamlog(['info', '-u', 'redis+sentinel://h1/m/x?sentinel_password=geheim']);
    expect(code).toBe(78);
    expect(stderr).not.toContain('geheim');
    expect((await streamlog(['info', 'redis://h1/m?sentinel_password=geheim&a=b'])).stderr).not.toContain('geheim');
  });
});
