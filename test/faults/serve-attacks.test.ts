/** Clients that mean harm, by hundreds at a time, while honest ones want to be served. */
import {readFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {postHead, type RawConnection, RUNTIMES, type Served, sendRaw, serve, statuses} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';

const ATTACKERS = 300;
const HONEST = 4;

const redis = serverForAll();
let served: Served;
beforeAll(async () => {
  served = await serve([], {server: redis});
});
afterAll(async () => {
  served.process.kill('SIGTERM');
  expect((await served.finished).code).toBe(0);
});
beforeEach(() => redis.redis.flushall());

/** Writes `bytes` one after the other, and the last one for ever, until the server has enough. */
function drip({socket}: RawConnection, bytes: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes[Math.min(at++, bytes.length - 1)]!), 100);
  socket.once('close', () => clearInterval(timer));
}

/**
 * Posts one record; the status of the answer. serve may close a connection between two requests, so that the next one
 * meets a reset: clients post again then, over a new one (https://nodejs.org/api/http.html#requestreusedsocket). A record that
 * was added all the same would be there twice.
 */
const post = (agent: Agent, record: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = {'Content-Type': 'application/json'};
    const posting = request(`${served.url}/streams/honest`, {agent, method: 'POST', headers})
      .once('response', (response) => response.resume().once('end', () => resolve(response.statusCode)))
      .once('error', (cause: NodeJS.ErrnoException) => {
        if (posting.reusedSocket && cause.code === 'ECONNRESET') return resolve(post(agent, record));
        return reject(new Error(`an honest client failed; serve says: ${served.stderr()}`, {cause}));
      });
    posting.end(record);
  });

/**
 * Posts one record after another, for as long as `isOver` says no; how long each took, in milliseconds.
 * Its connection is its own and never idle: one that `fetch` kept from an earlier test could be
 * closed by `serve`, as too long idle, just when a request is sent on it.
 */
async function honest(client: number, isOver: () => boolean): Promise<number[]> {
  const agent = new Agent({keepAlive: true, maxSockets: 1});
  const times: number[] = [];
  while (!isOver() || times.length < 100) {
    const startMs = performance.now();
    const status = await post(agent, `{"n":"${client}-${times.length}"}`);
    times.push(performance.now() - startMs);
    expect(status).toBe(201);
  }
  agent.destroy();
  return times;
}

/** The one time that is asserted here: it is what the attack is after. */
function expectPromptness(times: readonly number[]): void {
  const sorted = [...times].sort((one, other) => one - other);
  expect(sorted[Math.floor(sorted.length * 0.99)]).toBeLessThan(1_000);
}

/** Serves honest clients while `attack` goes on; every one of their records has to arrive. How long each took. */
async function whileServing(attack: () => Promise<void>): Promise<number[]> {
  let over = false;
  const clients = Array.from({length: HONEST}, (_, client) => honest(client, () => over));
  await attack().finally(() => {
    over = true;
  });
  const times = (await Promise.all(clients)).flat();
  const stored = (await redis.redis.xrange('honest', '-', '+')).map(([, [, n]]) => n);
  expect([stored.length, new Set(stored).size]).toEqual([times.length, times.length]);
  return times;
}

/** How many serve has open; more than it takes where it does not answer. */
async function openConnections(): Promise<number> {
  const response = await fetch(`${served.url}/metrics`).catch(() => undefined);
  return Number(
    /^streamlog\S*_connections (\d+)$/m.exec((await response?.text()) ?? '')?.[1] ?? Number.POSITIVE_INFINITY,
  );
}

