/** `export` through faults: what is lost, killed, full or in use. What it ends with is compared with what Redis knows. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it, type TestContext} from 'vitest';
import {killExport} from '../soak/export-kills.js';
import {fullOf, linesOfFile, withoutTimes} from '../support/exported.js';
import {until} from '../support/redis-server.js';
import {RUNTIMES, type Running, startStreamlog, streamlog} from '../support/run-cli.js';
import {type FullInfo, fullInfo} from '../support/stream-facts.js';
import {type Scene, startScene, untilTold} from './consume-scene.js';
import {judgeExport, type LoadedStream, startLoad} from './export-load.js';
import {seededRandom} from './support/seed.js';

const DURABLE = {args: ['--appendonly', 'yes', '--appendfsync', 'always']};
const ENTRIES = 4_000;

/** Entries of which some are pending and some are gone. */
async function fill({redis}: Scene): Promise<void> {
  await redis.eval(
    `for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], n .. '-0', 'n', n, 'value', string.rep('x', 100)) end
     redis.call('XGROUP', 'CREATE', KEYS[1], 'g', '0')
     redis.call('XREADGROUP', 'GROUP', 'g', 'w', 'COUNT', 3000, 'STREAMS', KEYS[1], '>')
     for n = 1, tonumber(ARGV[1]), 7 do redis.call('XDEL', KEYS[1], n .. '-0') end
     for n = 1, tonumber(ARGV[1]), 3 do redis.call('XACK', KEYS[1], 'g', n .. '-0') end`,
    1,
    'orders',
    ENTRIES,
  );
}

/** `export`, past the proxy, into a file of the scene. */
function start(scene: Scene, {onTestFinished}: TestContext, ...args: string[]) {
  const running = startStreamlog(['export', 'orders', '--file', fileOf(scene), ...args], {
    server: scene.server,
    env: {STREAMLOG_URL: scene.proxy.url},
    limitMs: 50_000,
  });
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return running;
}
/** Waits until so many pages were asked for. */
const untilRead = ({proxy}: Scene, {process}: Running, pages: number): Promise<void> =>
  until(() => proxy.requests('XRANGE') >= pages || process.exitCode !== null, `${pages} pages were asked for`);
const fileOf = ({server}: Scene): string => join(server.directory, 'F');

/** What Redis knows of the stream. */
const known = ({redis}: Scene): Promise<FullInfo> => fullInfo(redis, 'orders');

async function expectWhole(scene: Scene, full: FullInfo): Promise<void> {
  expect(withoutTimes(fullOf(await linesOfFile(fileOf(scene))))).toEqual(withoutTimes(full));
}

describe.concurrent('export', () => {
  it('F11: goes on behind the last written entry, however often the connection is reset', async (context) => {
    const scene = await startScene(context);
    await fill(scene);
    const full = await known(scene);
    const running = start(scene, context, '--rate', '4000/s');
    for (let resets = 1; resets <= 10; resets++) {
      await untilRead(scene, running, 2 * resets);
      scene.proxy.reset();
    }
    const {code, stderr} = await running.finished;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/trying again/);
    await expectWhole(scene, full);
  });

  const cuts = ['XRANGE', 'XPENDING', 'XINFO', 'EXEC'].flatMap((command) =>
    (['cutBefore', 'cutAfter'] as const).map((fault) => [command, fault] as const),
  );
  it.for(cuts)('F1, F2: loses nothing with the n-th %s or its reply (%s)', async ([command, fault], context) => {
    const scene = await startScene(context);
    await fill(scene);
    const full = await known(scene);
    void scene.proxy[fault](command, command === 'XINFO' ? 3 : 4);
    const running = start(scene, context);
    expect((await running.finished).code, running.stderr()).toBe(0);
    expect(running.stderr()).toMatch(/trying again/);
    await expectWhole(scene, full);
  });

  it('F4: goes on after a kill -9 of Redis, with what it has kept', async (context) => {
    const scene = await startScene(context, DURABLE);
    await fill(scene);
    // Redis forgets in its log what a group has counted.
    const full = await known(scene);
    const running = start(scene, context, '--rate', '3000/s');
    await untilRead(scene, running, 2);
    await scene.killServer();
    await untilTold(running, /trying again/);
    scene.startServerAgain();
    expect((await running.finished).code, running.stderr()).toBe(0);
    await expectWhole(scene, full);
  });

  it('F4: has no end where Redis came back without the stream', async (context) => {
    const scene = await startScene(context);
    await fill(scene);
    const running = start(scene, context, '--rate', '3000/s');
    await untilRead(scene, running, 2);
    await scene.killServer();
    await untilTold(running, /trying again/);
    scene.startServerAgain();
    const {code, stderr} = await running.finished;
    expect([code, stderr]).toEqual([70, expect.stringContaining('no stream "orders"; the export has no end')]);
    expect(readFileSync(`${fileOf(scene)}.part`, 'utf8')).not.toContain('"streamlog":"end"');
  });

  it.each(RUNTIMES)('F32: is whole after kills, by %s', async (runtime, command) => {
    const random = seededRandom(`export kills, ${runtime}`);
    const {found, expected, advanced} = await killExport(random, {
      command,
      file: 'F',
      entries: 10_000,
      valueBytes: 60,
      kills: 6,
    });
    expect(found).toEqual(expected);
    expect(advanced).toBeGreaterThan(0);
  });

  it('keeps what it promises while streams are written, read and trimmed', async (context) => {
    const scene = await startScene(context);
    const load: LoadedStream = await startLoad(scene.server);
    context.onTestFinished(() => load.end());
    const found = {acknowledged: 0, pending: 0, undelivered: 0};
    for (let run = 0; run < 4; run++) {
      const exported = await streamlog(['export', 'orders', '--rate', '20000/s'], {server: scene.server});
      expect(exported.code, exported.stderr).toBe(0);
      await load.goOn();
      judgeExport(exported.stdout, load, found);
    }
    // A load that leaves nothing in one of these states would prove nothing.
    for (const [state, count] of Object.entries(found)) expect(count, state).toBeGreaterThan(50);
  });
});
