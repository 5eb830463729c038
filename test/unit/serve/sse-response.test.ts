import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {SseResponse} from '../../../src/lib/serve/sse-response.js';
import {type RawConnection, sendRaw} from '../../support/http.js';
import {until} from '../../support/redis-server.js';

const HOUR_MS = 3_600_000;
let server: ReturnType<typeof createServer>;
let response: ServerResponse;
let client: RawConnection;
let stopping: AbortController;

beforeEach(async () => {
  stopping = new AbortController();
  const asked = new Promise<void>((resolve) => {
    server = createServer((_, answer) => {
      response = answer;
      answer.writeHead(200, {Connection: 'close'});
      resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = sendRaw(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await asked;
});
afterEach(async () => {
  client.socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const eventStream = (heartbeatMs = HOUR_MS): SseResponse =>
  new SseResponse(response, {heartbeatMs, stopping: stopping.signal});

describe('an event stream', () => {
  it('sends comments while there is nothing else to send', async () => {
    const events = eventStream(10);
    await until(() => (client.received().match(/:\n\n/g)?.length ?? 0) >= 3, 'three heartbeats came');
    events.end();
    await client.closed;
  });

  it('waits for a client that does not read, and goes on when it does', async () => {
    const events = eventStream();
    client.socket.pause();
    let waits = true;
    const text = 'x'.repeat(64 * 1024);
    const sending = (async () => {
      for (let sent = 0; sent < 1_000; sent++) await events.send(text);
      waits = false;
    })();
    await until(() => response.writableNeedDrain, 'the client is behind');
    const held = response.writableLength;
    expect([waits, held < 1024 * 1024]).toEqual([true, true]);
    client.socket.resume();
    await sending;
    events.end();
    expect((await client.closed).length).toBeGreaterThan(64 * 1024 * 1_000);
  });

  it.each(['stops', 'has lost the client'])('keeps nobody waiting when the server %s', async (what) => {
    const events = eventStream();
    client.socket.pause();
    const sending = (async () => {
      while (!events.ended.aborted) await events.send('x'.repeat(64 * 1024));
    })();
    await until(() => response.writableNeedDrain, 'the client is behind');
    if (what === 'stops') stopping.abort();
    else client.socket.destroy();
    await sending;
    await events.send('nobody hears this');
    events.end();
    await until(() => response.socket === null || response.socket.destroyed, 'the connection is closed');
  });

  it('of a client that had gone before has ended from the start', async () => {
    client.socket.destroy();
    await until(() => response.destroyed || response.socket?.destroyed !== false, 'the loss is noticed');
    const events = eventStream(1);
    expect(events.ended.aborted).toBe(true);
    events.end();
  });
});
