/**
 * What connections to serve may cost: each limit on the executable and under
 * Node, in the clear and by TLS, and what is left when a client goes away.
 */
import {existsSync, readdirSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {NDJSON_TYPE, postHead, type RawConnection, RUNTIMES, type Served, sendRaw, statuses} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Certificates, makeCertificates} from '../support/topologies.js';

const redis = serverForAll();
let certificates: Certificates;
beforeAll(async () => {
  certificates = makeCertificates();
});
afterAll(async () => {
  certificates.remove();
});

/** Each test has a stream of its own. */
let tests = 0;
const MAX_CONNECTIONS = 1_024;
const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const post = (stream: string, n: number, ...headers: string[]): string => {
  const body = `{"n":${n}}`;
  return postHead(`/streams/${stream}`, `Content-Length: ${body.length}`, ...headers) + body;
};
const records = async (stream: string): Promise<string[]> =>
  (await redis.redis.xrange(stream, '-', '+')).map(([, [, n]]) => n!);

/** Writes one byte after another for as long as the server lets it. */
function trickle({socket}: RawConnection, byte = 'a'): void {
  const timer = setInterval(() => socket.write(byte), 200);
  socket.once('close', () => clearInterval(timer));
}

/** How many files and sockets a process holds open. */
const openFiles = ({process: {pid}}: Served): number => readdirSync(`/proc/${pid}/fd`).length;

const KINDS = RUNTIMES.flatMap(([name, start]) => [
  [name, start, false] as const,
  [`${name}, by TLS,`, start, true] as const,
]);

/** Clients that are slow or silent, until serve has ended all of their connections. Most of it is waiting for its clocks. */
async function slowClients(): Promise<void> {
  const {cert, key} = certificates.server;
  await Promise.all(
    KINDS.map(async ([, start, byTls]) => {
      const served = await start(byTls ? ['--tls-cert', cert, '--tls-key', key] : [], redis);
      const {url} = served;
      const silent = sendRaw(url, '');
      const noHandshake = sendRaw(url.replace('https', 'http'), '');
      const idle = sendRaw(url, LIVEZ);
      const slowHeader = sendRaw(url, 'GET /livez HTTP/1.1\r\nX: ');
      const slowSecondHeader = sendRaw(url, `${LIVEZ}GET /livez HTTP/1.1\r\nX: `);
      const slowBody = sendRaw(url, postHead('/streams/slow', 'Content-Length: 1000'));
      for (const slow of [slowHeader, slowSecondHeader, slowBody]) trickle(slow);
      expect(statuses(await idle.closed)).toEqual([200]);
      // Bun ends a slow header by itself where it is the first to notice, and says nothing.
      expect([[], [408]]).toContainEqual(statuses(await slowHeader.closed));
      expect([[200], [200, 408]]).toContainEqual(statuses(await slowSecondHeader.closed));
      expect(statuses(await slowBody.closed)).toEqual([408]);
      await Promise.all([silent.closed, noHandshake.closed]);
      served.process.kill('SIGTERM');
      expect((await served.finished).code).toBe(0);
    }),
  );
  expect(await redis.redis.exists('slow')).toBe(0);
}
let slowEnded: Promise<void>;
beforeAll(() => {
  slowEnded = slowClients();
  slowEnded.catch(() => {});
});

