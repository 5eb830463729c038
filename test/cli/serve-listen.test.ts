/** Where serve listens, and by which names and from whom it takes requests. */
import {chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {ready, type Served, sendRaw, serve, startUnderNode, statuses} from '../support/http.js';
import {serverForAll} from '../support/redis-server.js';
import {type Running, startStreamlog, streamlog} from '../support/run-cli.js';

const redis = serverForAll();
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
  path = join(directory, 'serve.sock');
  const made = directory;
  onTestFinished(() => rmSync(made, {recursive: true, force: true}));
});

const POST =
  'POST /streams/events HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n';
const post = (url: string, ...headers: string[]): Promise<string> =>
  sendRaw(url, `${POST}${headers.map((header) => `${header}\r\n`).join('')}\r\n{"n":1}`).closed;
async function end(served: Running): Promise<number | null> {
  served.process.kill('SIGTERM');
  return (await served.finished).code;
}
const mode = (): number => statSync(path).mode & 0o777;

describe.each<[string, (...args: string[]) => Running]>([
  ['the executable', (...args) => startStreamlog(['serve', ...args], {server: redis, limitMs: 120_000})],
  ['Node', (...args) => startUnderNode(['serve', ...args], redis)],
])('a unix socket, under %s', (_, start) => {
  it('takes requests of its owner alone, by any name and without a token, and goes with the server', async () => {
    const served = await ready(start('--listen', `unix:${path}`));
    expect([served.url, mode()]).toEqual([`unix:${path}`, 0o600]);
    expect(statuses(await post(served.url, 'Host: logs.example'))).toEqual([201]);
    expect(await end(served)).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it('has the permissions that --socket-mode gives it', async () => {
    const served = await ready(start('--listen', `unix:${path}`, '--socket-mode', '0660'));
    expect(mode()).toBe(0o660);
    await end(served);
  });

  it('that a killed server left behind is replaced', async () => {
    const killed = await ready(start('--listen', `unix:${path}`));
    killed.process.kill('SIGKILL');
    await killed.finished;
    expect(existsSync(path)).toBe(true);
    const served = await ready(start('--listen', `unix:${path}`));
    expect(statuses(await post(served.url, 'Host: x'))).toEqual([201]);
    await end(served);
  });

  it('at which somebody answers stays his', async () => {
    const first = await ready(start('--listen', `unix:${path}`));
    const second = start('--listen', `unix:${path}`);
    expect(await second.finished).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('something else listens there'),
    });
    expect(statuses(await post(first.url, 'Host: x'))).toEqual([201]);
    await end(first);
  });
});

describe('a path that cannot become a socket', () => {
  const refused = async (address: string) => streamlog(['serve', '--listen', address], {server: redis});

  it('because a file is there is left alone', async () => {
    writeFileSync(path, 'precious');
    const {code, stderr} = await refused(`unix:${path}`);
    expect([code, stderr]).toEqual([78, expect.stringContaining('exists and is not a socket')]);
    expect(statSync(path).size).toBe('precious'.length);
  });

  it('because its directory is missing is a wrong configuration', async () => {
    expect((await refused(`unix:${directory}/missing/serve.sock`)).code).toBe(78);
  });

  it('because it is too long is a usage error, and is not cut short', async () => {
    expect((await refused(`unix:${directory}/${'a'.repeat(120)}`)).code).toBe(2);
  });

  it('because another program listens there is left to it', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    chmodSync(path, 0o600);
    expect((await refused(`unix:${path}`)).code).toBe(78);
    expect(existsSync(path)).toBe(true);
    other.close();
  });

  it.each(['abc', '1777', '68'])('--socket-mode %s is a usage error', async (text) => {
    expect((await streamlog(['serve', '--listen', `unix:${path}`, '--socket-mode', text])).code).toBe(2);
  });
});

