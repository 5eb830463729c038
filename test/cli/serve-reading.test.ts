import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {startProxy} from '../faults/support/proxy.js';
import {type EventReader, readEvents} from '../support/events.js';
import {ready, type Served, sendRaw, serve, startUnderNode, statuses} from '../support/http.js';
import {type RedisServer, serverForAll, until} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const redis = serverForAll();
let shared: Served;
beforeAll(async () => {
  shared = await serve(['--allow-read', 'events', '--allow-read', 'ok-*'], {server: redis});
});
afterAll(async () => {
  shared.process.kill('SIGTERM');
  expect((await shared.finished).code).toBe(0);
});
beforeEach(() => redis.redis.flushall());

/** A server for one test. */
async function started(args: string[], env: Record<string, string>): Promise<Served> {
  const served = await serve(args, {env});
  onTestFinished(async () => {
    served.process.kill('SIGKILL');
    await served.finished.catch(() => {});
  });
  return served;
}

async function reader(path: string, headers: Record<string, string> = {}, served = shared): Promise<EventReader> {
  const events = await readEvents(`${served.url}${path}`, headers);
  onTestFinished(() => events.stop());
  return events;
}

/** Adds entries `n=from` to `n=to`, and returns their IDs. */
async function add(from: number, to: number, stream = 'events', on = redis): Promise<string[]> {
  const pipeline = on.redis.pipeline();
  for (let n = from; n <= to; n++) pipeline.xadd(stream, '*', 'n', n);
  return ((await pipeline.exec()) ?? []).map(([, id]) => String(id));
}
const numbers = (events: EventReader): number[] => events.records().map(({fields}) => Number(fields.n));
const upTo = (events: EventReader, count: number): Promise<void> =>
  until(() => events.records().length >= count, `${count} entries came`);
const count = (from: number, to: number): number[] => Array.from({length: to - from + 1}, (_, index) => from + index);

describe('GET /streams/{name}/entries', () => {
  it('sends what is there from a position on, then what is added, as it comes', async () => {
    const ids = await add(1, 3);
    const events = await reader('/streams/events/entries?from=start');
    expect([events.response.status, events.response.headers.get('Content-Type')]).toEqual([200, 'text/event-stream']);
    expect(events.response.headers.get('Cache-Control')).toBe('no-store');
    await upTo(events, 3);
    ids.push(...(await add(4, 5)));
    await upTo(events, 5);
    expect(events.events()).toEqual([
      {retry: '1000', id: '0-0'},
      ...ids.map((id, at) => ({id, data: `{"stream":"events","id":"${id}","fields":{"n":"${at + 1}"}}`})),
    ]);
  });

  it('prints a record as range --json does', async () => {
    await redis.redis.xadd('events', '1-1', 'text', 'grüße\n\r\n: 😀', '__proto__', 'x');
    await redis.redis.xadd('events', '1-2', 'twice', '1', 'twice', '2');
    await redis.redis.xadd('events', '1-3', 'bytes', Buffer.from([0xff, 0x00]));
    const events = await reader('/streams/events/entries?from=0');
    await upTo(events, 3);
    const printed = (await streamlog(['range', '--json'], {server: redis})).stdout.trim().split('\n');
    expect(events.events().flatMap(({data}) => data ?? [])).toEqual(printed);
  });

  it.each<[query: string, expected: number[]]>([
    ['', [9]],
    ['?from=end', [9]],
    ['?from=%24', [9]],
    ['?from=-2', [3, 4, 9]],
    ['?from=2-0', [2, 3, 4, 9]],
    ['?from=3', [3, 4, 9]],
    ['?from=0', [1, 2, 3, 4, 9]],
    ['?from=%401970-01-01T00:00:00.003Z', [3, 4, 9]],
  ])('begins at %j', async (query, expected) => {
    for (const n of [1, 2, 3, 4]) await redis.redis.xadd('events', `${n}-0`, 'n', n);
    const events = await reader(`/streams/events/entries${query}`);
    await redis.redis.xadd('events', '9-0', 'n', 9);
    await upTo(events, expected.length);
    expect(numbers(events)).toEqual(expected);
  });

  it('goes on behind Last-Event-ID, whatever `from` says', async () => {
    const [, second] = await add(1, 4);
    const events = await reader('/streams/events/entries?from=start', {'Last-Event-ID': second!});
    await upTo(events, 2);
    expect(numbers(events)).toEqual([3, 4]);
  });

  it('a client that comes back with the last ID it has had misses nothing, also when it has had no entry', async () => {
    await add(1, 3);
    const seen: number[] = [];
    let lastId: string | undefined;
    for (const round of [1, 2, 3]) {
      const events = await reader('/streams/events/entries', lastId === undefined ? {} : {'Last-Event-ID': lastId});
      await until(() => events.events().length > 0, 'the events begin');
      if (round > 1) await upTo(events, 10);
      events.stop();
      await events.ended;
      seen.push(...numbers(events));
      lastId = events.events().findLast(({id}) => id !== undefined)?.id;
      await add(round * 10, round * 10 + 9);
    }
    expect(seen).toEqual(count(10, 29));
  });

  it('waits for a stream that does not exist yet', async () => {
    const events = await reader('/streams/ok-later/entries');
    await until(() => events.events().length === 1, 'the events begin');
    await add(1, 2, 'ok-later');
    await upTo(events, 2);
    expect(numbers(events)).toEqual([1, 2]);
  });

  it('works under Node too', async () => {
    const node = await ready(startUnderNode(['serve', '--listen', '127.0.0.1:0', '--allow-read', '*'], redis));
    await add(1, 3);
    const events = await reader('/streams/events/entries?from=start', {}, node);
    await upTo(events, 3);
    node.process.kill('SIGTERM');
    await events.ended;
    expect([numbers(events), (await node.finished).code]).toEqual([[1, 2, 3], 0]);
  });
});