describe('honest clients are served', () => {
  it('while three hundred send a byte at a time, in headers and in bodies', async () => {
    const body = postHead('/streams/evil', 'Content-Length: 1000');
    const attackers = Array.from({length: ATTACKERS}, (_, n) => sendRaw(served.url, n % 2 === 0 ? 'G' : body));
    for (const [n, raw] of attackers.entries()) drip(raw, n % 2 === 0 ? 'ET /livez HTTP/1.1\r\nX: a' : '{"n":"a');
    const times = await whileServing(async () => {
      const ends = await Promise.all(attackers.map(({closed}) => closed));
      expect(ends.flatMap(statuses).filter((status) => status !== 408)).toEqual([]);
    });
    expectPromptness(times);
    expect(await redis.redis.exists('evil')).toBe(0);
  });

  it('while three hundred send headers without end', async () => {
    const head = `GET /livez HTTP/1.1\r\nHost: localhost\r\n${'X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1_000)}`;
    await whileServing(async () => {
      const ends = await Promise.all(Array.from({length: ATTACKERS}, () => sendRaw(served.url, head).closed));
      const codes = new Set(ends.flatMap(statuses));
      expect([...codes]).toEqual([431]);
    });
  });

  it('while three hundred send bodies without end', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    await whileServing(async () => {
      const attackers = Array.from({length: ATTACKERS}, () =>
        sendRaw(served.url, postHead('/streams/evil', 'Transfer-Encoding: chunked')),
      );
      const floods = attackers.map(({socket, closed, received}) => {
        const more = (): void => {
          if (socket.writable && statuses(received()).length === 0) socket.write(chunk, () => setImmediate(more));
        };
        more();
        return closed;
      });
      const codes = new Set((await Promise.all(floods)).flatMap(statuses));
      // Whoever comes when the memory for bodies is full is sent away, too.
      expect([...codes].filter((code) => code !== 413 && code !== 503)).toEqual([]);
    });
    expect(await redis.redis.exists('evil')).toBe(0);
  });

  it('while hundreds connect and go away again, in the middle of their requests and after them', async () => {
    const whole = `${postHead('/streams/gone', 'Content-Length: 7')}{"n":1}`;
    const half = `${postHead('/streams/half', 'Content-Length: 99')}{"n":1}`;
    await whileServing(async () => {
      for (let round = 0; round < 5; round++) {
        const attackers = Array.from({length: ATTACKERS}, (_, n) => sendRaw(served.url, n % 2 === 0 ? whole : half));
        await Promise.all(attackers.map(({socket}) => new Promise((resolve) => socket.write('', resolve))));
        for (const {socket} of attackers) socket.destroy();
        await Promise.all(attackers.map(({closed}) => closed));
        // Those of the next round would be too many while serve has not seen that these have gone.
        await until(async () => (await openConnections()) < ATTACKERS, 'serve knows that they have gone');
      }
    });
    expect(await redis.redis.exists('half')).toBe(0);
    expect(await redis.redis.xlen('gone')).toBeLessThanOrEqual((5 * ATTACKERS) / 2);
  });

  it('after more than it takes at once have held their connections', async () => {
    const flood = Array.from({length: 1_200}, () => sendRaw(served.url, 'GET /livez'));
    let ended = 0;
    for (const {closed} of flood) void closed.then(() => ended++);
    await until(() => ended >= 100, 'those beyond the limit are sent away');
    for (const {socket} of flood) socket.destroy();
    await Promise.all(flood.map(({closed}) => closed));
    await until(async () => (await openConnections()) < 100, 'it serves again, and knows that they have gone');
    await whileServing(async () => {});
  });
});

/** The most memory that a process has had, in megabytes. */
const peakMb = ({process: {pid}}: Served): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
const statusesOf = async (posts: number): Promise<number[]> => {
  const given: number[] = [];
  for (let n = 0; n < posts; n++) {
    const received = await sendRaw(
      served.url,
      `${postHead('/streams/honest', 'Content-Length: 7', 'Connection: close')}{"n":1}`,
    ).closed;
    given.push(statuses(received)[0] ?? 0);
  }
  return given;
};
const all201 = (posts: number): number[] => Array<number>(posts).fill(201);

describe.each(RUNTIMES)('a client has no more than its share, under %s:', (_, start) => {
  let usual: Served;
  beforeAll(async () => {
    usual = served;
    served = await start([], redis);
  });
  afterAll(async () => {
    served.process.kill('SIGTERM');
    expect((await served.finished).code).toBe(0);
    served = usual;
  });

  it('answers that are asked for by thousands and never read take no memory to speak of', async () => {
    const request = 'GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const attackers = Array.from({length: 300}, () => sendRaw(served.url, ''));
    for (const {socket} of attackers) {
      socket.pause();
      socket.write(request.repeat(1_000));
    }
    expect(await statusesOf(50)).toEqual(all201(50));
    const metrics = await (await fetch(`${served.url}/metrics`)).text();
    expect(Number(/^streamlog_unsent_bytes (\d+)/m.exec(metrics)?.[1])).toBeLessThanOrEqual(300 * 128 * 1024);
    expect(Number(/^streamlog_requests_waiting (\d+)/m.exec(metrics)?.[1])).toBeLessThanOrEqual(2_048);
    expect(metrics).toMatch(/^streamlog_refusals_total{code="too_many_pipelined"} [1-9]/m);
    expect(peakMb(served)).toBeLessThan(250);
    for (const {socket} of attackers) socket.destroy();
  });

  it('bodies that are held back make room for those that come, and are told so', async () => {
    const head = postHead('/streams/evil', 'Content-Length: 1000000');
    const attackers = Array.from({length: 80}, () => sendRaw(served.url, `${head}{"a":"${'x'.repeat(999_000)}`));
    await until(() => attackers.some(({received}) => statuses(received()).includes(503)), 'the memory is used up');
    expect(await statusesOf(50)).toEqual(all201(50));
    expect((await fetch(`${served.url}/readyz`)).status).toBe(200);
    for (const {socket} of attackers) socket.destroy();
    expect(await redis.redis.exists('evil')).toBe(0);
  });

  it('connections without a request make room for those that have one', async () => {
    const attackers = Array.from({length: 1_200}, () => sendRaw(served.url, 'GET /livez'));
    let ended = 0;
    for (const {closed} of attackers) void closed.then(() => ended++);
    await until(() => ended >= 100, 'those beyond the limit are sent away');
    expect(await statusesOf(50)).toEqual(all201(50));
    for (const {socket} of attackers) socket.destroy();
  });

  it('a body of ever smaller chunks is refused', async () => {
    const raw = sendRaw(served.url, postHead('/streams/evil', 'Transfer-Encoding: chunked'));
    raw.socket.write('1\r\nx\r\n'.repeat(2_000));
    expect(statuses(await raw.closed)).toEqual([413]);
  });
});
