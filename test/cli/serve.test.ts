import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {REFUSALS} from '../../src/lib/serve/responses.js';
import {
  cuttingProxy,
  NDJSON_TYPE,
  postHead,
  ready,
  type Served,
  sendRaw,
  serve,
  startUnderNode,
  statuses,
} from '../support/http.js';
import {
  freePort,
  type RedisServer,
  type ServerOptions,
  serverForAll,
  startRedis,
  until,
} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

/** What is refused is said in this shape. */
const refusal = (code: keyof typeof REFUSALS, more: object = {}) => ({
  error: {code, message: expect.any(String), ...more},
});
const ID = expect.stringMatching(/^\d+-\d+$/);

/** All IDs and fields of a stream, straight from Redis. */
async function entries(server: RedisServer, stream: string): Promise<[id: string, fields: string[]][]> {
  return (await server.redis.xrange(stream, '-', '+')) as [string, string[]][];
}

/** Ends a server as its operator does, and returns what it came to. */
async function end(served: Served, signal: NodeJS.Signals = 'SIGTERM') {
  served.process.kill(signal);
  return served.finished;
}

/** A server for one test, stopped whatever becomes of the test. */
async function redisOfTest(options?: ServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

const redis = serverForAll();

describe('adding', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve([], {server: redis});
  });
  afterAll(() => end(served));
  afterEach(() => redis.redis.flushall());

  it('a JSON object adds one entry and answers with its ID', async () => {
    const response = await served.post(
      '/streams/events',
      '{"type":"login","n":12345678901234567890,"deep":{"a": [1, 2]}}',
    );
    const body = (await response.json()) as {id: string};
    expect([response.status, body]).toEqual([201, {id: ID}]);
    expect(await entries(redis, 'events')).toEqual([
      [body.id, ['type', 'login', 'n', '12345678901234567890', 'deep', '{"a":[1,2]}']],
    ]);
  });

  it('a JSON array adds a batch in its order and answers with all IDs', async () => {
    const response = await served.post('/streams/events', '[{"n":1.0},{"n":2},{"n":3}]');
    const body = (await response.json()) as {ids: string[]};
    expect([response.status, body]).toEqual([201, {ids: [ID, ID, ID]}]);
    expect(await entries(redis, 'events')).toEqual([
      [body.ids[0], ['n', '1.0']],
      [body.ids[1], ['n', '2']],
      [body.ids[2], ['n', '3']],
    ]);
  });

  it('NDJSON adds a batch', async () => {
    const response = await served.post('/streams/events', '{"n":1}\n\n{"n":2}', NDJSON_TYPE);
    expect([response.status, await response.json()]).toEqual([201, {ids: [ID, ID]}]);
    expect((await entries(redis, 'events')).map(([, fields]) => fields)).toEqual([
      ['n', '1'],
      ['n', '2'],
    ]);
  });

  it('NDJSON that is announced as JSON is refused as a whole, and nothing of it is dropped in silence', async () => {
    for (const body of ['{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}\n{"a":3}\n', '{"e":1}\nxyz', '{"e":1}\n\0']) {
      const response = await served.post('/streams/events', body);
      expect([response.status, await response.json()]).toEqual([400, refusal('bad_json', {line: 2, column: 1})]);
    }
    expect(await redis.redis.exists('events')).toBe(0);
    expect((await served.post('/streams/events', '\r\n{"a":1}\n\n')).status).toBe(201);
  });

  it('names hostile to shells, paths and JavaScript are names', async () => {
    const names = ['__proto__', 'constructor', '😀', 'a/b', 'line\nbreak', 'a b+c', '%', '{tag}:x'];
    for (const name of names) {
      const response = await served.post(`/streams/${encodeURIComponent(name)}`, '{"__proto__":"x"}');
      expect([name, response.status]).toEqual([name, 201]);
    }
    expect((await redis.redis.keys('*')).sort()).toEqual([...names].sort());
    expect((await entries(redis, '__proto__'))[0]![1]).toEqual(['__proto__', 'x']);
  });

  it('a body may come in pieces, cut anywhere', async () => {
    const body = Buffer.from('{"name":"grüße 😀"}');
    const raw = sendRaw(served.url, postHead('/streams/events', 'Transfer-Encoding: chunked', 'Connection: close'));
    for (const byte of body)
      raw.socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
    raw.socket.write('0\r\n\r\n');
    expect(statuses(await raw.closed)).toEqual([201]);
    expect((await entries(redis, 'events'))[0]![1]).toEqual(['name', 'grüße 😀']);
  });

  it('one connection carries many requests, also sent before the answers, and answers in order', async () => {
    const requests = [1, 2, 3].map((n) => `${postHead('/streams/events', 'Content-Length: 7')}{"n":${n}}`);
    const raw = sendRaw(served.url, requests.join(''));
    await until(() => statuses(raw.received()).length === 3, 'three answers came');
    raw.socket.write(`${postHead('/streams/events', 'Content-Length: 7', 'Connection: close')}{"n":4}`);
    const received = await raw.closed;
    expect(statuses(received)).toEqual([201, 201, 201, 201]);
    const ids = [...received.matchAll(/"id":"(.*?)"/g)].map(([, id]) => id);
    expect((await entries(redis, 'events')).map(([id, [, n]]) => [id, n])).toEqual(
      ids.map((id, at) => [id, String(at + 1)]),
    );
  });

  it('many at a time each get their own entry', async () => {
    const answers = await Promise.all(
      Array.from({length: 200}, async (_, n) => {
        const response = await served.post('/streams/events', `{"n":${n}}`);
        return [response.status, ((await response.json()) as {id: string}).id, String(n)] as const;
      }),
    );
    expect(answers.every(([status]) => status === 201)).toBe(true);
    const stored = new Map((await entries(redis, 'events')).map(([id, [, n]]) => [id, n]));
    expect(stored).toEqual(new Map(answers.map(([, id, n]) => [id, n])));
    expect(stored.size).toBe(200);
  });

  it('a client that waits to be asked for its body is asked', async () => {
    const raw = sendRaw(
      served.url,
      postHead('/streams/events', 'Content-Length: 7', 'Expect: 100-continue', 'Connection: close'),
    );
    await until(() => raw.received().startsWith('HTTP/1.1 100 Continue\r\n\r\n'), 'it was asked');
    raw.socket.write('{"n":1}');
    expect(statuses(await raw.closed)).toEqual([100, 201]);
  });

  it('a batch that Redis takes in part says of each record what became of it', async () => {
    // Two IDs are left in this stream.
    await redis.redis.xadd('events', '18446744073709551615-18446744073709551613', 'n', '0');
    const response = await served.post('/streams/events', '[{"n":1},{"n":2},{"n":3}]');
    expect([response.status, await response.json()]).toEqual([
      207,
      {
        results: [
          {id: '18446744073709551615-18446744073709551614'},
          {id: '18446744073709551615-18446744073709551615'},
          refusal('refused'),
        ],
      },
    ]);
    expect(await redis.redis.xlen('events')).toBe(3);
    const full = await served.post('/streams/events', '{"n":4}');
    expect([full.status, await full.json()]).toEqual([409, refusal('refused')]);
  });
});

