/**
 * What goes wrong with a connection: each case ends, with its own exit code and
 * words, and keeps the password to itself. The second half holds the installed
 * ioredis to what lib/redis relies on.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {AddConnection} from '../../src/lib/redis/add-connection.js';
import {AddResults} from '../../src/lib/redis/add-results.js';
import {RespWriter} from '../../src/lib/redis/resp-writer.js';
import {parseTarget} from '../../src/lib/redis/server-target.js';
import {type ConnectionSettings, type Membership, StreamClient} from '../../src/lib/stream-client.js';
import {addEach} from '../support/adding.js';
import {freePort, type RedisServer, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {shell, streamlog} from '../support/run-cli.js';
import {type Listener, startCluster, startListener} from '../support/topologies.js';

const SECRET = 'sEcReT-9x';
/** No failure takes this long, unless it hangs; several run at a time. */
const LIMIT_MS = 30_000;
const RUN_JS = join(import.meta.dirname, '../../bin/run.js');

/** The two ways in which streamlog is shipped. */
const ARTEFACTS: Record<string, typeof streamlog> = {
  executable: streamlog,
  package: (args, options) => shell(`exec node "${RUN_JS}" ${args.map((arg) => `'${arg}'`).join(' ')}`, options),
};

interface Case {
  name: string;
  code: number;
  /** What and, where it matters, the hint. */
  says: RegExp;
  args: () => string[];
}