describe.each(KINDS)('%s', (_, start, byTls) => {
  let served: Served;
  let stream: string;
  const begin = async (...args: string[]): Promise<Served> => {
    const {cert, key} = certificates.server;
    stream = `stream-${tests++}`;
    served = await start([...args, ...(byTls ? ['--tls-cert', cert, '--tls-key', key] : [])], redis);
    return served;
  };
  const end = async (): Promise<void> => {
    served.process.kill('SIGTERM');
    expect((await served.finished).code).toBe(0);
  };

  it('answers pipelined requests in order, and no more than a thousand on one connection', async () => {
    const {url} = await begin();
    const posts = Array.from({length: 1_200}, (_, n) => post(stream, n));
    const raw = sendRaw(url, posts.slice(0, 1_000).join(''));
    const received = await raw.closed;
    expect(statuses(received)).toEqual(Array(1_000).fill(201));
    const ids = [...received.matchAll(/"id":"(.*?)"/g)].map(([, id]) => id);
    expect((await redis.redis.xrange(stream, '-', '+')).map(([id]) => id)).toEqual(ids);
    expect(await records(stream)).toEqual(Array.from({length: 1_000}, (_, n) => String(n)));

    await redis.redis.del(stream);
    await sendRaw(url, posts.join('')).closed;
    await end();
    expect(await records(stream)).toEqual(Array.from({length: 1_000}, (_, n) => String(n)));
  });

  it('holds a limited number of connections, and serves again when some of them end', async () => {
    const {url} = await begin();
    const flood = Array.from({length: MAX_CONNECTIONS + 100}, () => sendRaw(url, 'GET /livez'));
    let ended = 0;
    for (const {closed} of flood) void closed.then(() => ended++);
    await until(() => ended >= 100, 'those beyond the limit are ended');
    for (const {socket} of flood) socket.destroy();
    await until(
      async () =>
        statuses(await sendRaw(url, LIVEZ.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')).closed)[0] === 200,
      'it serves again',
    );
    await end();
  });

  it('refuses a header with too many lines with 431', async () => {
    const {url} = await begin();
    const lines = (count: number): string => Array.from({length: count}, (_, n) => `X-${n}: a\r\n`).join('');
    const fits = sendRaw(url, `GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines(62)}\r\n`);
    expect(statuses(await fits.closed)).toEqual([200]);
    const tooMany = sendRaw(url, `GET /livez HTTP/1.1\r\nHost: localhost\r\n${lines(64)}\r\n`);
    expect(statuses(await tooMany.closed)).toEqual([431]);
    await end();
  });

  it('adds nothing of bodies that break off, all of those that were whole, and each once', async () => {
    const {url} = await begin();
    const half = `${postHead(`/streams/${stream}`, 'Content-Length: 100').replace('application/json', NDJSON_TYPE['Content-Type'])}{"n":"half"}\n{"n":"ha`;
    const halves = Array.from({length: 50}, () => sendRaw(url, half));
    const wholes = Array.from({length: 50}, (_, n) => sendRaw(url, post(stream, n)));
    await Promise.all([...halves, ...wholes].map(({socket}) => new Promise((resolve) => socket.write('', resolve))));
    await Promise.all(wholes.map((raw) => until(() => statuses(raw.received()).length === 1, 'it is answered')));
    for (const {socket} of halves) socket.destroy();
    const gone = Array.from({length: 50}, (_, n) => sendRaw(url, post(stream, 50 + n)));
    await Promise.all(gone.map(({socket}) => new Promise((resolve) => socket.write('', resolve))));
    for (const {socket} of [...wholes, ...gone]) socket.destroy();
    // An orderly end has waited for whatever was in hand.
    await end();
    const found = await records(stream);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(wholes.map((_, n) => String(n))));
    expect(found).not.toContain('half');
  });

  it.runIf(existsSync('/proc/self/fd'))('keeps no file open after whatever a client did', async () => {
    const {url} = await begin('--max-body', '1KB');
    const once = async (bytes: string): Promise<void> => {
      await sendRaw(url, bytes).closed;
    };
    const broken = async (bytes: string): Promise<void> => {
      const raw = sendRaw(url, bytes);
      await new Promise((resolve) => raw.socket.write('', resolve));
      raw.socket.destroy();
      await raw.closed;
    };
    const visit = async (): Promise<void> => {
      await Promise.all([
        once(post(stream, 1, 'Connection: close')),
        once('garbage\r\n\r\n'),
        once(postHead(`/streams/${stream}`, 'Content-Length: 99999999')),
        once('CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
        broken(post(stream, 1)),
        broken('GET /livez'),
        broken(postHead(`/streams/${stream}`, 'Content-Length: 500')),
        once.call(undefined, `${post(stream, 1, 'Transfer-Encoding: chunked')}`),
      ]);
      if (byTls) await sendRaw(url.replace('https', 'http'), LIVEZ).closed;
    };
    await visit();
    // What the runtime opens once is open by now.
    const settled = openFiles(served);
    await Promise.all(Array.from({length: 40}, visit));
    await until(() => openFiles(served) <= settled, 'all of it is closed');
    await end();
  });

  it('loses nothing that it has confirmed when it is stopped under load', async () => {
    const {url} = await begin();
    const clients = Array.from({length: 8}, (_, client) => confirmed(url, stream, client * 1_000_000));
    await until(() => clients.every(({answered}) => answered() > 30), 'entries arrive');
    served.process.kill('SIGTERM');
    const {code, stderr} = await served.finished;
    const added = (await Promise.all(clients.map(({closed}) => closed))).flat();
    const stored = new Set((await redis.redis.xrange(stream, '-', '+')).map(([id]) => id));
    expect(added.filter((id) => !stored.has(id))).toEqual([]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('shutting down')]);
  });

  it('ends at once at a second signal, and what it had confirmed is there', async () => {
    const {url} = await begin('--drain', '1h');
    const clients = Array.from({length: 8}, (_, client) => confirmed(url, stream, client * 1_000_000));
    const halfWay = sendRaw(url, post(stream, 1).slice(0, -1));
    await until(() => clients.every(({answered}) => answered() > 30), 'entries arrive');
    served.process.kill('SIGTERM');
    await until(() => served.stderr().includes('shutting down'), 'the first signal arrived');
    served.process.kill('SIGTERM');
    expect((await served.finished).code).toBe(143);
    const added = (await Promise.all(clients.map(({closed}) => closed))).flat();
    await halfWay.closed;
    const stored = new Set((await redis.redis.xrange(stream, '-', '+')).map(([id]) => id));
    expect(added.filter((id) => !stored.has(id))).toEqual([]);
  });
});

it('connections that are slow in header or body end with 408, and idle and silent ones end', async () => {
  // It went on beside the tests above.
  await slowEnded;
});

/** Posts one record after another on one connection until that ends; resolves with the IDs that were confirmed. */
function confirmed(url: string, stream: string, from: number): {answered(): number; closed: Promise<string[]>} {
  let n = from;
  let answers = 0;
  const raw = sendRaw(url, post(stream, n));
  raw.socket.on('data', () => {
    const now = statuses(raw.received()).length;
    for (; answers < now; answers++) if (raw.socket.writable) raw.socket.write(post(stream, ++n));
  });
  const ids = (received: string): string[] => [...received.matchAll(/"id":"(.*?)"/g)].map(([, id]) => id!);
  return {answered: () => answers, closed: raw.closed.then(ids)};
}