describe('refusing', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(
      ['--max-body', '1KB', '--max-records', '3', '--allow-stream', 'ok-*', '--allow-stream', 'events'],
      {
        server: redis,
      },
    );
    await redis.redis.set('ok-string', 'no stream');
  });
  afterAll(() => end(served));

  const SECRET = 'hunter2-echo';
  const post = (path: string, body: string, headers?: Record<string, string>) => () => served.post(path, body, headers);
  const request = (path: string, init: RequestInit) => () => fetch(`${served.url}${path}`, init);

  it.each<[what: string, code: keyof typeof REFUSALS, send: () => Promise<Response>]>([
    ['bad JSON', 'bad_json', post('/streams/events', `{"${SECRET}":}`)],
    ['a bad record in an array', 'bad_json', post('/streams/events', `[{"a":1},{"${SECRET}":null}]`)],
    ['a bad line', 'bad_json', post('/streams/events', `{"a":1}\n{"a":${SECRET}}\n`, NDJSON_TYPE)],
    ['an empty body', 'bad_json', post('/streams/events', '')],
    ['an empty batch', 'no_records', post('/streams/events', '[]')],
    ['a malformed name', 'bad_path', post(`/streams/${SECRET}%zz`, '{"a":1}')],
    ['a query', 'bad_query', post(`/streams/events?maxlen=${SECRET}`, '{"a":1}')],
    ['a stream that is not allowed', 'stream_not_allowed', post(`/streams/${SECRET}`, '{"a":1}')],
    ['an allowed name in capitals', 'stream_not_allowed', post('/streams/Events', '{"a":1}')],
    ['an unknown path', 'not_found', request(`/${SECRET}`, {})],
    ['a path below a stream', 'not_found', post(`/streams/events/${SECRET}`, '{"a":1}')],
    ['a wrong method', 'method_not_allowed', request('/streams/events', {method: 'DELETE'})],
    ['a wrong method for a probe', 'method_not_allowed', request('/readyz', {method: 'POST', body: SECRET})],
    ['a key of another type', 'wrong_type', post('/streams/ok-string', `{"${SECRET}":1}`)],
    ['no content type', 'unsupported_type', request('/streams/events', {method: 'POST', body: Buffer.from(SECRET)})],
    [
      'a form',
      'unsupported_type',
      request('/streams/events', {method: 'POST', body: new URLSearchParams({a: SECRET})}),
    ],
    [
      'another charset',
      'unsupported_type',
      post('/streams/events', '{"a":1}', {'Content-Type': `application/json; charset=${SECRET}`}),
    ],
    ['a compressed body', 'unsupported_encoding', post('/streams/events', '{"a":1}', {'Content-Encoding': 'gzip'})],
    ['a large body', 'too_large', post('/streams/events', `{"a":"${SECRET.repeat(200)}"}`)],
    ['too many records', 'too_many_records', post('/streams/events', '[{"a":1},{"a":1},{"a":1},{"a":1}]')],
  ])('%s: %s', async (_, code, send) => {
    const response = await send();
    const text = await response.text();
    expect(response.status).toBe(REFUSALS[code].status);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(JSON.parse(text)).toMatchObject(refusal(code));
    expect(text + [...response.headers].join()).not.toContain(SECRET);
  });

  it('says where a batch is bad, and adds nothing of it', async () => {
    const response = await served.post('/streams/events', '{"a":1}\n\n{"a":}\n', NDJSON_TYPE);
    expect(await response.json()).toEqual(refusal('bad_json', {index: 1, line: 3, column: 6}));
    expect(await redis.redis.exists('events')).toBe(0);
  });

  it('a wrong method is told the right ones', async () => {
    expect((await fetch(`${served.url}/streams/events`)).headers.get('Allow')).toBe('POST');
    expect((await fetch(`${served.url}/livez`, {method: 'PUT'})).headers.get('Allow')).toBe('GET, HEAD');
  });

  it('a body that grows too large is not read to its end', async () => {
    const raw = sendRaw(served.url, postHead('/streams/events', 'Transfer-Encoding: chunked'));
    raw.socket.write(`800\r\n${'x'.repeat(0x800)}\r\n`);
    const received = await raw.closed;
    expect(statuses(received)).toEqual([413]);
    expect(received).toContain('Connection: close');
  });

  it('a body announced as too large is refused before any of it came', async () => {
    const raw = sendRaw(served.url, postHead('/streams/events', 'Content-Length: 999999', 'Expect: 100-continue'));
    const received = await raw.closed;
    expect(statuses(received)).toEqual([413]);
    expect(received).toContain('Connection: close');
  });

  it('what follows a refused body on the same connection is never taken for a request', async () => {
    const hidden = `${postHead('/streams/events', 'Content-Length: 7')}{"n":1}`;
    const raw = sendRaw(served.url, `${postHead('/streams/events', `Content-Length: ${99_999}`)}${hidden}`);
    expect(statuses(await raw.closed)).toEqual([413]);
    expect(await redis.redis.exists('events')).toBe(0);
  });

  it('a small refused body leaves the connection usable', async () => {
    const raw = sendRaw(
      served.url,
      `${postHead('/streams/nope', 'Content-Length: 7')}{"n":1}${postHead('/streams/ok-1', 'Content-Length: 7', 'Connection: close')}{"n":2}`,
    );
    expect(statuses(await raw.closed)).toEqual([403, 201]);
  });

  it.each([
    ['garbage', 'hello\r\n\r\n', 400],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
    ['two lengths', `${postHead('/streams/events', 'Content-Length: 7', 'Content-Length: 8')}{"n":1}`, 400],
    [
      'a length and chunks',
      `${postHead('/streams/events', 'Content-Length: 7', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      400,
    ],
    ['an unknown transfer encoding', `${postHead('/streams/events', 'Transfer-Encoding: xchunked')}0\r\n\r\n`, 400],
    ['a header name with a space', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX : 1\r\n\r\n', 400],
    [
      'a chunk size that overflows',
      `${postHead('/streams/events', 'Transfer-Encoding: chunked')}fffffffffffffffff\r\n`,
      400,
    ],
    ['a name that is not ASCII', postHead('/streams/\u00e9', 'Content-Length: 0'), 400],
    ['a header beyond all measure', `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['another expectation', postHead('/streams/events', 'Content-Length: 0', 'Expect: 200-ok'), 417],
  ])('%s is answered once, with JSON, and the connection ends', async (_, bytes, status) => {
    const raw = sendRaw(served.url, bytes);
    await until(() => raw.received().includes('\r\n\r\n{'), 'an answer came');
    raw.socket.end();
    const received = await raw.closed;
    expect(statuses(received)).toEqual([status]);
    expect(JSON.parse(received.slice(received.indexOf('\r\n\r\n')))).toMatchObject({error: {code: expect.any(String)}});
    expect(await redis.redis.exists('events')).toBe(0);
  });

  it('an offer to change the protocol is passed over, and a tunnel is not opened', async () => {
    const offer = postHead('/streams/ok-2', 'Content-Length: 7', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c');
    const next = postHead('/streams/ok-2', 'Content-Length: 7', 'Connection: close');
    const upgrade = sendRaw(served.url, `${offer}{"n":1}${next}{"n":2}`);
    const tunnel = sendRaw(served.url, 'CONNECT redis:6379 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(statuses(await upgrade.closed)).toEqual([201, 201]);
    expect(await tunnel.closed).toBe('');
  });

  it('a request that is broken off half-way adds nothing', async () => {
    const watched = await serve(['--log-format', 'json'], {server: redis});
    const raw = sendRaw(
      watched.url,
      `${postHead('/streams/half', 'Content-Length: 100').replace('json', 'x-ndjson')}{"n":1}\n{"n":2}\n`,
    );
    await until(async () => (await fetch(`${watched.url}/livez`)).ok, 'the server has read what came');
    raw.socket.destroy();
    await until(() => watched.stderr().includes('"path":"/streams/half"'), 'the server has noticed');
    expect(await redis.redis.exists('half')).toBe(0);
    expect((await end(watched)).code).toBe(0);
  });

  it('makes no stream with --no-create', async () => {
    const strict = await serve(['--no-create'], {server: redis});
    const single = await strict.post('/streams/missing', '{"a":1}');
    const batch = await strict.post('/streams/missing', '[{"a":1},{"a":2}]');
    expect([single.status, await single.json()]).toEqual([404, refusal('no_stream')]);
    expect([batch.status, await batch.json()]).toEqual([404, refusal('no_stream')]);
    await end(strict);
  });

  it('trims as produce does', async () => {
    const trimming = await serve(['--maxlen', '2'], {server: redis});
    for (const n of [1, 2, 3]) await trimming.post('/streams/short', `{"n":${n}}`);
    await trimming.post('/streams/short', '[{"n":4}]');
    expect((await entries(redis, 'short')).map(([, [, n]]) => n)).toEqual(['3', '4']);
    await end(trimming);
  });
});

describe('tokens', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  });
  afterAll(() => rmSync(directory, {recursive: true, force: true}));

  it('let in those who have one, and nobody learns one from an answer or a log', async () => {
    const file = join(directory, 'tokens');
    writeFileSync(file, 'old-secret\n\nnew-secret\n');
    const served = await serve(['--token-file', file, '--token', 'third-secret', '--log-format', 'json'], {
      server: redis,
    });
    const tried = async (headers: Record<string, string>): Promise<number> => {
      const response = await served.post('/streams/secured', '{"a":1}', headers);
      expect(await response.text()).not.toMatch(/secret/);
      if (response.status === 401) expect(response.headers.get('WWW-Authenticate')).toMatch(/^Bearer/);
      return response.status;
    };
    for (const token of ['old-secret', 'new-secret', 'third-secret'])
      expect(await tried({Authorization: `Bearer ${token}`})).toBe(201);
    for (const headers of [{}, {Authorization: 'Bearer guessed-secret'}, {Authorization: 'Basic old-secret'}])
      expect(await tried(headers as Record<string, string>)).toBe(401);
    expect(await redis.redis.xlen('secured')).toBe(3);
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
    expect((await fetch(`${served.url}/readyz`)).status).toBe(200);
    const {stdout, stderr} = await end(served);
    expect(stdout + stderr).not.toMatch(/secret/);
  });

  it('come from the environment too, and are asked for before the body', async () => {
    const served = await serve([], {server: redis, env: {STREAMLOG_TOKEN: 'from-env'}});
    const raw = sendRaw(served.url, postHead('/streams/secured2', 'Content-Length: 100000'));
    expect(statuses(await raw.closed)).toEqual([401]);
    expect((await served.post('/streams/secured2', '{"a":1}', {Authorization: 'Bearer from-env'})).status).toBe(201);
    await end(served);
  });

  it('are needed off loopback: without one the server does not start', async () => {
    const {code, stdout, stderr} = await streamlog(['serve', '--listen', `:${await freePort()}`], {server: redis});
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toContain('hint: set STREAMLOG_TOKEN');
    expect(stderr).not.toContain('listening');
  });
});