describe.each(serverPrograms())('commands that fail, $name', ({name, program}) => {
  let server: RedisServer;
  let replica: RedisServer;
  let full: RedisServer;
  let loading: RedisServer;
  let silent: Listener;
  let web: Listener;
  let closedPort: number;

  beforeAll(async () => {
    // Its replica need not wait for others to come.
    const args = ['--repl-diskless-sync-delay', '0'];
    server = await startRedis({program, tcp: true, password: SECRET, args});
    await server.redis.xadd('events', '*', 'a', '1');
    await server.redis.set('text', 'no stream');
    await server.redis.call('ACL', 'SETUSER', 'reader', 'on', `>${SECRET}`, '~*', '+@read', '+ping');
    [full, loading, silent, web, closedPort] = await Promise.all([
      startRedis({program, tcp: true, args: ['--maxclients', '1']}),
      startLoading(program),
      startListener(),
      startListener('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
      freePort(),
    ]);
    const master = ['--replicaof', '127.0.0.1', String(server.port)];
    replica = await startRedis({program, tcp: true, password: SECRET, args: master});
    await until(async () => (await replica.redis.exists('events')) === 1, 'the replica has the stream');
  });
  afterAll(async () => {
    await Promise.all([server, replica, full, loading, silent, web].map((each) => each.stop()));
  });

  const url = (port: number, user = ''): string => `redis://${user}:${SECRET}@127.0.0.1:${port}`;
  const soon = ['--connect-timeout', '500ms'];
  /** Where it would be tried again for 5 s. */
  const sooner = [...soon, '--retry-for', '1s'];
  const CASES: Case[] = [
    {
      name: 'nothing listens',
      code: 69,
      says: /nothing listens there\nhint: .*streamlog local start/,
      args: () => ['info', '--url', url(closedPort)],
    },
    {
      name: 'nothing listens where a name has two addresses',
      code: 69,
      says: /nothing listens there/,
      args: () => ['info', '--url', `redis://:${SECRET}@localhost:${closedPort}`],
    },
    {
      name: 'a socket that is not there',
      code: 69,
      says: /no such socket\nhint: .*streamlog local start/,
      args: () => ['info', '--url', `unix://:${SECRET}@/nonexistent/redis.sock`],
    },
    {
      name: 'a server that never answers',
      code: 69,
      says: /no answer in time/,
      args: () => ['info', '--url', url(silent.port), ...soon],
    },
    {
      name: 'a cluster that never answers',
      code: 69,
      says: /no answer in time/,
      args: () => ['info', '--url', `redis+cluster://:${SECRET}@127.0.0.1:${silent.port}`, ...sooner],
    },
    {
      name: 'sentinels that never answer',
      code: 69,
      says: /no answer in time/,
      args: () => ['info', '--url', `redis+sentinel://:${SECRET}@127.0.0.1:${silent.port}/mymaster`, ...sooner],
    },
    {
      name: 'a host that nobody knows',
      code: 69,
      says: /host name|no answer in time/,
      args: () => ['info', '--url', `redis://:${SECRET}@no-such-host.invalid`, ...soon],
    },
    {
      name: 'a server that is not Redis',
      code: 69,
      says: /not Redis/,
      args: () => ['info', '--url', url(web.port)],
    },
    {
      name: 'a wrong password',
      code: 77,
      says: /refuses the given user or password\nhint: .*--password-file/,
      args: () => ['info', '--url', `redis://:${SECRET}x@127.0.0.1:${server.port}/3`],
    },
    {
      name: 'no password',
      code: 77,
      says: /requires a password\nhint: .*STREAMLOG_PASSWORD/,
      args: () => ['info', '--url', `redis://127.0.0.1:${server.port}/3`],
    },
    {
      name: 'a user who may not run the command',
      code: 77,
      says: /may not run XTRIM on stream "events"/,
      args: () => ['trim', '--maxlen', '0', '--url', url(server.port, 'reader')],
    },
    {
      name: 'a user who may not choose the database',
      code: 77,
      says: /may not run SELECT/,
      args: () => ['info', '--url', `${url(server.port, 'reader')}/3`],
    },
    {
      name: 'a key that holds no stream',
      code: 65,
      says: /"text" is a string, not a stream/,
      args: () => ['info', '-s', 'text', '--url', url(server.port)],
    },
    {
      name: 'a stream that is not there',
      code: 66,
      says: /no stream "missing"/,
      args: () => ['info', '-s', 'missing', '--url', url(server.port)],
    },
    {
      name: 'a server that is loading its data',
      code: 75,
      says: /LOADING.*\nhint: .*loading its data/,
      args: () => ['info', '--url', url(loading.port)],
    },
    {
      name: 'a write to a replica',
      code: 75,
      says: /READONLY.*\nhint: .*replica/,
      args: () => ['trim', '--maxlen', '0', '--url', url(replica.port)],
    },
    {
      name: 'a server with no room for one more client',
      code: 75,
      says: /maxclients/,
      args: () => ['info', '--url', `redis://127.0.0.1:${full.port}`],
    },
    {
      name: 'a URL that is none',
      code: 78,
      says: /Redis URL cannot be used.*\nhint: .*redis:/,
      args: () => ['info', '--url', `redis://:${SECRET}@h:port`],
    },
    {
      name: 'a password with a slash that is not escaped',
      code: 78,
      says: /%2F/,
      args: () => ['info', '--url', `redis://:a/${SECRET}@h`],
    },
    {
      name: 'a URL in the wrong place',
      code: 2,
      says: /^streamlog: /,
      args: () => ['info', `redis://:${SECRET}@h`],
    },
  ];

  if (name !== 'system') {
    // What Redis itself answers; all else does not depend on it.
    const answers = CASES.filter(({code}) => [65, 66, 75, 77].includes(code));
    test.concurrent.each(answers)('$name: $code', ({code, says, args}) => expectFailure(streamlog, args(), code, says));
    return;
  }

  describe.each(Object.entries(ARTEFACTS))('%s', (_, run) => {
    test.concurrent.each(CASES)('$name: $code', ({code, says, args}) => expectFailure(run, args(), code, says));

    test.concurrent.each(CASES)('$name: the password stays secret, however much is asked for', async ({code, args}) => {
      const finished = await run([...args(), '-v', '--json'], {env: {DEBUG: '*'}, limitMs: LIMIT_MS});
      expect(finished.code).toBe(code);
      expect(finished.stdout + finished.stderr).not.toContain(SECRET);
    });

    test.concurrent('a password from the environment or a file stays secret too', async () => {
      const file = join(server.directory, 'secret');
      writeFileSync(file, SECRET);
      const runs = [closedPort, full.port, web.port, server.port].flatMap((port) => {
        const args = ['info', '-s', 'missing', '--url', `redis://nobody@127.0.0.1:${port}`, '-v'];
        const env = {DEBUG: '*', STREAMLOG_PASSWORD: SECRET};
        return [run(args, {env}), run([...args, '--password-file', file], {env: {DEBUG: '*'}})];
      });
      for (const each of await Promise.all(runs)) {
        expect(each.code).toBeGreaterThan(64);
        expect(each.stdout + each.stderr).not.toContain(SECRET);
      }
    });
  });
});

async function expectFailure(run: typeof streamlog, args: string[], code: number, says: RegExp): Promise<void> {
  const finished = await run(args, {limitMs: LIMIT_MS});
  expect(finished).toMatchObject({code, stdout: '', stderr: expect.stringMatching(says)});
  // Where another server may take over, and where one is loading, it says once that it tries again.
  expect(finished.stderr).toMatch(/^(streamlog: warning: .*; trying again for [15]s\n)?streamlog: .*\n(hint: .*\n)?$/);
  expect(finished.stderr).not.toContain(SECRET);
}

/** A server that answers LOADING to everything, until it is stopped. */
async function startLoading(program: string): Promise<RedisServer> {
  const server = await startRedis({program, tcp: true, password: SECRET});
  await server.redis.call('DEBUG', 'POPULATE', 300_000);
  await server.redis.config('SET', 'loading-process-events-interval-bytes', 1_024);
  await server.redis.config('SET', 'key-load-delay', 1_000);
  const reloading = server.redis.duplicate();
  reloading.on('error', () => {});
  reloading.debug('RELOAD').catch(() => {});
  await until(async () => (await server.redis.info('persistence')).includes('loading:1'), 'the server loads');
  return {
    ...server,
    async stop() {
      reloading.disconnect();
      await server.stop();
    },
  };
}

describe.each(serverPrograms())('a connection that is lost, $name', ({program}) => {
  const member: Membership = {stream: 'events', group: 'g', consumer: 'c'};
  const LOST = {kind: 'unreachable'};
  let server: RedisServer;
  let clients: StreamClient[];
  let printed: string[];

  beforeEach(async () => {
    clients = [];
    printed = [];
    for (const method of ['log', 'info', 'warn', 'error'] as const) {
      vi.spyOn(console, method).mockImplementation((...words) => void printed.push(words.join(' ')));
    }
    server = await startRedis({program, tcp: true});
    await server.redis.xgroup('CREATE', 'events', 'g', '0', 'MKSTREAM');
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const client of clients) client.close();
    server.process.kill('SIGCONT');
    await server.stop();
    expect(printed).toEqual([]);
  });

  const connect = async (settings: Partial<ConnectionSettings> = {}): Promise<StreamClient> => {
    const client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000, ...settings});
    clients.push(client);
    return client;
  };
  const another = async (client: StreamClient, blockMs: number): Promise<StreamClient> => {
    const second = await client.another(blockMs);
    clients.push(second);
    return second;
  };
  const wait = (reader: StreamClient, blockMs: number) => reader.readNew(member, {count: 10, blockMs});
  const untilOneWaits = () =>
    until(async () => String(await server.redis.client('LIST')).includes('cmd=xreadgroup'), 'the reader waits');
  const ours = async (): Promise<string[]> =>
    String(await server.redis.client('LIST'))
      .split('\n')
      .filter((line) => line.includes('name=streamlog '));
  const killOurs = async (): Promise<void> => {
    for (const line of await ours()) await server.redis.client('KILL', 'ID', /id=(\d+)/.exec(line)![1]!);
  };

  test('a blocked read ends when its connection is killed', async () => {
    const reader = await another(await connect(), 60_000);
    const entries = wait(reader, 60_000);
    entries.catch(() => {});
    await untilOneWaits();
    await killOurs();
    await expect(entries).rejects.toMatchObject(LOST);
    await reader.closed;
    await expect(wait(reader, 60_000)).rejects.toMatchObject(LOST);
  });

  test('a blocked read and commands under way end when the server is killed', async () => {
    const client = await connect();
    const reader = await another(client, 60_000);
    const entries = wait(reader, 60_000);
    entries.catch(() => {});
    await untilOneWaits();
    server.process.kill('SIGSTOP');
    const added = client.add('events', [['n', '1']]);
    const batch = addEach(client, [{stream: 'events', fields: [['n', '2']]}]);
    added.catch(() => {});
    server.process.kill('SIGKILL');
    await expect(entries).rejects.toMatchObject(LOST);
    await expect(added).rejects.toMatchObject(LOST);
    expect(await batch).toEqual([expect.objectContaining(LOST)]);
    await expect(client.another()).rejects.toMatchObject({...LOST, code: 'ECONNREFUSED'});
  });

  test('of a batch that is cut in the middle, each command has its own outcome', async () => {
    const target = parseTarget({url: server.url, connectTimeoutMs: 4_000});
    const connection = await AddConnection.open(target, 'events');
    const results = new Promise((resolve) => {
      const writer = new RespWriter();
      const batch = {records: 5, mayLackStream: false};
      const add = ['XADD', 'events', '*', 'n', '1'];
      const write = (line: string[]): void => {
        writer.array(line.length);
        for (const part of line) writer.string(part);
      };
      for (const line of [add, add]) write(line);
      // To what is no command Redis answers with an error, and hangs up.
      writer.raw(Buffer.from('*1\r\nX'));
      for (const line of [add, add]) write(line);
      connection.send([writer.take()], new AddResults('events', batch, resolve));
    });
    const lost = expect.objectContaining(LOST);
    const refused = expect.objectContaining({kind: 'temporary', message: expect.stringContaining('Protocol error')});
    expect(await results).toEqual([expect.stringMatching(/-/), expect.stringMatching(/-/), refused, lost, lost]);
    await connection.closed;
  });

  test('nothing is connected or sent again by itself', async () => {
    const client = await connect();
    const reader = await another(client, 60_000);
    const entries = wait(reader, 60_000);
    entries.catch(() => {});
    await untilOneWaits();
    const statistics = async (): Promise<string[]> =>
      (await server.redis.info('all')).split('\r\n').filter((line) => /^(total_connections|cmdstat_x)/.test(line));
    await client.add('other', [['n', '1']]);
    await killOurs();
    await expect(entries).rejects.toMatchObject(LOST);
    await Promise.all([client.closed, reader.closed]);
    const before = await statistics();
    await expect(client.add('other', [['n', '2']])).rejects.toMatchObject(LOST);
    expect(await addEach(client, [{stream: 'other', fields: [['n', '3']]}])).toEqual([expect.objectContaining(LOST)]);
    expect(await ours()).toEqual([]);
    expect(await statistics()).toEqual(before);
    expect(await server.redis.xlen('other')).toBe(1);
  });

  test('close() ends what is under way, also on a server that has stopped', async () => {
    const client = await connect();
    const reader = await another(client, 60_000);
    const entries = wait(reader, 60_000);
    entries.catch(() => {});
    await untilOneWaits();
    server.process.kill('SIGSTOP');
    const added = client.add('events', [['n', '1']]);
    added.catch(() => {});
    client.close();
    reader.close();
    client.close();
    await expect(added).rejects.toMatchObject(LOST);
    await expect(entries).rejects.toMatchObject(LOST);
    await Promise.all([client.closed, reader.closed]);
  });

  test('a server that has stopped is noticed by its silence', async () => {
    const client = await connect({silenceMs: 300});
    const reader = await another(client, 200);
    await client.add('events', [['n', '0']]);
    server.process.kill('SIGSTOP');
    const silence = {...LOST, message: expect.stringMatching(/XADD: no answer for 0.3 s$/)};
    await expect(client.add('events', [['n', '1']])).rejects.toMatchObject(silence);
    await expect(wait(reader, 200)).rejects.toMatchObject({message: expect.stringMatching(/no answer for 0.5 s$/)});
  });

  test('neither an idle connection nor a read that blocks counts as silence', async () => {
    const client = await connect({silenceMs: 300});
    const reader = await another(client, 1_000);
    expect((await wait(reader, 1_000)).records).toEqual([]);
    expect(await client.length('events')).toBe(0);
  });

  test('a connection attempt that times out leaves nothing behind', async () => {
    server.process.kill('SIGSTOP');
    await expect(connect({connectTimeoutMs: 300})).rejects.toMatchObject({...LOST, code: 'ETIMEDOUT'});
    server.process.kill('SIGCONT');
    await until(async () => (await ours()).length === 0, 'the attempt is gone');
  });

  test('what Redis refuses for now is temporary, and the connection stays', async () => {
    const client = await connect();
    await server.redis.config('SET', 'maxmemory', 1);
    await expect(client.add('events', [['n', '1']])).rejects.toMatchObject({kind: 'temporary', code: 'OOM'});
    const outcomes = await addEach(client, [{stream: 'events', fields: [['n', '1']]}]);
    expect(outcomes).toEqual([expect.objectContaining({kind: 'temporary', code: 'OOM'})]);
    await server.redis.config('SET', 'maxmemory', 0);
    expect(await client.add('events', [['n', '1']])).toMatch(/-/);
  });

  test('a master that becomes a replica lets go of those who wait, for now', async () => {
    const client = await connect();
    const reader = await another(client, 60_000);
    const entries = wait(reader, 60_000);
    entries.catch(() => {});
    await untilOneWaits();
    await server.redis.replicaof('127.0.0.1', String(await freePort()));
    await expect(entries).rejects.toMatchObject({kind: 'temporary', code: 'UNBLOCKED'});
    await expect(client.add('events', [['n', '1']])).rejects.toMatchObject({kind: 'temporary', code: 'READONLY'});
  });

  test('one refused record of a batch does not hold back the others', async () => {
    const client = await connect();
    await server.redis.set('text', 'no stream');
    const outcomes = await addEach(client, [
      {stream: 'events', fields: [['n', '1']]},
      {stream: 'text', fields: [['n', '2']]},
      {stream: 'events', fields: [['n', '3']], options: {id: '1-1'}},
      {stream: 'events', fields: [['n', '4']]},
    ]);
    expect(outcomes).toEqual([
      expect.stringMatching(/-/),
      expect.objectContaining({kind: 'data', code: 'WRONGTYPE'}),
      expect.objectContaining({kind: 'data', code: 'SMALLER_ID'}),
      expect.stringMatching(/-/),
    ]);
  });
});

