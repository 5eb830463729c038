/** How serve reads a request: its target, its headers and its records, under both runtimes. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {RUNTIMES, type Served, sendRaw, serve, statuses} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';

const redis = serverForAll();

const RECORD = '{"n":1}';
const raw = async (served: Served, target: string, ...headers: string[]): Promise<string> => {
  const given = ['Host: localhost', 'Content-Type: application/json', ...headers];
  const lines = [`POST ${target} HTTP/1.1`, ...given, `Content-Length: ${RECORD.length}`, 'Connection: close', '', ''];
  return sendRaw(served.url, lines.join('\r\n') + RECORD).closed;
};
const codeIn = (received: string): string | undefined => /"code":"(\w+)"/.exec(received)?.[1];
const end = async (served: Served): Promise<void> => {
  served.process.kill('SIGTERM');
  expect((await served.finished).code).toBe(0);
};

describe.each(RUNTIMES)('%s', (_, start) => {
  let served: Served;
  beforeAll(async () => {
    served = await start(['--log-format', 'json', '--null', 'none', '--allow-host', 'logs.example'], redis);
  });
  afterAll(() => end(served));
  afterEach(() => redis.redis.flushall());

  it.each([
    '/streams/t#secret',
    '/streams/..',
    '/streams/.',
    '/streams/%2e%2E',
    '/streams/a\\b',
    '/streams/../streams/t',
  ])('refuses the target %s, adds nothing, and logs no path for it', async (target) => {
    const before = served.stderr().length;
    const received = await raw(served, target);
    expect([statuses(received), codeIn(received)]).toEqual([[400], 'bad_target']);
    expect(await redis.redis.dbsize()).toBe(0);
    const logged = (): string => served.stderr().slice(before);
    await until(() => logged().includes('"bad_target"}\n'), 'it is logged');
    const line = logged();
    expect(JSON.parse(line)).toMatchObject({path: '-', status: 400, error: 'bad_target'});
    expect(line).not.toContain('secret');
  });

  it('takes a target in absolute form, whose host counts in place of the header', async () => {
    expect(statuses(await raw(served, 'http://localhost:1/streams/a'))).toEqual([201]);
    expect(statuses(await raw(served, 'HTTP://logs.example/streams/a', 'X: y'))).toEqual([201]);
    expect(codeIn(await raw(served, 'http://evil.example/streams/a'))).toBe('misdirected');
    expect(codeIn(await raw(served, 'http://user:pw@localhost/streams/a'))).toBe('bad_target');
    expect(await redis.redis.xlen('a')).toBe(2);
  });

  it.each([
    ['Authorization: Bearer a', 'Authorization: Bearer b'],
    ['authorization: Bearer a', 'AUTHORIZATION: Bearer a'],
    ['Content-Type: application/json'],
    ['Content-Encoding: identity', 'Content-Encoding: gzip'],
    ['Idempotency-Key: a', 'Idempotency-Key: b'],
    ['Expect: 100-continue', 'Expect: 100-continue'],
  ])('refuses a header that comes twice: %s', async (...headers) => {
    const received = await raw(served, '/streams/a', ...headers);
    expect([statuses(received), codeIn(received)]).toEqual([[400], 'bad_request']);
    expect(await redis.redis.exists('a')).toBe(0);
  });

  it.each([
    ['application/json; charset=utf-8', 1],
    ['application/cloudevents+json', 1],
    ['application/vnd.api+json; charset="UTF-8"', 1],
    ['application/x-ndjson', 2],
    ['application/ndjson; charset=utf-8', 2],
    ['Application/JSONL', 2],
  ])('takes %s', async (type, records) => {
    const response = await served.post('/streams/a', `${RECORD}\n`.repeat(records), {'Content-Type': type});
    expect([response.status, await redis.redis.xlen('a')]).toEqual([201, records]);
  });

  it.each(['text/plain', 'application/+json', '+json', 'application/x+jsonx', 'application/json; charset=latin1'])(
    'does not take %s',
    async (type) => {
      expect((await served.post('/streams/a', RECORD, {'Content-Type': type})).status).toBe(415);
    },
  );

  it('stores what --null says for null, in records of any shape', async () => {
    for (const [body, type] of [
      ['{"a":null,"b":[null]}', 'application/json'],
      ['[{"a":null}]', 'application/json'],
      ['{"a":null}\n', 'application/x-ndjson'],
    ] as const)
      expect((await served.post('/streams/a', body, {'Content-Type': type})).status).toBe(201);
    expect((await redis.redis.xrange('a', '-', '+')).map(([, fields]) => fields)).toEqual([
      ['a', 'none', 'b', '[null]'],
      ['a', 'none'],
      ['a', 'none'],
    ]);
  });

  it.each([
    ['{"_dlq_stream":"admin"}', 'application/json'],
    ['{"a":1,"_dlq_":2}', 'application/json'],
    ['{"\\u005fdlq_id":"1-0"}', 'application/json'],
    ['[{"a":1},{"_dlq_stream":"admin"}]', 'application/json'],
    ['{"a":1}\n{"_dlq_at":1}\n', 'application/x-ndjson'],
  ])('takes no field that says what only a dead letter says: %s', async (body, type) => {
    const response = await served.post('/streams/a', body, {'Content-Type': type});
    expect([response.status, await response.json()]).toMatchObject([400, {error: {code: 'reserved_field'}}]);
    expect(await redis.redis.exists('a')).toBe(0);
    expect((await served.post('/streams/a', '{"_dlq":1,"dlq_":2,"x_dlq_":3}')).status).toBe(201);
  });
});

it('an Idempotency-Key is that of a token: another may use the same for another request', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  const file = join(directory, 'tokens');
  writeFileSync(file, 'token-of-a\ntoken-of-b\n', {mode: 0o600});
  const served = await serve(['--token-file', file], {server: redis});
  const add = async (token: string, body: string): Promise<[number, unknown]> => {
    const headers = {Authorization: `Bearer ${token}`, 'Idempotency-Key': 'order-1'};
    const response = await served.post('/streams/orders', body, headers);
    return [response.status, ((await response.json()) as {id?: string}).id];
  };
  const first = await add('token-of-a', '{"of":"a"}');
  expect((await add('token-of-b', '{"of":"b"}'))[0]).toBe(201);
  expect(await add('token-of-a', '{"of":"a"}')).toEqual(first);
  expect((await add('token-of-b', '{"of":"a"}'))[0]).toBe(422);
  expect(await redis.redis.xlen('orders')).toBe(2);
  await end(served);
  rmSync(directory, {recursive: true});
});