describe('Redis away', () => {
  it('serve comes up before Redis does, says 503 meanwhile, and then works', async () => {
    const port = await freePort();
    const served = await serve([], {env: {STREAMLOG_URL: `redis://127.0.0.1:${port}`}});
    expect(served.stderr()).toMatch(/warning: cannot reach Redis .*; trying again/);
    const refused = await served.post('/streams/events', '{"a":1}');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
    expect(await refused.json()).toEqual(refusal('redis_unavailable'));
    expect((await fetch(`${served.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
    await redisOfTest({args: ['--port', String(port)]});
    await until(async () => (await fetch(`${served.url}/readyz`)).ok, 'serve has found Redis');
    expect((await served.post('/streams/events', '{"a":1}')).status).toBe(201);
    const {code, stderr} = await end(served);
    expect(code).toBe(0);
    expect(stderr.match(/warning: cannot reach/g)).toHaveLength(1);
  });

  it('a Redis that is killed and started again loses nothing that was answered with 201', async () => {
    const persistent = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const first = await redisOfTest({tcp: true, args: persistent});
    const served = await serve([], {server: first});
    const added: string[] = [];
    const seen = new Set<number>();
    let sending = true;
    const load = Promise.all(
      Array.from({length: 8}, async () => {
        while (sending) {
          const response = await served.post('/streams/events', '{"a":1}');
          const body = (await response.json()) as {id: string; error: {code: string}};
          seen.add(response.status);
          if (response.status === 201) added.push(body.id);
          else expect(['redis_unavailable', 'redis_refuses', 'unknown_outcome']).toContain(body.error.code);
        }
      }),
    );
    await until(() => added.length > 50, 'entries arrive');
    first.process.kill('SIGKILL');
    await until(() => seen.has(503), 'requests are refused');
    expect((await fetch(`${served.url}/readyz`)).status).toBe(503);
    const before = added.length;
    const second = await redisOfTest({args: ['--port', String(first.port), '--dir', first.directory, ...persistent]});
    await until(() => added.length > before + 50, 'serve has recovered by itself');
    sending = false;
    await load;
    expect([...seen].sort()).toEqual([201, 503]);
    const stored = new Set((await entries(second, 'events')).map(([id]) => id));
    expect(added.filter((id) => !stored.has(id))).toEqual([]);
    const {code, stderr} = await end(served);
    expect(code).toBe(0);
    expect(stderr).toContain('was lost; trying again');
  });

  it('a request whose answer from Redis is lost says that its outcome is unknown', async () => {
    const server = await redisOfTest({tcp: true});
    const proxy = await cuttingProxy(server);
    const served = await serve(['--timeout', '1m'], {env: {STREAMLOG_URL: proxy.url}});
    server.process.kill('SIGSTOP');
    const lost = served.post('/streams/events', '{"a":1}');
    const lostBatch = served.post('/streams/events', '[{"a":2},{"a":3}]');
    await until(async () => (await fetch(`${served.url}/readyz`)).status === 503, 'Redis hangs');
    proxy.close();
    for (const response of [await lost, await lostBatch]) {
      expect([response.status, response.headers.get('Retry-After')]).toEqual([503, null]);
      expect(await response.json()).toEqual({...refusal('unknown_outcome'), outcome: 'unknown'});
    }
    server.process.kill('SIGCONT');
    await end(served);
  });

  it('a batch that is cut in the middle says which records are known to be added', async () => {
    const server = await redisOfTest({tcp: true});
    const proxy = await cuttingProxy(server);
    const served = await serve([], {env: {STREAMLOG_URL: proxy.url}});
    // So that what comes now is nothing but replies to XADDs.
    expect((await served.post('/streams/events', '{"a":0}')).status).toBe(201);
    // The replies to two of them: "$15\r\n1526919030474-0\r\n" each.
    proxy.cutAfter(2 * 22);
    const response = await served.post('/streams/events', '[{"a":1},{"a":2},{"a":3},{"a":4}]');
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        ...refusal('unknown_outcome'),
        outcome: 'unknown',
        results: [{id: ID}, {id: ID}, refusal('unknown_outcome'), refusal('unknown_outcome')],
      },
    ]);
    expect(await server.redis.xlen('events')).toBe(5);
    proxy.close();
    await end(served);
  });

  it('a Redis that hangs holds up no more requests than --max-inflight', async () => {
    const server = await redisOfTest();
    const served = await serve(['--max-inflight', '2', '--timeout', '1m'], {server});
    server.process.kill('SIGSTOP');
    const waiting = [served.post('/streams/events', '{"a":1}'), served.post('/streams/events', '{"a":2}')];
    await until(async () => (await fetch(`${served.url}/readyz`)).status === 503, 'Redis hangs');
    const refused = await served.post('/streams/events', '{"a":3}');
    expect([refused.status, refused.headers.get('Retry-After'), await refused.json()]).toEqual([
      503,
      '1',
      refusal('overloaded'),
    ]);
    server.process.kill('SIGCONT');
    expect((await Promise.all(waiting)).map(({status}) => status)).toEqual([201, 201]);
    expect((await served.post('/streams/events', '{"a":4}')).status).toBe(201);
    expect(await server.redis.xlen('events')).toBe(3);
    await end(served);
  });

  it('garbage behind a request that waits for Redis is not answered in its place', async () => {
    const server = await redisOfTest();
    const served = await serve(['--timeout', '1m'], {server});
    server.process.kill('SIGSTOP');
    const raw = sendRaw(served.url, `${postHead('/streams/events', 'Content-Length: 7')}{"a":1}`);
    await until(async () => (await fetch(`${served.url}/readyz`)).status === 503, 'Redis hangs');
    raw.socket.write('garbage\r\n\r\n');
    expect(await raw.closed).toBe('');
    server.process.kill('SIGCONT');
    await until(async () => (await server.redis.xlen('events')) === 1, 'the request took effect');
    await end(served);
  });

  it('a Redis that refuses for now, or for lack of rights, is a 503 that tells nothing of it', async () => {
    const server = await redisOfTest();
    await server.redis.call('ACL', 'SETUSER', 'reader', 'on', '>pass', '~*', '+@all', '-xadd');
    const served = await serve([], {server});
    await server.redis.config('SET', 'maxmemory', '1');
    const full = await served.post('/streams/events', '{"a":1}');
    expect([full.status, full.headers.get('Retry-After'), await full.json()]).toEqual([
      503,
      '1',
      refusal('redis_refuses'),
    ]);
    const fullBatch = await served.post('/streams/events', '[{"a":1},{"a":2}]');
    expect([fullBatch.status, await fullBatch.json()]).toEqual([503, refusal('redis_refuses')]);
    await server.redis.config('SET', 'maxmemory', '0');
    await end(served);

    const limited = await serve([], {server, env: {STREAMLOG_USERNAME: 'reader', STREAMLOG_PASSWORD: 'pass'}});
    const denied = await limited.post('/streams/events', '{"a":1}');
    expect([denied.status, await denied.json()]).toEqual([503, refusal('redis_denied')]);
    expect((await end(limited)).stderr).toContain('may not run XADD');
  });

  it.each([
    ['a batch', {}],
    ['a batch with an Idempotency-Key', {'Idempotency-Key': 'k'}],
  ])('%s refused by a Redis that has become a replica makes serve look for the master again', async (_, headers) => {
    const server = await redisOfTest();
    const served = await serve([], {server});
    const connection = async (): Promise<string | undefined> =>
      /^id=(\d+) .* name=streamlog /m.exec((await server.redis.call('CLIENT', 'LIST')) as string)?.[1];
    const before = await connection();
    await server.redis.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    const refused = await served.post('/streams/events', '[{"a":1},{"a":2}]', headers);
    expect([refused.status, await refused.json()]).toEqual([503, refusal('redis_refuses')]);
    await until(async () => (await connection()) !== before, 'serve has connected again');
    await server.redis.call('REPLICAOF', 'NO', 'ONE');
    expect((await served.post('/streams/events', '[{"a":1},{"a":2}]')).status).toBe(201);
    await end(served);
  });

  it('a wrong password or URL ends serve at once: waiting would not mend it', async () => {
    await redis.redis.call('ACL', 'SETUSER', 'writer', 'on', '>right', '~*', '+@all');
    const env = {STREAMLOG_USERNAME: 'writer', STREAMLOG_PASSWORD: 'pw-1'};
    const wrong = await streamlog(['serve', '--listen', '127.0.0.1:0'], {server: redis, env});
    expect([wrong.code, wrong.stderr.includes('pw-1')]).toEqual([77, false]);
    expect((await streamlog(['serve', '--url', 'http://x'])).code).toBe(78);
  });
});

describe('shutting down', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s under load: every 201 is in the stream, and the exit code is 0',
    async (signal) => {
      const server = await redisOfTest();
      const served = await serve([], {server});
      const added: string[] = [];
      const refused = new Set<string>();
      let gone = false;
      const load = Promise.all(
        Array.from({length: 8}, async () => {
          while (!gone) {
            try {
              const response = await served.post('/streams/events', '{"a":1}');
              const body = (await response.json()) as {id: string; error: {code: string}};
              if (response.status === 201) added.push(body.id);
              else refused.add(body.error.code);
            } catch {
              gone = true;
            }
          }
        }),
      );
      await until(() => added.length > 100, 'entries arrive');
      const {code, stdout, stderr} = await end(served, signal);
      await load;
      expect([code, stdout]).toEqual([0, '']);
      expect(stderr).toContain('shutting down');
      const stored = new Set((await entries(server, 'events')).map(([id]) => id));
      expect(added.filter((id) => !stored.has(id))).toEqual([]);
      expect([...refused].filter((reason) => reason !== 'shutting_down')).toEqual([]);
    },
  );

  it('answers what is in hand, takes nothing new, and ends connections that are idle or stuck', async () => {
    const server = await redisOfTest();
    const served = await serve(['--timeout', '1m'], {server});
    const stuck = sendRaw(served.url, 'GET /livez HT');
    const idle = sendRaw(served.url, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => statuses(idle.received()).length === 1, 'one connection is idle');
    server.process.kill('SIGSTOP');
    const inFlight = sendRaw(served.url, `${postHead('/streams/events', 'Content-Length: 7')}{"a":1}`);
    const halfWay = sendRaw(served.url, `${postHead('/streams/events', 'Content-Length: 7')}{"a"`);
    await until(async () => (await fetch(`${served.url}/readyz`)).status === 503, 'Redis hangs');
    served.process.kill('SIGTERM');
    await until(() => served.stderr().includes('shutting down'), 'the signal arrived');
    await until(
      () =>
        fetch(`${served.url}/livez`, {headers: {Connection: 'close'}}).then(
          () => false,
          () => true,
        ),
      'no new connection is taken',
    );
    halfWay.socket.write(':2}');
    server.process.kill('SIGCONT');
    for (const received of [await inFlight.closed, await halfWay.closed]) {
      expect(statuses(received)).toEqual([201]);
      expect(received).toContain('Connection: close');
    }
    await Promise.all([stuck.closed, idle.closed]);
    expect((await served.finished).code).toBe(0);
    expect(await server.redis.xlen('events')).toBe(2);
  });

  it('waits no longer than --drain, and says what it could not account for', async () => {
    const server = await redisOfTest();
    const served = await serve(['--drain', '200ms'], {server});
    server.process.kill('SIGSTOP');
    const inFlight = sendRaw(served.url, `${postHead('/streams/events', 'Content-Length: 7')}{"a":1}`);
    await until(async () => (await fetch(`${served.url}/readyz`)).status === 503, 'Redis hangs');
    const {code, stderr} = await end(served);
    expect([code, statuses(await inFlight.closed)]).toEqual([70, []]);
    expect(stderr).toContain('Redis had not confirmed 1 request');
    server.process.kill('SIGCONT');
  });

  it('ends at once at the second signal', async () => {
    const server = await redisOfTest();
    const served = await serve(['--drain', '1h'], {server});
    const halfWay = sendRaw(served.url, `${postHead('/streams/events', 'Content-Length: 7')}{"a"`);
    await until(async () => (await fetch(`${served.url}/readyz`)).ok, 'the request is in hand');
    served.process.kill('SIGTERM');
    await until(() => served.stderr().includes('shutting down'), 'the first signal arrived');
    expect((await end(served)).code).toBe(143);
    await halfWay.closed;
  });
});

describe('the command', () => {
  it('keeps standard output empty and logs each request as JSON without query or body', async () => {
    const served = await serve(['--log-format', 'json'], {server: redis});
    await served.post('/streams/logged', '[{"a":"body-text"},{"b":1}]');
    await fetch(`${served.url}/livez?query-text=1`);
    await until(() => served.stderr().includes('/livez'), 'the requests are logged');
    const {stdout, stderr} = await end(served);
    expect(stdout).toBe('');
    const log = stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(log).toMatchObject([
      {client: '127.0.0.1', method: 'POST', path: '/streams/logged', status: 201, added: 2},
      {client: '127.0.0.1', method: 'GET', path: '/livez', status: 200, added: 0},
    ]);
    expect(stderr).not.toMatch(/body-text|query-text/);
  });

  it('says so when the port is taken', async () => {
    const served = await serve([], {server: redis});
    const second = await streamlog(['serve', '--listen', new URL(served.url).host], {server: redis});
    expect([second.code, second.stderr]).toEqual([78, expect.stringContaining('something else listens there')]);
    await end(served);
  });

  it.each([[['--listen', 'nonsense']], [['--allow-stream', 'a[b]']], [['--approx']], [['--max-body', 'much']]])(
    '%j is a usage error',
    async (args) => {
      expect((await streamlog(['serve', ...args], {server: redis})).code).toBe(2);
    },
  );

  it('works under Node as it does as an executable', async () => {
    const served = await ready(startUnderNode(['serve', '--listen', '127.0.0.1:0'], redis));
    const added = await served.post('/streams/node', '[{"a":1},{"a":2}]');
    expect([added.status, await added.json()]).toEqual([201, {ids: [ID, ID]}]);
    const large = sendRaw(served.url, postHead('/streams/node', 'Content-Length: 99999999'));
    expect(statuses(await large.closed)).toEqual([413]);
    const garbage = sendRaw(served.url, 'garbage\r\n\r\n');
    expect(statuses(await garbage.closed)).toEqual([400]);
    expect((await end(served)).code).toBe(0);
  });
});

describe('docs/serve.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/serve.md'), 'utf8');

  it('lists every refusal with its status', () => {
    const rows = [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(([, status, code]) => [code, Number(status)]);
    expect(rows).toEqual(Object.entries(REFUSALS).map(([code, {status}]) => [code, status]));
  });

  it('shows what curl would see', async () => {
    const served = await serve([], {server: redis, env: {STREAMLOG_TOKEN: 's3cret'}});
    const examples = [...page.matchAll(/^\$ curl (.+)\n([^$\n`].*)$/gm)];
    expect(examples.length).toBeGreaterThan(5);
    for (const [, line, shown] of examples) {
      const {url, ...init} = curl(line!);
      const response = await fetch(url.replace('http://127.0.0.1:8080', served.url), init);
      const normal = (text: string): string => text.trim().replace(/\d+-\d+/g, 'ID');
      expect([line, normal(await response.text())]).toEqual([line, normal(shown!)]);
    }
    await end(served);
  });
});

/** What a line of curl asks for, as far as the page goes; curl itself may not be there. */
function curl(line: string): {url: string; method: string; headers: Record<string, string>; body?: string} {
  const words = [...line.matchAll(/\$'((?:[^'\\]|\\.)*)'|'([^']*)'|(\S+)/g)].map(
    ([, escaped, quoted, bare]) => escaped?.replaceAll('\\n', '\n') ?? quoted ?? bare!,
  );
  const request: ReturnType<typeof curl> = {url: '', method: 'GET', headers: {}};
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-H') {
      const [name, value] = words.shift()!.split(': ');
      request.headers[name!] = value!;
    } else if (word === '-d' || word === '--data-binary') {
      request.body = words.shift()!;
      request.method = 'POST';
    } else request.url = word;
  }
  return request;
}