describe('a cluster that loses a node', () => {
  const STREAMS = ['a', 'b', 'c'];

  test('its streams fail on every connection that knew it, the others go on, and listing tells', async () => {
    const cluster = await startCluster({args: ['--cluster-require-full-coverage', 'no']});
    const settings = {url: cluster.url, connectTimeoutMs: 4_000};
    const client = await StreamClient.connect(settings);
    const fresh = await StreamClient.connect(settings);
    const reader = await client.another(60_000);
    try {
      await addEach(
        client,
        STREAMS.map((stream) => ({stream, fields: [['n', '1']]})),
      );
      await client.createGroup('a', 'g', '$', false);
      const node = await cluster.nodeOf('a');
      const entries = reader.readNew({stream: 'a', group: 'g', consumer: 'c'}, {count: 1, blockMs: 60_000});
      entries.catch(() => {});
      await until(async () => String(await node.redis.client('LIST')).includes('cmd=xreadgroup'), 'the reader waits');
      node.process.kill('SIGKILL');

      await expect(entries).rejects.toMatchObject({kind: 'unreachable'});
      await expect(client.add('a', [['n', '2']])).rejects.toMatchObject({kind: 'unreachable'});
      await expect(client.add('a', [['n', '3']])).rejects.toMatchObject({kind: 'unreachable'});
      expect(await addEach(client, [{stream: 'a', fields: [['n', '4']]}])).toMatchObject([{kind: 'unreachable'}]);
      await expect(fresh.add('a', [['n', '5']])).rejects.toMatchObject({
        kind: 'unreachable',
        message: expect.stringContaining(`127.0.0.1:${node.port}: nothing listens there`),
      });
      for (const other of ['b', 'c']) expect(await client.add(other, [['n', '2']])).toMatch(/-/);
      // Who asks for all of them is told what cannot be known, and gets the others.
      const found: string[] = [];
      const lost: unknown[] = [];
      for await (const names of client.server.streams(undefined, (failure) => lost.push(failure))) found.push(...names);
      expect([found.sort(), lost]).toEqual([['b', 'c'], [expect.objectContaining({kind: 'unreachable'})]]);
      const all = (async () => {
        for await (const _ of client.server.streams());
      })();
      await expect(all).rejects.toMatchObject({kind: 'unreachable'});
    } finally {
      for (const each of [client, fresh, reader]) each.close();
      await cluster.stop();
    }
  });

  test('what was under way fails and is not sent again; what comes later goes over a new connection', async () => {
    const cluster = await startCluster();
    const client = await StreamClient.connect({url: cluster.url, connectTimeoutMs: 4_000});
    try {
      const {redis} = await cluster.nodeOf('a');
      await client.length('a');
      await redis.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
      const added = client.add('a', [['n', '1']]);
      added.catch(() => {});
      const writer = async () => /id=(\d+) .*cmd=xadd/.exec(String(await redis.client('LIST')))?.[1];
      await until(async () => (await writer()) !== undefined, 'the server has the command');
      await redis.client('KILL', 'ID', (await writer())!);
      await redis.call('CLIENT', 'UNPAUSE');
      await expect(added).rejects.toMatchObject({kind: 'unreachable'});
      const id = await client.add('a', [['n', '2']]);
      expect(await redis.xrange('a', '-', '+')).toEqual([[id, ['n', '2']]]);
    } finally {
      client.close();
      await cluster.stop();
    }
  });

  test('a slot that nobody serves is refused for now', async () => {
    const cluster = await startCluster({args: ['--cluster-require-full-coverage', 'no']});
    const client = await StreamClient.connect({url: cluster.url, connectTimeoutMs: 4_000});
    try {
      const slot = Number(await cluster.nodes[0]!.redis.call('CLUSTER', 'KEYSLOT', 'a'));
      for (const {redis} of cluster.nodes) await redis.call('CLUSTER', 'DELSLOTS', slot);
      await expect(client.add('a', [['n', '1']])).rejects.toMatchObject({kind: 'temporary', code: 'CLUSTERDOWN'});
      expect(await addEach(client, [{stream: 'a', fields: [['n', '1']]}])).toMatchObject([
        {kind: 'temporary', code: 'CLUSTERDOWN'},
      ]);
    } finally {
      client.close();
      await cluster.stop();
    }
  });

  test('close() ends what is under way on every node, and all that comes later', async () => {
    const cluster = await startCluster();
    const clients: StreamClient[] = [];
    const connected = async (streams: string[]): Promise<StreamClient> => {
      const client = await StreamClient.connect({url: cluster.url, connectTimeoutMs: 4_000});
      clients.push(client);
      await addEach(
        client,
        streams.map((stream) => ({stream, fields: [['n', '1']]})),
      );
      return client;
    };
    const gone = async (): Promise<void> => {
      for (const {process, redis} of cluster.nodes) {
        process.kill('SIGCONT');
        await until(async () => !String(await redis.client('LIST')).includes('name=streamlog '), 'the client is gone');
      }
    };
    try {
      const client = await connected(STREAMS);
      for (const {process} of cluster.nodes) process.kill('SIGSTOP');
      const added = STREAMS.map((stream) => client.add(stream, [['n', '2']]));
      const batch = addEach(
        client,
        STREAMS.map((stream) => ({stream, fields: [['n', '3']]})),
      );
      for (const each of added) each.catch(() => {});
      client.close();
      for (const each of added) await expect(each).rejects.toMatchObject({kind: 'unreachable'});
      expect(await batch).toMatchObject(STREAMS.map(() => ({kind: 'unreachable'})));
      await client.closed;
      await gone();

      // Where one node ends later than the others, ioredis goes from "end" back to "close" and would keep commands.
      const second = await connected(['b', 'c']);
      (await cluster.nodeOf('b')).process.kill('SIGSTOP');
      second.close();
      await second.closed;
      await gone();
      await expect(second.add('a', [['n', '4']])).rejects.toMatchObject({kind: 'unreachable'});
      expect(await addEach(second, [{stream: 'a', fields: [['n', '5']]}])).toMatchObject([{kind: 'unreachable'}]);
    } finally {
      for (const client of clients) client.close();
      for (const {process} of cluster.nodes) process.kill('SIGCONT');
      await cluster.stop();
    }
  });
});
