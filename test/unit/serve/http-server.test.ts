import {afterEach, describe, expect, it} from 'vitest';
import {HttpServer, type HttpServerOptions} from '../../../src/lib/serve/http-server.js';
import {sendRaw, statuses} from '../../support/http.js';
import {until} from '../../support/redis-server.js';

let server: HttpServer;
const bugs: unknown[] = [];
async function listen(answer: HttpServerOptions['answer'], limits: HttpServerOptions['limits'] = {}): Promise<void> {
  bugs.length = 0;
  server = await HttpServer.listen({host: '127.0.0.1', port: 0}, {answer, limits, onBug: (error) => bugs.push(error)});
}
afterEach(() => server.drain(0));

const alive = async () => ({status: 200, body: {status: 'alive'}});

describe('connections', () => {
  it('whose request does not arrive in time are answered with 408 and closed', async () => {
    await listen(alive, {headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20});
    const received = await sendRaw(server.url, 'GET /livez HTTP/1.1\r\nHost:').closed;
    expect(statuses(received)).toEqual([408]);
    expect(received).toContain('"code":"timeout"');
  });

  it('that are idle are closed', async () => {
    await listen(alive, {keepAliveTimeout: 50});
    expect(statuses(await sendRaw(server.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n').closed)).toEqual([200]);
  });

  it('whose clients do not read their answers are closed after a silence', async () => {
    await listen(async () => ({status: 200, body: 'x'.repeat(32 * 1024 * 1024)}), {silence: 200});
    const raw = sendRaw(server.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    raw.socket.pause();
    await until(() => server.connections.unsentBytes > 0, 'the answer waits');
    await until(() => server.connections.count === 0, 'the connection is ended');
    expect(server.connections.unsentBytes).toBe(0);
    raw.socket.destroy();
  });

  it('end after a thousand requests', async () => {
    await listen(alive, {keepAliveTimeout: 50});
    const raw = sendRaw(server.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_001));
    const received = statuses(await raw.closed);
    expect(received.filter((status) => status === 200)).toHaveLength(1_000);
  });
});

describe('an answer', () => {
  it('to what goes wrong in an unforeseen way is 500, and tells nothing of it', async () => {
    await listen(async () => {
      throw new TypeError('secret detail');
    });
    const response = await fetch(server.url);
    const text = await response.text();
    expect([response.status, text]).toEqual([500, expect.stringContaining('"code":"internal"')]);
    expect(text).not.toContain('secret');
    expect(bugs).toEqual([new TypeError('secret detail')]);
  });

  it('to a client that is gone is not tried, and the server lives on', async () => {
    let answered: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      answered = resolve;
    });
    let finish: () => void = () => {};
    await listen(async ({request}) => {
      if (request.url === '/slow') {
        answered();
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }
      return alive();
    });
    const raw = sendRaw(server.url, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    raw.socket.destroy();
    await raw.closed;
    finish();
    expect((await fetch(server.url)).status).toBe(200);
    expect(bugs).toEqual([]);
  });
});
