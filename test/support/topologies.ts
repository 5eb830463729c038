/**
 * Redis as it is run in earnest: a Cluster, a master with a replica and a
 * Sentinel, a server that wants TLS. All on loopback, each process started
 * here and stopped by its own process ID.
 */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Redis} from 'ioredis';
import {endWithUs} from './leftovers.js';
import {freePort, type RedisServer, startRedis, systemServer, until} from './redis-server.js';

export interface TopologyOptions {
  /** Path of the server program; default: the system's. */
  program?: string;
  /** More configuration for each data server, as command-line arguments. */
  args?: string[];
  /** Of every data server's default user. */
  password?: string;
}

export interface RedisCluster {
  /** `redis+cluster://` and all nodes. */
  url: string;
  /** The three masters, in the order of their slots. */
  nodes: RedisServer[];
  /** The master that holds `key` now. */
  nodeOf(key: string): Promise<RedisServer>;
  /** Hands the slot of `key` over to `to`, entries and all, while clients go on. */
  moveSlot(key: string, to: RedisServer): Promise<void>;
  /** A new node without slots; with `master`, one that follows it. */
  addNode(master?: RedisServer): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** Three masters that share the slots between them; with `certificates`, over TLS and nothing else. */
export async function startCluster({
  program,
  args = [],
  password,
  certificates,
}: TopologyOptions & {certificates?: Certificates} = {}): Promise<RedisCluster> {
  const busPorts = [await freePort(), await freePort(), await freePort()];
  const nodes = await Promise.all(
    busPorts.map((bus) => {
      const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), ...args];
      if (certificates === undefined) return startRedis({program, password, tcp: true, args: cluster});
      const tls = ['--tls-cluster', 'yes', ...cluster];
      return startTlsRedis(certificates, certificates.server, {program, password, args: tls});
    }),
  );
  const share = Math.ceil(16_384 / nodes.length);
  await Promise.all(
    nodes.map(async ({redis}, index) => {
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min((index + 1) * share, 16_384) - 1);
    }),
  );
  for (const [index, {port}] of nodes.entries()) {
    await nodes[0]!.redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index]!);
  }
  for (const {redis} of nodes) await until(() => knowsAllMasters(redis), 'the node knows the whole cluster');

  /** Masters, replicas and those that came later. */
  const servers = [...nodes];
  /** Nothing of a server that is gone or stopped. */
  const answer = <T>(server: RedisServer, work: Promise<T>): Promise<T | undefined> => {
    const {exitCode, signalCode} = server.process;
    if (exitCode !== null || signalCode !== null) return Promise.resolve(undefined);
    return Promise.race([work.catch(() => undefined), sleep(500).then(() => undefined)]);
  };
  const idOf = async (node: RedisServer): Promise<string> => String(await node.redis.call('CLUSTER', 'MYID'));
  /** The epoch of the claims of the node `id`, as far as `asked` knows. */
  const epochOf = async (id: string, asked: RedisServer): Promise<string | undefined> =>
    String(await asked.redis.call('CLUSTER', 'NODES'))
      .split('\n')
      .find((line) => line.startsWith(id))
      ?.split(' ')[6];
  /** The ID of the node that `asked` takes for the holder. */
  const holderOf = async (key: string, asked: RedisServer): Promise<string | undefined> => {
    const slot = Number(await asked.redis.call('CLUSTER', 'KEYSLOT', key));
    return (await slotRanges(asked.redis)).find(([first, last]) => first <= slot && slot <= last)?.[2][2];
  };
  const holdsItself = async (key: string, node: RedisServer): Promise<boolean> =>
    (await holderOf(key, node)) === (await idOf(node));
  /** The one node that takes itself for the holder, once there is no other. */
  const nodeOf = async (key: string): Promise<RedisServer> => {
    let holders: RedisServer[] = [];
    await until(async () => {
      const claims = await Promise.all(servers.map((node) => answer(node, holdsItself(key, node))));
      holders = servers.filter((_, index) => claims[index]);
      return holders.length === 1;
    }, `one node holds the slot of ${key}`);
    return holders[0]!;
  };
  /** An empty node that all others know; with `master`, one that follows it. */
  const addNode = async (master?: RedisServer): Promise<RedisServer> => {
    const bus = await freePort();
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), ...args];
    const node = await startRedis({program, password, tcp: true, args: cluster});
    await nodes[0]!.redis.call('CLUSTER', 'MEET', '127.0.0.1', node.port, bus);
    const id = await idOf(node);
    const knows = async ({redis}: RedisServer, what: string): Promise<boolean> =>
      String(await redis.call('CLUSTER', 'NODES')).includes(what);
    for (const each of servers) await until(() => knows(each, id), 'all know of it');
    for (const each of servers) {
      const other = await idOf(each);
      await until(() => knows(node, other), 'it knows all');
    }
    servers.push(node);
    if (master === undefined) {
      const isUp = async (): Promise<boolean> =>
        String(await node.redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok');
      await until(isUp, 'it takes slots');
      return node;
    }
    const masterId = await idOf(master);
    await until(
      async () => (await node.redis.call('CLUSTER', 'REPLICATE', masterId).catch(() => '')) === 'OK',
      'it follows',
    );
    await until(async () => (await node.redis.info('replication')).includes('master_link_status:up'), 'it is linked');
    for (const each of nodes) await until(() => knows(each, `slave ${masterId}`), 'all know that it follows');
    return node;
  };
  return {
    url: `${certificates === undefined ? 'redis' : 'rediss'}+cluster://${nodes.map(({port}) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    nodeOf,
    addNode,
    async moveSlot(key, to) {
      const from = await nodeOf(key);
      const slot = Number(await from.redis.call('CLUSTER', 'KEYSLOT', key));
      await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from));
      await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to));
      const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
      if (keys.length > 0) await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 10_000, 'KEYS', ...keys);
      for (const node of [to, from, ...nodes]) {
        await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', await idOf(to));
      }
      // What they report to each other may be older than what they were sent. The epoch decides between two that claim a slot: where
      // not all know the latest, the next move may leave the slot with none of them.
      const holder = await idOf(to);
      for (const node of nodes) {
        await until(
          async () =>
            (await holderOf(key, node)) === holder && (await epochOf(holder, node)) === (await epochOf(holder, to)),
          'all know who has it',
        );
      }
    },
    async stop() {
      await Promise.all(servers.map((node) => node.stop()));
    },
  };
}

type SlotRange = [first: number, last: number, master: [host: string, port: number, id: string]];

const slotRanges = async (redis: Redis): Promise<SlotRange[]> => (await redis.call('CLUSTER', 'SLOTS')) as SlotRange[];

/** A node learns its own address only when another one greets it. */
async function knowsAllMasters(redis: Redis): Promise<boolean> {
  if (!String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) return false;
  const ranges = await slotRanges(redis);
  return ranges.length === 3 && ranges.every(([, , [host]]) => host === '127.0.0.1');
}

export interface SentinelSet {
  /** `redis+sentinel://…/mymaster/0`, with all sentinels. */
  url: string;
  /** Of the first sentinel. */
  sentinelPort: number;
  master: RedisServer;
  /** The first of them. */
  replica: RedisServer;
  replicas: RedisServer[];
  /** A plain client of the first sentinel. */
  sentinel: Redis;
  sentinels: Sentinel[];
  /** Waits until the first sentinel names `server` as the master and it acts as one. */
  untilMasterIs(server: RedisServer): Promise<void>;
  /** Waits until the first sentinel names another server than `server`, which acts as master, and returns that. */
  untilMasterIsNot(server: RedisServer): Promise<RedisServer>;
  stop(): Promise<void>;
}

