/** `doctor` wherever Redis is: how its commands reach it, names of any bytes, users who may not ask, and servers with nothing wrong. */
import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Redis} from 'ioredis';
import {describe, expect, it} from 'vitest';
import {deadLetterKey} from '../../src/lib/colocated-key.js';
import {decodeName} from '../../src/lib/records/names.js';
import {SCENES} from '../support/doctor-scenes.js';
import {type FoundFinding, pasteForAll} from '../support/findings.js';
import {jsonLines} from '../support/json-lines.js';
import {freePort, type RedisServer, serverForAll, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';
import {startCluster, startSentinelSet} from '../support/topologies.js';

const PASSWORD = 's3cret"$HOME';
const IN_URL = encodeURIComponent(PASSWORD);

const {directory, paste} = pasteForAll();
writeFileSync(join(directory, 'password'), PASSWORD, {mode: 0o600});

/** What is found of streams and groups: a server for tests is set up as none in earnest. */
const ofStreams = ({stdout}: Finished): FoundFinding[] =>
  jsonLines<FoundFinding>(stdout).filter(({stream}) => stream !== null);
const idsOf = (finished: Finished): string[] => ofStreams(finished).map(({id}) => id);

/** An entry, and a dead letter. */
async function arrange(
  redis: Pick<Redis, 'xadd' | 'hset'>,
  stream: string | Buffer = 'orders',
  dead = '{orders}:dead',
): Promise<void> {
  await redis.xadd(stream, '*', 'n', '1');
  const origin = ['_dlq_stream', stream, '_dlq_group', 'billing', '_dlq_id', '1-1', '_dlq_reason', 'exit code 1'];
  await redis.xadd(dead, '*', 'n', '1', ...origin);
}

/** The state of a producer without its end: that is mended by redis-cli. */
const leaveKey = (redis: Pick<Redis, 'hset'>, stream = 'orders'): Promise<number> =>
  redis.hset(`{${stream}}:streamlog:producer:${stream}:p`, 'n', '1');

/** What the system's own finds is in doctor.test.ts. */
const others = serverPrograms().filter(({name}) => name !== 'system');

describe.concurrent.each(others)('on $name', ({program}) => {
  it('each finding is found where it is, and nothing else', async () => {
    const server = await startRedis({program, args: ['--databases', String(SCENES.length)]});
    try {
      const found = async (db: number): Promise<unknown> => {
        const {id, group = null, arrange} = SCENES[db]!;
        const redis = new Redis({path: server.url.replace('unix://', ''), db, protocol: 2});
        await arrange(redis);
        redis.disconnect();
        const finished = await streamlog(['doctor', '--json', '-u', `${server.url}?db=${db}`]);
        const seen = ofStreams(finished).map((finding) => ({id: finding.id, group: finding.group}));
        return [db, finished.stderr, seen, [{id, group}]];
      };
      for (let db = 0; db < SCENES.length; db += 6) {
        const some = Array.from(SCENES.keys()).slice(db, db + 6);
        for (const result of (await Promise.all(some.map(found))) as [number, string, unknown, unknown][])
          expect(result.slice(0, 3)).toEqual([result[0], '', result[3]]);
      }
    } finally {
      await server.stop();
    }
  });
});

describe('the commands reach the server', () => {
  const open = serverForAll({tcp: true});
  const closed = serverForAll({tcp: true, password: PASSWORD});
  const inUrl = (): string => closed.url.replace('://', `://:${IN_URL}@`);
  const contexts = (name: string, text: string): Record<string, string> => {
    const file = join(directory, `${name}.toml`);
    writeFileSync(file, text, {mode: 0o600});
    return {STREAMLOG_CONFIG: file};
  };
  const ways: [what: string, server: () => RedisServer, given: () => {args: string[]; env: Record<string, string>}][] =
    [
      ['at a port', () => open, () => ({args: ['-u', `127.0.0.1:${open.port}`], env: {}})],
      ['at a socket', () => open, () => ({args: ['--url', join(open.directory, 'redis.sock')], env: {}})],
      ['with a password in REDIS_URL', () => closed, () => ({args: [], env: {REDIS_URL: inUrl()}})],
      ['with a password in STREAMLOG_URL', () => closed, () => ({args: [], env: {STREAMLOG_URL: inUrl()}})],
      [
        'with a password in a variable',
        () => closed,
        () => ({args: ['-u', closed.url], env: {STREAMLOG_PASSWORD: PASSWORD}}),
      ],
      [
        'with a password in a file',
        () => closed,
        () => ({args: ['-u', closed.url, '--password-file', join(directory, 'password')], env: {}}),
      ],
      [
        'with a password in the file of a context',
        () => closed,
        () => ({
          args: ['-C', 'prod'],
          env: contexts(
            'file',
            `[context.prod]\nurl = "${closed.url}"\npassword_file = "${join(directory, 'password')}"\n`,
          ),
        }),
      ],
      [
        'with a password that a context has a command for',
        () => closed,
        () => ({
          args: ['-C', 'prod'],
          env: contexts(
            'command',
            `[context.prod]\nurl = "${closed.url}"\npassword_command = ["cat", "${join(directory, 'password')}"]\n`,
          ),
        }),
      ],
    ];

  it.concurrent.each(ways)('%s', async (what, serverOf, given) => {
    const {redis} = serverOf();
    const stream = what.replaceAll(' ', '-');
    await arrange(redis, stream, `{${stream}}:dead`);
    await leaveKey(redis, stream);
    const {args, env} = given();
    const run = (): Promise<Finished> => streamlog(['doctor', stream, ...args, '--json'], {env});

    const before = await run();

    expect(idsOf(before)).toEqual(['D15', 'D16']);
    expect(before.stdout + before.stderr).not.toContain(PASSWORD);
    expect(before.stdout + before.stderr).not.toContain(IN_URL);
    for (const {look, mend} of ofStreams(before))
      for (const line of [...look, ...mend]) expect([line, (await paste(line, {env})).code]).toEqual([line, 0]);
    expect(idsOf(await run())).toEqual([]);
  });

  it('with a password that was typed, it is asked for, and said', async () => {
    await leaveKey(closed.redis);
    await closed.redis.xadd('orders', '*', 'n', '1');
    const finished = await streamlog(['doctor', 'orders', '-u', inUrl(), '--json', '-v']);
    expect(ofStreams(finished)[0]!.mend).toEqual([
      `redis-cli -u redis://127.0.0.1:${closed.port} --askpass expire '{orders}:streamlog:producer:orders:p' 604800`,
    ]);
    expect(finished.stdout + finished.stderr).not.toContain(IN_URL);
    expect(finished.stderr).toContain('put it into STREAMLOG_PASSWORD');
  });
});

describe('names of any bytes', () => {
  const server = serverForAll();
  const NAMES = [
    "it's",
    '"; touch pwned; "',
    '$(touch pwned)',
    '`touch pwned`',
    'line\nbreak',
    '\u001b[2Jclear',
    '-x',
    '--help',
    'a b  c',
    '*?[a]',
    'ends\\',
    '%s%n',
    '{"$b64":"b3JkZXJz"}',
    '日本語',
    '\u202eevil',
    decodeName(Buffer.from([0xff, 0x00, 0x27, 0x0a])),
    'x}y{z',
    '',
  ];

  it('are one word in every command, and no other stream', async () => {
    const {redis} = server;
    for (const name of NAMES) {
      const bytes = bytesOf(name);
      await arrange(redis as Redis, bytes, bytesOf(deadLetterKey(name)) as unknown as string);
      await redis.xgroup('CREATE', bytes, bytes, '99-0');
      await redis.callBuffer('XSETID', bytes, '9-0').catch(() => {});
    }
    await redis.xadd('other', '5-1', 'n', '1');
    for (const name of NAMES) await redis.callBuffer('XGROUP', 'CREATE', 'other', bytesOf(name), '9-0');

    const found = ofStreams(await streamlog(['doctor', '--json', '--only', 'D11,D15'], {server}));

    expect(found.filter(({id}) => id === 'D15')).toHaveLength(NAMES.length);
    expect(found.filter(({id, stream}) => id === 'D11' && stream === 'other')).toHaveLength(NAMES.length);
    const lines = found.flatMap(({look, mend}) => [...look.slice(0, 1), ...mend]);
    const run = async (line: string): Promise<unknown> => [line, (await paste(line, {server})).code];
    for (let at = 0; at < lines.length; at += 8)
      for (const result of await Promise.all(lines.slice(at, at + 8).map(run)))
        expect(result).toEqual([expect.any(String), 0]);
    expect(ofStreams(await streamlog(['doctor', '--json', '--only', 'D11,D15'], {server}))).toEqual([]);
    expect(existsSync(join(directory, 'pwned'))).toBe(false);
  });

  const bytesOf = (name: string): Buffer =>
    Buffer.concat(
      Array.from(name, (char) =>
        /[\udc80-\udcff]/u.test(char) ? Buffer.of(char.charCodeAt(0) - 0xdc00) : Buffer.from(char),
      ),
    );
});

describe.concurrent('nothing is found', () => {
  const server = serverForAll();

  it('of an empty server', async () => {
    const empty = await startRedis();
    try {
      const finished = await streamlog(['doctor', '--json', '--fail-on', 'warn', '--match', '*'], {server: empty});
      expect(finished).toMatchObject({code: 0, stdout: '', stderr: ''});
    } finally {
      await empty.stop();
    }
  });

  it('of a fresh stream, of one that was read, and of one that is waiting for its first reader', async () => {
    const {redis} = server;
    for (const stream of ['fresh', 'read', 'waiting']) {
      await redis.xgroup('CREATE', stream, 'billing', '0', 'MKSTREAM');
      await redis.xadd(stream, '*', 'n', '1');
    }
    await redis.xgroup('CREATE', 'fresh', 'audit', '$');
    await redis.xreadgroup('GROUP', 'billing', 'w1', 'STREAMS', 'read', '>');
    expect(idsOf(await streamlog(['doctor', 'fresh', 'read', 'waiting', '--json', '--deep'], {server}))).toEqual([]);
  });

  it('of IDs that are counters, and say nothing of time', async () => {
    for (let n = 1; n <= 3; n++) await server.redis.xadd('counted', `${n}-0`, 'n', n);
    for (const group of ['billing', 'audit']) await server.redis.xgroup('CREATE', 'counted', group, '0');
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 2, 'STREAMS', 'counted', '>');
    expect(idsOf(await streamlog(['doctor', '--json', 'counted'], {server}))).toEqual([]);
  });

  it('of an import that is under way', async () => {
    const keys = ['adding', 'claiming'].map((part) => `{moved}:streamlog:import:moved:0a1b2c:${part}`);
    for (const key of keys) await server.redis.xadd(key, '*', 'n', '1');
    const adding = setInterval(() => void server.redis.xadd(keys[0]!, '*', 'n', '1'), 50);
    try {
      expect(idsOf(await streamlog(['doctor', '--json', '--only', 'D16'], {server}))).toEqual([]);
    } finally {
      clearInterval(adding);
    }
    expect(idsOf(await streamlog(['doctor', '--json', '--only', 'D16'], {server}))).toEqual(['D16', 'D16']);
  });

  it('while it is in full use', async () => {
    const options = {server};
    const consumers = ['w1', 'w2'].map((name) => startStreamlog(['consume', '-s', 'busy', '--name', name], options));
    const producer = startStreamlog(['produce', '-s', 'busy', '--input', 'text', '-q'], options);
    const adding = setInterval(() => producer.process.stdin.write('a line\n'.repeat(2_000)), 20);
    try {
      await until(async () => (await server.redis.xlen('busy')) > 2_000, 'entries are added');
      for (const args of [[], ['--deep']])
        expect(idsOf(await streamlog(['doctor', '--json', 'busy', ...args], {server}))).toEqual([]);
    } finally {
      clearInterval(adding);
      producer.process.stdin.end();
      for (const consumer of consumers) consumer.process.kill('SIGTERM');
      await Promise.all([producer, ...consumers].map(({finished}) => finished));
    }
  });
});

