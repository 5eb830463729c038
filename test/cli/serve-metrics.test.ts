import {beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {ready, type Served, sendRaw, serve, startUnderNode} from '../support/http.js';
import {serverForAll, startRedis, until} from '../support/redis-server.js';

const redis = serverForAll();

let served: Served;
async function start(args: string[] = [], env: Record<string, string> = {}): Promise<void> {
  served = await serve(args, {server: redis, env});
  onTestFinished(async () => {
    served.process.kill('SIGTERM');
    await served.finished;
  });
}

/** The value of each series, by its name and labels as they are written. */
async function metrics(): Promise<Map<string, number>> {
  const response = await fetch(`${served.url}/metrics`);
  expect([response.status, response.headers.get('Content-Type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, series = '', value] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return [series, Number(value)];
    }),
  );
}
const requests = (method: string, route: string, status: number): string =>
  `streamlog_http_requests_total{route="${route}",method="${method}",status="${status}"}`;

describe('GET /metrics', () => {
  beforeEach(() => redis.redis.flushall());

  it('counts requests, entries and bytes of bodies', async () => {
    await start();
    await served.post('/streams/a', '{"n":1}');
    await served.post('/streams/b', '[{"n":1},{"n":2}]');
    await served.post('/streams/b', 'oops');
    await fetch(`${served.url}/livez`);
    await fetch(`${served.url}/livez`, {method: 'DELETE'});
    const found = await metrics();
    expect(found.get(requests('POST', '/streams/{name}', 201))).toBe(2);
    expect(found.get(requests('POST', '/streams/{name}', 400))).toBe(1);
    expect(found.get(requests('GET', '/livez', 200))).toBe(1);
    expect(found.get(requests('other', '/livez', 405))).toBe(1);
    expect(found.get('streamlog_entries_added_total')).toBe(3);
    expect(found.get('streamlog_http_request_body_bytes_total')).toBe(7 + 17 + 4);
    expect(found.get('streamlog_http_request_duration_seconds_count{route="/streams/{name}"}')).toBe(3);
    expect(found.get('streamlog_http_request_duration_seconds_bucket{le="+Inf",route="/livez"}')).toBe(2);
    expect([...found.keys()].find((name) => name.startsWith('streamlog_build_info{version="'))).toBeDefined();
  });

  it('has a fixed number of series, whatever is asked for, and names no stream', async () => {
    await start();
    await served.post('/streams/first', '{"n":1}');
    await fetch(`${served.url}/first`);
    await metrics();
    const before = (await metrics()).size;
    for (let n = 0; n < 50; n++) {
      await served.post(`/streams/other-${n}`, '{"n":1}');
      await fetch(`${served.url}/path-${n}`);
    }
    const found = await metrics();
    expect(found.size).toBe(before);
    expect([...found.keys()].join()).not.toMatch(/first|other-|path-/);
  });

  it('tells what is under way, and whether Redis is connected', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    served = await serve([], {server: own});
    onTestFinished(async () => {
      served.process.kill('SIGTERM');
      await served.finished;
    });
    const names = ['streamlog_redis_connected', 'streamlog_redis_reconnects_total', 'streamlog_requests_in_flight'];
    const state = async () => {
      const found = await metrics();
      return names.map((name) => found.get(name));
    };
    expect(await state()).toEqual([1, 0, 0]);
    own.process.kill('SIGSTOP');
    const waiting = served.post('/streams/a', '{"n":1}');
    await until(async () => (await state())[2] === 1, 'a request waits');
    own.process.kill('SIGCONT');
    await waiting;
    expect(await state()).toEqual([1, 0, 0]);
    await own.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(async () => (await state())[1] === 1, 'it has connected again');
    own.process.kill('SIGKILL');
    await until(async () => (await state())[0] === 0, 'the loss is noticed');
  });

  it('asks for the token where there is one', async () => {
    await start([], {STREAMLOG_TOKEN: 's3cret'});
    for (const path of ['/metrics', '/openapi.json']) {
      expect((await fetch(`${served.url}${path}`)).status).toBe(401);
      const headers = {Authorization: 'Bearer s3cret'};
      expect((await fetch(`${served.url}${path}`, {headers})).status).toBe(200);
    }
  });

  it('answers HEAD without a body, and counts a client that left as no request', async () => {
    await start();
    const head = await fetch(`${served.url}/metrics`, {method: 'HEAD'});
    expect([head.status, await head.text()]).toEqual([200, '']);
    const left = sendRaw(
      served.url,
      'POST /streams/left HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    await until(async () => (await fetch(`${served.url}/livez`)).ok, 'it has been read');
    left.socket.destroy();
    await left.closed;
    const found = await metrics();
    expect([...found.keys()].filter((name) => name.includes('{name}'))).toEqual([]);
  });

  it('works under Node too', async () => {
    served = await ready(startUnderNode(['serve', '--listen', '127.0.0.1:0'], redis));
    await served.post('/streams/a', '{"n":1}');
    expect((await metrics()).get('streamlog_entries_added_total')).toBe(1);
    served.process.kill('SIGTERM');
    expect((await served.finished).code).toBe(0);
  });
});

it('the memory of a body is given back, whatever became of it', async () => {
  await start(['--max-body', '1KB', '--max-records', '2']);
  const add = (body: string, headers: Record<string, string> = {}) => served.post('/streams/memory', body, headers);
  await redis.redis.set('no-stream', 'x');
  const given = [
    await add('{"a":1}'),
    await add('{"a":'),
    await add('[{"a":1},{"a":2},{"a":3}]'),
    await add(`{"a":"${'x'.repeat(2_000)}"}`),
    await add('{"a":1}', {'Idempotency-Key': 'k'}),
    await add('{"a":2}', {'Idempotency-Key': 'k'}),
    await served.post('/streams/no-stream', '{"a":1}'),
  ];
  expect(given.map(({status}) => status)).toEqual([201, 400, 413, 413, 201, 422, 409]);
  const broken = sendRaw(
    served.url,
    'POST /streams/memory HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"',
  );
  await until(async () => (await metrics()).get('streamlog_body_bytes') === 4, 'it is being read');
  broken.socket.destroy();
  await until(async () => (await metrics()).get('streamlog_body_bytes') === 0, 'all of it is given back');
  expect((await metrics()).get('streamlog_refusals_total{code="bad_json"}')).toBe(1);
});

it('what is no request is counted by its reason', async () => {
  await start();
  await sendRaw(served.url, 'garbage\r\n\r\n').closed;
  await sendRaw(served.url, `GET /livez HTTP/1.1\r\nHost: localhost\r\n${'X: aaaaaaaa\r\n'.repeat(1_000)}\r\n`).closed;
  await sendRaw(served.url, 'GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n').closed;
  const counted = await metrics();
  expect(counted.get('streamlog_refusals_total{code="bad_request"}')).toBe(2);
  expect(counted.get('streamlog_refusals_total{code="headers_too_large"}')).toBe(1);
  expect(counted.get('streamlog_refusals_total{code="too_many_connections"}')).toBe(0);
});