export interface Sentinel {
  port: number;
  process: ChildProcess;
  /** A plain client. */
  redis: Redis;
  stop(): Promise<void>;
}

export interface SentinelOptions extends TopologyOptions {
  sentinelPassword?: string;
  /** How many; 1 of each by default. */
  replicas?: number;
  sentinels?: number;
  /** More configuration for the first master alone. */
  masterArgs?: string[];
}

/** For `masterArgs`: a master that no sentinel can make a replica, as if it could not be reached by them any more. */
export const NEVER_DEMOTED = ['--rename-command', 'SLAVEOF', '', '--rename-command', 'REPLICAOF', ''];

/** One master, replicas, and sentinels that may fail over by themselves. */
export async function startSentinelSet({
  program = systemServer(),
  args = [],
  password,
  sentinelPassword,
  replicas: replicaCount = 1,
  sentinels: sentinelCount = 1,
  masterArgs = [],
}: SentinelOptions = {}): Promise<SentinelSet> {
  const common = ['--repl-diskless-sync-delay', '0', ...args];
  const master = await startRedis({program, password, tcp: true, args: [...common, ...masterArgs]});
  const following = ['--replicaof', '127.0.0.1', String(master.port)];
  const replicas = await Promise.all(
    Array.from({length: replicaCount}, () =>
      startRedis({program, password, tcp: true, args: [...following, ...common]}),
    ),
  );
  for (const {redis} of replicas)
    await until(
      async () => String(await redis.info('replication')).includes('master_link_status:up'),
      'the replica follows its master',
    );
  const quorum = Math.floor(sentinelCount / 2) + 1;
  const lines = [
    `sentinel monitor mymaster 127.0.0.1 ${master.port} ${quorum}`,
    'sentinel down-after-milliseconds mymaster 1000',
    'sentinel failover-timeout mymaster 5000',
    ...(password === undefined ? [] : [`sentinel auth-pass mymaster "${password}"`]),
    ...(sentinelPassword === undefined ? [] : [`requirepass "${sentinelPassword}"`]),
  ];
  const sentinels = await Promise.all(
    Array.from({length: sentinelCount}, () => startSentinel(program, lines, sentinelPassword)),
  );
  for (const {redis} of sentinels) {
    await until(async () => {
      const known = String(await redis.call('SENTINEL', 'REPLICAS', 'mymaster'));
      const others = (await redis.call('SENTINEL', 'SENTINELS', 'mymaster')) as unknown[];
      return replicas.every(({port}) => known.includes(String(port))) && others.length === sentinelCount - 1;
    }, 'each sentinel knows the replicas and the other sentinels');
  }
  const [{port: sentinelPort, redis: sentinel}] = sentinels as [Sentinel];
  const servers = [master, ...replicas];
  const named = async (): Promise<RedisServer | undefined> => {
    const address = (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')) as string[] | null;
    return servers.find(({port}) => port === Number(address?.[1]));
  };
  /** Not to be asked of a server that may be gone: it would never answer. */
  const isMaster = async ({redis}: RedisServer): Promise<boolean> => (await redis.role())[0] === 'master';
  return {
    url: `redis+sentinel://${sentinels.map(({port}) => `127.0.0.1:${port}`).join(',')}/mymaster/0`,
    sentinelPort,
    master,
    replica: replicas[0]!,
    replicas,
    sentinel,
    sentinels,
    async untilMasterIs(server) {
      await until(
        async () => (await named()) === server && (await isMaster(server)),
        'the sentinel has made the other server the master',
      );
    },
    async untilMasterIsNot(server) {
      let other: RedisServer | undefined;
      await until(async () => {
        other = await named();
        return other !== undefined && other !== server && (await isMaster(other));
      }, 'the sentinel has made another server the master');
      return other!;
    },
    async stop() {
      await Promise.all(sentinels.map((each) => each.stop()));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function startSentinel(
  program: string,
  lines: readonly string[],
  password: string | undefined,
): Promise<Sentinel> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-sentinel-'));
  const socket = join(directory, 'sentinel.sock');
  const configuration = join(directory, 'sentinel.conf');
  const own = [`port ${port}`, 'bind 127.0.0.1', `unixsocket ${socket}`, `dir ${directory}`];
  writeFileSync(configuration, [...own, ...lines, ''].join('\n'));
  const child = spawn(program, [configuration, '--sentinel'], {stdio: 'ignore'});
  endWithUs(child);
  const redis = new Redis({path: socket, password, maxRetriesPerRequest: null, protocol: 2, enableReadyCheck: false});
  redis.on('error', () => {});
  return {
    port,
    process: child,
    redis,
    async stop() {
      redis.disconnect();
      await stopProcess(child);
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

/** Certificates made for one test run, as paths of PEM files. */
export interface Certificates {
  directory: string;
  /** The authority that signed all of them, and one that signed none. */
  ca: string;
  otherCa: string;
  /** Good for 127.0.0.1 and localhost, for another name, and no longer good. */
  server: KeyPair;
  otherName: KeyPair;
  expired: KeyPair;
  client: KeyPair;
  remove(): void;
}

export interface KeyPair {
  cert: string;
  key: string;
}

/** Makes them with openssl, in a second or so. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-certificates-'));
  const path = (file: string): string => join(directory, file);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, {cwd: directory, stdio: ['ignore', 'ignore', 'pipe']});
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string): string => {
    const uses = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-days', '2', ...uses, ...files);
    return path(`${name}.crt`);
  };
  const signed = (name: string, altNames: string, days = 2): KeyPair => {
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(path(`${name}.ext`), `subjectAltName=${altNames}\n`);
    const files = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.crt`];
    openssl('x509', '-req', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days), ...files);
    return {cert: path(`${name}.crt`), key: path(`${name}.key`)};
  };
  const here = 'IP:127.0.0.1,DNS:localhost';
  return {
    directory,
    ca: authority('ca'),
    otherCa: authority('other-ca'),
    server: signed('server', here),
    otherName: signed('other-name', 'DNS:redis.example'),
    expired: signed('expired', here, -1),
    client: signed('client', 'DNS:client'),
    remove: () => rmSync(directory, {recursive: true, force: true}),
  };
}

/** Configuration of a server that speaks TLS, and nothing but TLS, on `port`. */
export const tlsArgs = (
  {ca}: Certificates,
  {cert, key}: KeyPair,
  port: number,
  clientCertificates: 'no' | 'yes' = 'no',
): string[] => [
  '--port',
  '0',
  '--tls-port',
  String(port),
  '--tls-cert-file',
  cert,
  '--tls-key-file',
  key,
  '--tls-ca-cert-file',
  ca,
  '--tls-auth-clients',
  clientCertificates,
];

/** A server that speaks only TLS; `port` is its TLS port and `url` says `rediss://`. */
export async function startTlsRedis(
  certificates: Certificates,
  pair: KeyPair,
  {program, args = [], password, clientCertificates}: TopologyOptions & {clientCertificates?: 'no' | 'yes'} = {},
): Promise<RedisServer> {
  const port = await freePort();
  const server = await startRedis({
    program,
    password,
    args: [...tlsArgs(certificates, pair, port, clientCertificates), ...args],
  });
  return {...server, port, url: `rediss://127.0.0.1:${port}`};
}

export interface Listener {
  port: number;
  /** Every byte that came in so far. */
  received(): Buffer;
  stop(): Promise<void>;
}

/** Takes connections and never says a word, as a server behind a broken network does; or answers each with `reply`. */
export async function startListener(reply?: string): Promise<Listener> {
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (reply !== undefined) socket.write(reply);
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as {port: number}).port));
  });
  return {
    port,
    received: () => Buffer.concat(chunks),
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** The text of a PEM file. */
export const pem = (path: string): string => readFileSync(path, 'utf8');

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