describe('a user who may not ask for everything', () => {
  const server = serverForAll();
  const run = async (...rules: string[]): Promise<Finished> => {
    await server.redis.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>pw', ...rules);
    return streamlog(['doctor', '--json'], {server, env: {STREAMLOG_USERNAME: 'limited', STREAMLOG_PASSWORD: 'pw'}});
  };

  it('gets what can be found, and a list of what could not be looked at', async () => {
    await arrange(server.redis as Redis);
    await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'STREAMS', 'orders', '>');
    await server.redis.xadd('secret', '*', 'n', '1');

    const whole = await run('~*', '+@read', '+ping', '+info', '+time', '-@write');
    expect(idsOf(whole)).toEqual(['D15']);

    const some = await run(
      '~orders',
      '~{orders}:dead',
      '+scan',
      '+xlen',
      '+xinfo|stream',
      '+xinfo|groups',
      '+xrevrange',
    );
    expect(some.code).toBe(0);
    expect(idsOf(some)).toEqual(['D15']);
    expect(some.stderr).toMatch(/^streamlog: warning: 1 stream not looked at: the user may not read it$/m);
    expect(some.stderr).toMatch(/^streamlog: warning: D01, D05, D06 not looked for: .*XPENDING/m);
    expect(some.stderr).toMatch(/^streamlog: warning: D02 not looked for: .*XINFO CONSUMERS/m);
    expect(some.stderr).toMatch(/D09, D10 not looked for/);

    const fewest = await run('~orders', '~{orders}:dead', '+scan', '+xlen', '+xinfo|stream');
    expect([fewest.code, idsOf(fewest)]).toEqual([0, ['D15']]);
    expect(fewest.stderr).toMatch(/D01, D02, .*D17 not looked for: the user may not send XINFO GROUPS/);
  });

  it('who may read nothing is not left with the impression that all is well', async () => {
    const none = await run('~none', '+scan', '+ping');
    expect(none.stdout).toBe('');
    expect(none.stderr).toContain('not looked at: the user may not read');
    expect(none.code).toBe(77);
  });
});