describe('reading is refused', () => {
  const get = async (path: string, headers: Record<string, string> = {}): Promise<[number, unknown]> => {
    const response = await fetch(`${shared.url}${path}`, {headers});
    return [response.status, ((await response.json()) as {error: {code: string}}).error.code];
  };

  it.each<[path: string, refusal: [number, string], headers?: Record<string, string>]>([
    ['/streams/secret/entries', [403, 'read_not_allowed']],
    ['/streams/Events/entries', [403, 'read_not_allowed']],
    ['/streams/%zz/entries', [400, 'bad_path']],
    ['/streams/events/entries?from=yesterday', [400, 'bad_position']],
    ['/streams/events/entries?from=', [400, 'bad_position']],
    ['/streams/events/entries?from=1&from=2', [400, 'bad_query']],
    ['/streams/events/entries?count=1', [400, 'bad_query']],
    ['/streams/events/entries', [400, 'bad_position'], {'Last-Event-ID': 'x'}],
    ['/streams/events/entries', [400, 'bad_position'], {'Last-Event-ID': '007-1'}],
    ['/streams/ok-string/entries', [409, 'wrong_type']],
    ['/streams/ok-string/entries?from=0', [409, 'wrong_type']],
  ])('%s: %j', async (path, refusal, headers) => {
    await redis.redis.set('ok-string', 'x');
    expect(await get(path, headers)).toEqual(refusal);
  });

  it('for every stream, unless --allow-read says otherwise', async () => {
    const closed = await started([], {STREAMLOG_URL: redis.url});
    expect((await fetch(`${closed.url}/streams/events/entries`)).status).toBe(403);
  });

  it('without a token where one is set, before anything is told of streams', async () => {
    const asking = await started(['--allow-read', '*'], {STREAMLOG_URL: redis.url, STREAMLOG_TOKEN: 's3cret'});
    expect((await fetch(`${asking.url}/streams/%zz/entries`)).status).toBe(401);
    const events = await reader('/streams/events/entries', {Authorization: 'Bearer s3cret'}, asking);
    expect(events.response.status).toBe(200);
  });

  it('beyond --max-readers, and granted again when one has gone', async () => {
    const few = await started(['--allow-read', '*', '--max-readers', '2'], {STREAMLOG_URL: redis.url});
    const first = await reader('/streams/events/entries', {}, few);
    await reader('/streams/events/entries', {}, few);
    const refused = await fetch(`${few.url}/streams/events/entries`);
    expect([refused.status, refused.headers.get('Retry-After'), await refused.json()]).toEqual([
      503,
      '1',
      {error: {code: 'too_many_readers', message: expect.any(String)}},
    ]);
    first.stop();
    await until(async () => {
      const again = await reader('/streams/events/entries', {}, few);
      if (again.response.status !== 200) again.stop();
      return again.response.status === 200;
    }, 'there is room again');
  });
});