describe('names', () => {
  let served: Served;
  let token: Served;
  let named: Served;
  let open: Served;
  beforeAll(async () => {
    const secured = {server: redis, env: {STREAMLOG_TOKEN: 's3cret'}};
    const everywhere = ['serve', '--listen', '0.0.0.0:0'];
    [served, token, named, open] = await Promise.all([
      serve([], {server: redis}),
      ready(startStreamlog(everywhere, {...secured, limitMs: 120_000})),
      ready(startStreamlog([...everywhere, '--allow-host', 'logs.example', '--allow-host', 'b.example:443'], secured)),
      ready(startStreamlog([...everywhere, '--insecure-no-auth'], {server: redis, limitMs: 120_000})),
    ]);
  });
  afterAll(async () => {
    for (const one of [served, token, named, open]) expect(await end(one)).toBe(0);
  });

  const AUTH = 'Authorization: Bearer s3cret';
  it.each<[what: string, host: string, status: number, by: () => Served]>([
    ['on loopback, its names', 'localhost', 201, () => served],
    ['on loopback, its names', 'LocalHost:8080', 201, () => served],
    ['on loopback, its names', '127.0.0.1:1', 201, () => served],
    ['on loopback, its names', '[::1]:8080', 201, () => served],
    ['on loopback, no other', 'evil.example', 421, () => served],
    ['on loopback, no other', 'localhost.evil.example', 421, () => served],
    ['on loopback, no other', '127.0.0.1.evil.example:80', 421, () => served],
    ['on loopback, no other', '10.0.0.1', 421, () => served],
    ['on loopback, no other', 'localhost:80@evil.example', 421, () => served],
    ['on loopback, no other', '', 421, () => served],
    ['with a token, any', 'whatever.example', 201, () => token],
    ['with names given, those', 'LOGS.example:8080', 201, () => named],
    ['with names given, those', 'b.example:443', 201, () => named],
    ['with names given, localhost', 'localhost', 201, () => named],
    ['with names given, addresses', '192.168.1.5:8080', 201, () => named],
    ['with names given, no other port', 'b.example:80', 421, () => named],
    ['with names given, no other', 'evil.example', 421, () => named],
    ['without a token, addresses', '192.168.1.5:8080', 201, () => open],
    ['without a token, addresses', '[fe80::1]:8080', 201, () => open],
    ['without a token, no names', 'evil.example', 421, () => open],
  ])('%s: %j is answered with %d', async (_, host, status, by) => {
    expect(statuses(await post(by().url, `Host: ${host}`, AUTH))).toEqual([status]);
  });

  it('that are not ours are refused each time, and do not become ours by being asked for', async () => {
    for (const [host, status] of [
      ['localhost', 201],
      ['evil.example', 421],
      ['evil.example', 421],
      ['localhost', 201],
      ['evil.example', 421],
    ] as const)
      expect(statuses(await post(served.url, `Host: ${host}`))).toEqual([status]);
  });

  it('are asked of every path', async () => {
    const received = await sendRaw(served.url, 'GET /readyz HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n').closed;
    expect(statuses(received)).toEqual([421]);
  });

  it.each(['a b', 'http://x', 'x:', ''])('--allow-host %j is a usage error', async (host) => {
    expect((await streamlog(['serve', '--allow-host', host])).code).toBe(2);
  });
});

describe('web pages', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve([], {server: redis});
  });
  afterAll(() => end(served));

  it.each([
    ['Origin: https://evil.example', 403],
    ['Origin: null', 403],
    ['Origin: http://localhost', 403],
    ['Sec-Fetch-Site: cross-site', 403],
    ['Sec-Fetch-Site: same-site', 403],
    ['Sec-Fetch-Site: nonsense', 403],
    ['Sec-Fetch-Site: same-origin', 201],
    ['Sec-Fetch-Site: none', 201],
  ])('%s: %d, and no page is told that it may', async (header, status) => {
    const before = await redis.redis.xlen('events');
    const received = await post(served.url, 'Host: localhost', header);
    expect(statuses(received)).toEqual([status]);
    expect(received).not.toMatch(/access-control/i);
    expect(await redis.redis.xlen('events')).toBe(before + (status === 201 ? 1 : 0));
  });

  it('get nowhere by asking what they may', async () => {
    const asked = (...headers: string[]) => {
      const lines = ['OPTIONS /streams/events HTTP/1.1', 'Host: localhost', 'Connection: close', ...headers, '', ''];
      return sendRaw(served.url, lines.join('\r\n')).closed;
    };
    const preflight = await asked('Origin: https://evil.example', 'Access-Control-Request-Method: POST');
    expect([statuses(preflight), statuses(await asked())]).toEqual([[403], [405]]);
    expect(preflight).not.toMatch(/access-control/i);
  });
});
