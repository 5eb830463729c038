/** `check`, `metrics`, `top --once` and `doctor` in a cluster and behind sentinels, and what they say when a server goes. */
import {afterAll, beforeAll, describe, expect, it, type TestContext} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {until} from '../support/redis-server.js';
import {type Finished, type Running, startStreamlog, streamlog} from '../support/run-cli.js';
import {type RedisCluster, type SentinelSet, startCluster, startSentinelSet} from '../support/topologies.js';

/** In the slots of different masters. */
const STREAMS = ['{a}:jobs', '{b}:orders', '{c}:mail'] as const;

async function listening({onTestFinished}: TestContext, url: string): Promise<{running: Running; url: string}> {
  const args = ['metrics', '--listen', '127.0.0.1:0', '--every', '200ms', '--discover', '200ms', '--silence', '1s'];
  const running = startStreamlog([...args, '--url', url], {limitMs: 100_000});
  onTestFinished(() => void running.process.kill('SIGKILL'));
  await until(() => running.stderr().includes('listening on '), 'it listens');
  return {running, url: /listening on (\S+)/.exec(running.stderr())![1]!};
}
const scrape = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();
const streamsIn = (text: string): string[] =>
  [...text.matchAll(/^redis_stream_length\{db="db0",stream="([^"]+)"/gm)].map(([, name]) => name!);
const skippedIn = (text: string): string | undefined => /^streamlog_collector_streams_skipped (\d+)/m.exec(text)?.[1];

describe('in a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    // Otherwise all refuse to answer once one is gone.
    cluster = await startCluster({args: ['--cluster-require-full-coverage', 'no']});
    for (const stream of STREAMS) {
      const {redis} = await cluster.nodeOf(stream);
      await redis.xadd(stream, '*', 'n', '1');
      await redis.xgroup('CREATE', stream, 'g', '0');
    }
  });
  afterAll(() => cluster.stop());
  const run = (...args: string[]): Promise<Finished> => streamlog([...args, '--url', cluster.url]);

  it('all masters are read', async () => {
    expect(await run('check', '--match', '*', '-c', 'lag>5', '-c', 'evicted>0')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^OK - /),
    });
    expect(await run('check', '--match', '*', '-c', 'lag>0')).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^CRITICAL - \{a\}:jobs\/g lag 1 \(critical >0\); and 2 more of 3 /),
    });
    expect(streamsIn((await run('metrics')).stdout)).toEqual(STREAMS);
    const [top] = jsonLines<{streams: {stream: string}[]; server: object}>((await run('top', '--once')).stdout);
    expect(top!.streams.map(({stream}) => stream).sort()).toEqual(STREAMS);
    expect(top!.server).toMatchObject({mode: 'cluster', masters: 3});
  });

  it('a master that is gone is critical, and its streams have no figures', async (context) => {
    const {url} = await listening(context, cluster.url);
    await until(async () => streamsIn(await scrape(url)).length === 3, 'all streams are there');
    await (await cluster.nodeOf(STREAMS[0])).stop();
    await until(async () => streamsIn(await scrape(url)).length === 2, 'its stream has gone');
    const text = await scrape(url);
    expect(text).toContain('\nstreamlog_up 1\n');
    expect([streamsIn(text), skippedIn(text)]).toEqual([STREAMS.slice(1), '1']);

    const [all, gone, there, doctor] = await Promise.all([
      run('check', '--match', '*', '-c', 'lag>5'),
      run('check', STREAMS[0], '-c', 'length>5'),
      run('check', STREAMS[1], '-c', 'lag>5'),
      run('doctor', '--json', '--only', 'D01'),
    ]);
    expect([all.code, all.stdout]).toEqual([2, expect.stringMatching(/^CRITICAL - a server of the cluster does not /)]);
    expect([gone.code, gone.stdout]).toEqual([2, expect.stringMatching(/^CRITICAL - .*does not answer/)]);
    expect(gone.stdout).not.toContain('length 0');
    expect([there.code, there.stdout]).toEqual([0, expect.stringMatching(/^OK - \{b\}:orders\/g lag 1/)]);
    expect(doctor).toMatchObject({code: 0, stderr: expect.stringContaining('not all streams are known')});
  });
});

describe('behind sentinels', () => {
  let set: SentinelSet;
  beforeAll(async () => {
    set = await startSentinelSet();
    await set.master.redis.xadd('orders', '*', 'n', '1');
    await set.master.redis.xgroup('CREATE', 'orders', 'g', '0');
    await set.master.redis.wait(1, 5_000);
  });
  afterAll(() => set.stop());

  it('the master is read, and after a failover the other one', async (context) => {
    const check = (): Promise<Finished> => streamlog(['check', 'orders', '-w', 'lag>0', '--url', set.url]);
    const mends = async (): Promise<string> => (await streamlog(['doctor', '--json', '--url', set.url])).stdout;
    const warning = {code: 1, stdout: expect.stringMatching(/^WARNING - orders\/g lag 1 /)};
    const {url} = await listening(context, set.url);
    await until(async () => streamsIn(await scrape(url)).includes('orders'), 'the stream is there');
    expect(await check()).toMatchObject(warning);
    expect(await mends()).toContain(`redis-cli -u redis://127.0.0.1:${set.master.port} CONFIG SET`);

    set.master.process.kill('SIGKILL');
    await set.untilMasterIs(set.replica);
    await set.replica.redis.xadd('mail', '*', 'n', '1');

    await until(async () => streamsIn(await scrape(url)).includes('mail'), 'the new stream is there');
    expect(await check()).toMatchObject(warning);
    expect(await mends()).toContain(`redis-cli -u redis://127.0.0.1:${set.replica.port} CONFIG SET`);
  });
});