describe('a reader', () => {
  /** Connections of `serve` to Redis. */
  const connections = async (on: RedisServer): Promise<number> =>
    String(await on.redis.call('CLIENT', 'LIST')).match(/ name=streamlog /g)?.length ?? 0;

  it('holds up neither those who add nor other readers', async () => {
    const readers = await Promise.all(count(1, 20).map(() => reader('/streams/events/entries')));
    expect((await shared.post('/streams/events', '[{"n":1},{"n":2}]')).status).toBe(201);
    for (const events of readers) await upTo(events, 2);
  });

  it('leaves no connection to Redis behind when it goes', async () => {
    // One for adding, where somebody has added, and one for all else.
    await until(async () => (await connections(redis)) <= 2, 'nobody reads');
    const before = await connections(redis);
    const readers = await Promise.all(count(1, 5).map(() => reader('/streams/events/entries')));
    expect(await connections(redis)).toBe(before + 5);
    for (const events of readers) events.stop();
    await until(async () => (await connections(redis)) === before, 'their connections are closed');
  });

  it('that does not read makes nobody hold what it leaves, and does not hold up the end', async () => {
    const served = await started(['--allow-read', '*'], {STREAMLOG_URL: redis.url});
    const pipeline = redis.redis.pipeline();
    const large = 'x'.repeat(100_000);
    for (let n = 0; n < 1_500; n++) pipeline.xadd('events', '*', 'large', large);
    await pipeline.exec();
    const rssMb = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${served.process.pid}/status`, 'utf8'))![1]) / 1024;
    const readEntries = async (): Promise<number> =>
      Number(/^streamlog_entries_read_total (\d+)/m.exec(await (await fetch(`${served.url}/metrics`)).text())![1]);
    const before = rssMb();
    const {hostname, port} = new URL(served.url);
    for (let n = 0; n < 5; n++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      socket.write(`GET /streams/events/entries?from=start HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
      await new Promise((resolve) => socket.once('readable', resolve));
    }
    // Whoever waits for entries asks again each second; these have stopped asking.
    await until(async () => {
      const idle = [...String(await redis.redis.call('CLIENT', 'LIST')).matchAll(/ idle=(\d+) .* cmd=xread /g)];
      return idle.length === 5 && idle.every(([, seconds]) => Number(seconds) >= 2);
    }, 'nothing more is read');
    // What the system's buffers take is read; the rest, most of 750 MB, stays in Redis.
    expect(await readEntries()).toBeLessThan(1_500);
    expect(rssMb() - before).toBeLessThan(250);
    served.process.kill('SIGTERM');
    expect((await served.finished).code).toBe(0);
  });

  it('is ended when the server is told to end, with what came before', async () => {
    const served = await started(['--allow-read', '*', '--drain', '1h'], {STREAMLOG_URL: redis.url});
    await add(1, 3);
    const events = await reader('/streams/events/entries?from=start', {}, served);
    await upTo(events, 3);
    served.process.kill('SIGTERM');
    await events.ended;
    expect((await served.finished).code).toBe(0);
    expect(numbers(events)).toEqual([1, 2, 3]);
  });

  it('is told, and let go, when what it reads is no stream any more', async () => {
    await add(1, 1, 'ok-1');
    const events = await reader('/streams/ok-1/entries?from=start');
    await upTo(events, 1);
    await redis.redis.set('ok-1', 'text');
    await events.ended;
    expect(events.events().at(-1)).toEqual({
      event: 'error',
      data: '{"error":{"code":"wrong_type","message":"the key is not a stream"}}',
    });
  });

  it('gets each entry once, in order, through lost connections to Redis', async () => {
    const proxy = await startProxy(redis);
    onTestFinished(() => proxy.stop());
    const served = await started(['--allow-read', '*'], {STREAMLOG_URL: proxy.url});
    const events = await reader('/streams/events/entries', {}, served);
    await until(() => events.events().length === 1, 'the events begin');
    let last = 0;
    const more = async (by: number): Promise<void> => {
      await add(last + 1, last + by);
      last += by;
    };
    for (const fault of ['after', 'before', 'within', 'all'] as const) {
      await more(20);
      await upTo(events, last);
      const cut =
        fault === 'all'
          ? proxy.cut()
          : fault === 'before'
            ? proxy.cutBefore('xread', 1)
            : proxy.cutAfter('xread', 1, {replyBytes: fault === 'within' ? 100 : 0});
      await more(20);
      await cut;
      await more(20);
      await upTo(events, last);
    }
    expect(numbers(events)).toEqual(count(1, last));
    expect(events.response.status).toBe(200);
  });

  it('that asks by HTTP/1.0 gets its events too', async () => {
    await add(1, 1);
    const raw = sendRaw(shared.url, 'GET /streams/events/entries?from=0 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n');
    await until(() => raw.received().includes('"n":"1"'), 'the entry came');
    raw.socket.destroy();
    expect(statuses(raw.received())).toEqual([200]);
  });
});
