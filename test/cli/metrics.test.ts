/** `metrics`: what promtool and a real Prometheus make of it, and that a scrape costs Redis nothing. */
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {sendRaw} from '../support/http.js';
import {endWithUs} from '../support/leftovers.js';
import {freePort, serverForAll, startRedis, until} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, type Running, startShell, streamlog} from '../support/run-cli.js';

const server = serverForAll();
const directory = mkdtempSync(join(tmpdir(), 'streamlog-metrics-'));
afterAll(() => rmSync(directory, {recursive: true, force: true}));
const contrib = join(import.meta.dirname, '../../contrib');

beforeEach(async () => {
  await server.redis.flushall();
  for (let n = 1; n <= 20; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 5, 'STREAMS', 'orders', '>');
});

/** Starts a listener and gives its URL. */
async function listening(
  line: string,
  env: Record<string, string> = {},
  on = server,
): Promise<{url: string; running: Running}> {
  const running = startShell(`exec ${line}`, {server: on, env});
  await until(() => running.stderr().includes('listening on '), 'it listens');
  return {url: /listening on (\S+)/.exec(running.stderr())![1]!, running};
}
async function ended({process, finished}: Running): Promise<void> {
  process.kill('SIGTERM');
  expect((await finished).code).toBe(0);
}
const scrape = async (url: string, headers: Record<string, string> = {}): Promise<string> =>
  (await fetch(`${url}/metrics`, {headers})).text();

it('prints what promtool accepts', async () => {
  await server.redis.xadd('a"b\\c\nd', '1-0', 'n', '1');
  const {code, stdout} = await streamlog(['metrics'], {server});
  expect(code).toBe(0);
  expect(stdout).toContain('redis_stream_group_lag{db="db0",stream="orders",group="billing"} 15\n');
  expect(stdout).toContain(
    'redis_stream_group_consumer_messages_pending{db="db0",stream="orders",group="billing",consumer="w1"} 5\n',
  );
  expect(execFileSync('promtool', ['check', 'metrics'], {input: stdout, encoding: 'utf8'})).toBe('');
});

it('leaves out the consumers where there are many, or where it is asked to', async () => {
  for (let n = 0; n < 60; n++) await server.redis.xgroup('CREATECONSUMER', 'orders', 'billing', `c${n}`);
  const consumers = async (...args: string[]): Promise<number> =>
    (await streamlog(['metrics', ...args], {server})).stdout.split('consumer_idle_seconds{').length - 1;
  expect(await consumers()).toBe(0);
  expect(await consumers('--consumers', 'on')).toBe(61);
  expect(await consumers('--consumers', 'off')).toBe(0);
});

it('is 69 once where Redis is away', async () => {
  expect(await streamlog(['metrics', '-u', 'unix:///nonexistent'])).toMatchObject({code: 69, stdout: ''});
});

it('has alert rules that promtool finds right', () => {
  execFileSync('promtool', ['test', 'rules', join(contrib, 'prometheus/alerts.test.yml')]);
});

it('has a dashboard and alerts that name only what there is', async () => {
  const known = readFileSync(join(import.meta.dirname, '../../src/lib/metrics/exposition.ts'), 'utf8');
  for (const file of ['grafana/streams.json', 'prometheus/alerts.yml']) {
    const names = readFileSync(join(contrib, file), 'utf8').match(/\b(redis_stream|streamlog)_\w+/g) ?? [];
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(known).toContain(name);
  }
});

describe.each(RUNTIMES)('with %s', (_, command) => {
  it('a scrape asks Redis nothing, and new streams come and gone ones go', async () => {
    const {url, running} = await listening(`${command} metrics --listen 127.0.0.1:0 --every 200ms --discover 200ms`);
    await until(async () => (await scrape(url)).includes('stream="orders"'), 'it has read the streams');
    await server.redis.xadd('mail', '1-0', 'n', '1');
    await until(async () => (await scrape(url)).includes('stream="mail"'), 'the new stream is there');
    await server.redis.del('orders');
    await until(async () => !(await scrape(url)).includes('stream="orders"'), 'the stream has gone');
    await ended(running);

    const slow = await listening(`${command} metrics --listen 127.0.0.1:0 --every 1h`);
    await scrape(slow.url);
    const commands = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(await server.redis.info('stats'))![1]);
    const before = await commands();
    for (let n = 0; n < 20; n++) await scrape(slow.url);
    expect((await commands()) - before).toBe(1);
    await ended(slow.running);
  });

  it('is up 0 while Redis is away, with nothing stale, and comes back', async () => {
    const mortal = await startRedis();
    await mortal.redis.xadd('orders', '1-0', 'n', '1');
    const {url, running} = await listening(
      `${command} metrics --listen 127.0.0.1:0 --every 100ms --silence 500ms`,
      {},
      mortal,
    );
    await until(async () => (await scrape(url)).includes('streamlog_up 1'), 'it is up');
    mortal.process.kill('SIGSTOP');
    await until(async () => (await scrape(url)).includes('streamlog_up 0'), 'it is down');
    expect(await scrape(url)).not.toContain('redis_stream');
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    mortal.process.kill('SIGCONT');
    await until(async () => (await scrape(url)).includes('stream="orders"'), 'it is up again');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await ended(running);
    await mortal.stop();
  });

  it('answers only for its own host, and with a token only to those who have it', async () => {
    const token = 'a-token-of-more-than-enough-characters';
    const {url, running} = await listening(`${command} metrics --listen 127.0.0.1:0`, {STREAMLOG_TOKEN: token});
    const status = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(url + path, init)).status;
    expect(await status('/metrics')).toBe(401);
    expect(await status('/metrics', {headers: {Authorization: `Bearer ${token}`}})).toBe(200);
    expect(await status('/livez')).toBe(200);
    expect(await status('/streams/x')).toBe(404);
    expect(await status('/metrics', {method: 'POST'})).toBe(405);
    await ended(running);

    const open = await listening(`${command} metrics --listen 127.0.0.1:0`);
    const head = 'GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(open.url, head).closed).toMatch(/^HTTP\/1\.1 4\d\d /);
    await ended(open.running);
    const refused = startShell(`exec ${command} metrics --listen 0.0.0.0:0`, {server});
    expect((await refused.finished).code).toBe(78);
  });
});

it('is scraped by Prometheus, which then knows each series', async () => {
  const {url, running} = await listening(`${EXECUTABLE} metrics --listen 127.0.0.1:0 --every 200ms`);
  const port = await freePort();
  const config = {
    global: {scrape_interval: '1s'},
    rule_files: [join(contrib, 'prometheus/alerts.yml')],
    scrape_configs: [{job_name: 'streamlog', static_configs: [{targets: [new URL(url).host]}]}],
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
  const args = [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const prometheus = spawn('prometheus', args, {stdio: 'ignore'});
  endWithUs(prometheus);
  const ask = async (query: string): Promise<{metric: Record<string, string>; value: [number, string]}[]> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
      () => undefined,
    );
    return answer?.ok ? ((await answer.json()) as {data: {result: []}}).data.result : [];
  };
  await until(async () => (await ask('redis_stream_group_lag')).length === 1, 'Prometheus has scraped it');
  const names = new Set([...(await scrape(url)).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
  for (const name of names) expect(await ask(name), name).not.toEqual([]);
  const [{metric, value}] = (await ask('redis_stream_group_lag')) as [
    {metric: Record<string, string>; value: [number, string]},
  ];
  expect(metric).toMatchObject({db: 'db0', stream: 'orders', group: 'billing'});
  expect(value[1]).toBe('15');
  prometheus.kill('SIGTERM');
  await ended(running);
});
