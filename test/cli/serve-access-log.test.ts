import {describe, expect, it} from 'vitest';
import {postHead, type Served, sendRaw, serve, statuses} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const redis = serverForAll();

/** Ends the server, and returns what it logged: all of standard error but notes. */
async function logOf(served: Served): Promise<string[]> {
  served.process.kill('SIGTERM');
  const {stderr} = await served.finished;
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('streamlog: '));
}

const SECRET = 'hunter2-logged';
const env = {STREAMLOG_TOKEN: SECRET};
const headers = {Authorization: `Bearer ${SECRET}`};

describe.each(['json', 'text'] as const)('--log-format %s', (format) => {
  it('writes a line for each request, with what came of it and no secret', async () => {
    const served = await serve(['--log-format', format], {server: redis, env});
    await served.post('/streams/logged', `[{"a":"${SECRET}"},{"b":1}]`, headers);
    await served.post('/streams/logged', '{"a":1}');
    await fetch(`${served.url}/livez?${SECRET}`);
    const absolute = `GET http://user:${SECRET}@host/livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
    expect(statuses(await sendRaw(served.url, absolute).closed)).toEqual([400]);
    const log = await logOf(served);
    expect(log.join('\n')).not.toContain(SECRET);
    expect(log).toHaveLength(4);
    if (format === 'json') {
      expect(log.map((line) => JSON.parse(line))).toEqual([
        logged('POST', '/streams/logged', 201, 2),
        logged('POST', '/streams/logged', 401, 0, 'unauthorized'),
        logged('GET', '/livez', 200, 0),
        logged('GET', '-', 400, 0, 'bad_target'),
      ]);
    } else {
      expect(log.map((line) => line.replace(/^\S+Z 127\.0\.0\.1 /, '').replace(/ [\d.]+ms/, ''))).toEqual([
        'POST /streams/logged 201 added=2',
        'POST /streams/logged 401 error=unauthorized',
        'GET /livez 200',
        'GET - 400 error=bad_target',
      ]);
    }
  });

  it('tells of a client that went away that it was not answered', async () => {
    const served = await serve(['--log-format', format], {server: redis});
    const raw = sendRaw(served.url, `${postHead('/streams/half', 'Content-Length: 100')}{"a"`);
    await until(async () => (await fetch(`${served.url}/livez`)).ok, 'the server has read what came');
    raw.socket.destroy();
    await until(() => served.stderr().includes('/streams/half'), 'the server has noticed');
    const line = (await logOf(served)).find((each) => each.includes('/streams/half'))!;
    if (format === 'json') expect(JSON.parse(line)).not.toHaveProperty('status');
    else expect(line).toMatch(/ POST \/streams\/half - [\d.]+ms$/);
  });
});

const logged = (method: string, path: string, status: number, added: number, error?: string) => ({
  time: expect.stringMatching(/^\d{4}-.*Z$/),
  client: '127.0.0.1',
  method,
  path,
  status,
  ms: expect.any(Number),
  added,
  ...(error === undefined ? {} : {error}),
});

describe('the access log', () => {
  it('is off unless it is asked for', async () => {
    const served = await serve([], {server: redis});
    await served.post('/streams/logged', '{"a":1}');
    expect(await logOf(served)).toEqual([]);
  });

  it('has all requests when the server ends, however many came at once', async () => {
    const served = await serve(['--log-format', 'json'], {server: redis});
    await Promise.all(Array.from({length: 300}, () => served.post('/streams/many', '{"a":1}')));
    expect((await logOf(served)).map((line) => JSON.parse(line).status)).toEqual(new Array(300).fill(201));
  });

  it.each(['JSON', 'yes', ''])('knows no format %j', async (format) => {
    expect((await streamlog(['serve', '--log-format', format], {server: redis})).code).toBe(2);
  });
});

it('drops lines that no reader takes: says how many, counts them, and answers all the same', async () => {
  const served = await serve(['--log-format', 'json'], {server: redis});
  served.process.stderr.pause();
  const body = '{"a":1}';
  const path = `/streams/${'n'.repeat(400)}`;
  const dropped = async (): Promise<number> => {
    const text = await (await fetch(`${served.url}/metrics`)).text();
    return Number(/^streamlog_access_log_dropped_lines_total (\d+)$/m.exec(text)![1]);
  };
  let requests = 0;
  while ((await dropped()) === 0) {
    expect(requests).toBeLessThan(20_000);
    const answers = await Promise.all(Array.from({length: 200}, () => served.post(path, body)));
    for (const {status} of answers) expect(status).toBe(201);
    requests += answers.length;
  }
  served.process.stderr.resume();
  await until(() => /warning: \d+ lines of the access log were dropped/.test(served.stderr()), 'it says so');
  const reported = [...served.stderr().matchAll(/warning: (\d+) lines/g)].reduce(
    (sum, [, lines]) => sum + Number(lines),
    0,
  );
  expect(reported).toBe(await dropped());
  await logOf(served);
});