describe.concurrent('topologies', () => {
  it('a replica is asked like any other', async () => {
    const master = await startRedis({tcp: true});
    const replica = await startRedis({tcp: true, args: ['--replicaof', '127.0.0.1', String(master.port)]});
    try {
      await arrange(master.redis as Redis);
      await until(async () => (await replica.redis.xlen('{orders}:dead')) === 1, 'it has followed');
      expect(idsOf(await streamlog(['doctor', '--json'], {server: replica}))).toEqual(['D15']);
    } finally {
      await replica.stop();
      await master.stop();
    }
  });

  it('a cluster is asked whole, and its commands reach the right node', async () => {
    const cluster = await startCluster();
    try {
      const streams = ['orders', 'mail', 'events', 'jobs'];
      for (const stream of streams) {
        const {redis} = await cluster.nodeOf(stream);
        await arrange(redis as Redis, stream, `{${stream}}:dead`);
        await redis.hset(`{${stream}}:streamlog:producer:${stream}:p`, 'n', '1');
      }
      const env = {STREAMLOG_URL: cluster.url};
      const before = await streamlog(['doctor', '--json'], {env});
      expect(idsOf(before)).toEqual(streams.flatMap(() => ['D15', 'D16']));
      for (const {mend} of ofStreams(before))
        for (const line of mend) expect([line, (await paste(line, {env})).code]).toEqual([line, 0]);
      expect(idsOf(await streamlog(['doctor', '--json'], {env}))).toEqual([]);
    } finally {
      await cluster.stop();
    }
  });

  it('behind sentinels, the master is asked', async () => {
    const set = await startSentinelSet();
    try {
      await arrange(set.master.redis as Redis);
      await leaveKey(set.master.redis);
      const env = {STREAMLOG_URL: set.url};
      const before = await streamlog(['doctor', '--json'], {env});
      expect(idsOf(before)).toEqual(['D15', 'D16']);
      for (const {mend} of ofStreams(before))
        for (const line of mend) expect([line, (await paste(line, {env})).code]).toEqual([line, 0]);
      expect(idsOf(await streamlog(['doctor', '--json'], {env}))).toEqual([]);
    } finally {
      await set.stop();
    }
  });

  it('a server that is not there is said', async () => {
    const {code, stdout, stderr} = await streamlog(['doctor', '-u', `127.0.0.1:${await freePort()}`]);
    expect([code, stdout]).toEqual([69, '']);
    expect(stderr).toContain('cannot reach Redis');
  });
});
