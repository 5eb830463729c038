import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {postHead, type Served, sendRaw, serve, statuses} from '../support/http.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type RunOptions, streamlog} from '../support/run-cli.js';

const redis = serverForAll();

async function served(args: string[], options: RunOptions = {}): Promise<Served> {
  const running = await serve(args, {server: redis, ...options});
  onTestFinished(async () => {
    running.process.kill('SIGTERM');
    await running.finished;
  });
  return running;
}
const add = (to: Served, token?: string): Promise<Response> =>
  to.post('/streams/limited', '{"a":1}', token === undefined ? {} : {Authorization: `Bearer ${token}`});

describe('--rate-limit', () => {
  it('answers what is too much with 429, says when to come back, and adds nothing of it', async () => {
    const server = await served(['--rate-limit', '0.01/s']);
    expect((await add(server)).status).toBe(201);
    const refused = await add(server);
    expect([refused.status, await refused.json()]).toEqual([
      429,
      {error: {code: 'too_many_requests', message: expect.any(String)}},
    ]);
    const seconds = Number(refused.headers.get('Retry-After'));
    expect(Number.isInteger(seconds) && seconds > 0 && seconds <= 100).toBe(true);
    expect(await redis.redis.xlen('limited')).toBe(1);
  });

  it('refuses before it has the body', async () => {
    const server = await served(['--rate-limit', '0.01']);
    await add(server);
    const raw = sendRaw(server.url, postHead('/streams/limited', 'Content-Length: 100000', 'Expect: 100-continue'));
    expect(statuses(await raw.closed)).toEqual([429]);
  });

  it('lets a client in again after a while', async () => {
    const server = await served(['--rate-limit', '1/s']);
    let refused = 0;
    await until(async () => (await add(server)).status === 429 && ++refused > 0, 'the limit is reached');
    await until(async () => (await add(server)).status === 201, 'requests are served again');
  });

  it('is one for each token, wherever it comes from, and wrong tokens use up none', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
    onTestFinished(() => rmSync(directory, {recursive: true}));
    const file = join(directory, 'tokens');
    writeFileSync(file, 'one\ntwo\n');
    const server = await served(['--rate-limit', '0.01', '--token-file', file]);
    const answers = [];
    for (const token of ['wrong', 'wrong', 'one', 'one', 'two', 'two', 'wrong'])
      answers.push((await add(server, token)).status);
    expect(answers).toEqual([401, 401, 201, 429, 201, 429, 401]);
  });

  it('holds for those who read, too', async () => {
    const server = await served(['--rate-limit', '0.01', '--allow-read', '*']);
    await add(server);
    const refused = await fetch(`${server.url}/streams/limited/entries`);
    expect([refused.status, await refused.json()]).toMatchObject([429, {error: {code: 'too_many_requests'}}]);
  });

  it('does not hold for probes, and for metrics', async () => {
    const server = await served(['--rate-limit', '0.01']);
    await add(server);
    for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json', '/livez'])
      expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200]);
  });

  it.each(['0', '-1', 'many', '5/min'])('%s is a usage error', async (text) => {
    expect((await streamlog(['serve', '--rate-limit', text], {server: redis})).code).toBe(2);
  });
});
