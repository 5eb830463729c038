/** `tail` and `info --watch` outlive a Redis that goes and comes, and a stream that is another one afterwards. */
import {describe, expect, it, type TestContext} from 'vitest';
import {idsIn, jsonLines, wholeLines} from '../support/json-lines.js';
import {until} from '../support/redis-server.js';
import {type Running, startStreamlog} from '../support/run-cli.js';
import {type Scene, startScene, untilTold} from './consume-scene.js';

const DURABLE = {args: ['--appendonly', 'yes', '--appendfsync', 'always']};

/** A command that is left running, past the proxy, until the test ends. */
function start(scene: Scene, {onTestFinished}: TestContext, ...args: string[]): Running {
  const running = startStreamlog(args, {server: scene.server, limitMs: 50_000});
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return running;
}

const lines = (running: Running): Record<string, unknown>[] => jsonLines(wholeLines(running.stdout()));
const idsOf = (running: Running): string[] => idsIn(wholeLines(running.stdout()));
const untilPrinted = (running: Running, id: string): Promise<void> =>
  until(() => idsOf(running).includes(id), `${id} is printed`, 30_000);

async function end(running: Running): Promise<number | null> {
  running.process.kill('SIGINT');
  return (await running.finished).code;
}

describe.concurrent('tail', () => {
  it('goes on where it was after each kill -9 and restart, and prints nothing twice', async (context) => {
    const scene = await startScene(context, DURABLE);
    await scene.redis.xadd('events', '1-0', 'n', '1');
    const tail = start(scene, context, 'tail');
    await untilPrinted(tail, '1-0');
    for (const id of ['2-0', '3-0', '4-0']) {
      await scene.killServer();
      await untilTold(tail, /trying again/);
      scene.startServerAgain();
      await scene.redis.xadd('events', id, 'n', id);
      await untilPrinted(tail, id);
    }
    await untilTold(tail, /Redis answers again/);
    expect(await end(tail)).toBe(130);
    expect(idsOf(tail)).toEqual(['1-0', '2-0', '3-0', '4-0']);
  });

  it('reads a stream that began anew with lower IDs from its beginning, and says so', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd('events', '5-0', 'n', 'old');
    const tail = start(scene, context, 'tail');
    await untilPrinted(tail, '5-0');
    await scene.redis.multi().del('events').xadd('events', '1-0', 'n', 'new').xadd('events', '2-0', 'n', 'new').exec();
    await untilPrinted(tail, '2-0');
    expect(await end(tail)).toBe(130);
    expect([idsOf(tail), tail.stderr()]).toEqual([
      ['5-0', '1-0', '2-0'],
      'streamlog: warning: stream "events" has begun anew; going on from its beginning\n',
    ]);
  });

  it('also when Redis came back without its data, and the stream was made later', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd('events', '5-0', 'n', 'old');
    const tail = start(scene, context, 'tail');
    await untilPrinted(tail, '5-0');
    await scene.killServer();
    scene.startServerAgain();
    await untilTold(tail, /stream "events" is gone; waiting for it to begin anew/);
    await scene.redis.xadd('events', '3-0', 'n', 'new');
    await untilPrinted(tail, '3-0');
    expect(idsOf(tail)).toEqual(['5-0', '3-0']);
  });

  it('goes on behind what a stream has kept that lost its newest entries', async (context) => {
    const scene = await startScene(context);
    await scene.redis.multi().xadd('events', '1-0', 'n', '1').xadd('events', '2-0', 'n', '2').exec();
    const kept = await scene.redis.dumpBuffer('events');
    await scene.redis.xadd('events', '9-0', 'n', '9');
    const tail = start(scene, context, 'tail');
    await untilPrinted(tail, '9-0');
    await scene.redis.restore('events', 0, kept, 'REPLACE');
    await untilTold(tail, /stream "events" lacks what was read after 2-0/);
    await scene.redis.xadd('events', '3-0', 'n', '3');
    await untilPrinted(tail, '3-0');
    expect(idsOf(tail)).toEqual(['1-0', '2-0', '9-0', '3-0']);
  });

  it('keeps a position ahead of the stream', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd('events', '5-0', 'n', 'old');
    const tail = start(scene, context, 'tail', '--from', '100');
    await until(async () => /blocked_clients:1/.test(await scene.redis.info('clients')), 'it waits');
    await scene.redis.multi().del('events').xadd('events', '1-0', 'n', 'new').exec();
    await untilTold(tail, /has begun anew/);
    await scene.redis.multi().xadd('events', '2-0', 'n', 'new').xadd('events', '101-0', 'n', 'new').exec();
    await untilPrinted(tail, '101-0');
    expect(idsOf(tail)).toEqual(['101-0']);
  });

  it('ends with 69 when --retry-for is up, with each stream on its own connection', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd('events', '1-0', 'n', '1');
    const tail = start(scene, context, 'tail', '-s', 'events', '-s', 'other', '--retry-for', '300ms');
    await untilPrinted(tail, '1-0');
    await scene.killServer();
    const {code, stderr} = await tail.finished;
    expect(code, stderr).toBe(69);
    expect(stderr).toContain('trying again in ');
  });

  it('ends with 130 at once while Redis is away', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd('events', '1-0', 'n', '1');
    const tail = start(scene, context, 'tail');
    await untilPrinted(tail, '1-0');
    await scene.killServer();
    await untilTold(tail, /trying again/);
    expect(await end(tail)).toBe(130);
  });
});

describe.concurrent('info --watch', () => {
  it('goes on after a kill -9 and restart', async (context) => {
    const scene = await startScene(context, DURABLE);
    await scene.redis.xadd('events', '1-0', 'n', '1');
    const info = start(scene, context, 'info', '--watch', '20ms');
    const length = (): unknown => lines(info).at(-1)?.length;
    await until(() => length() === 1, 'the first state is shown');
    await scene.killServer();
    await untilTold(info, /trying again/);
    scene.startServerAgain();
    await scene.redis.xadd('events', '2-0', 'n', '2');
    await until(() => length() === 2, 'the second state is shown', 30_000);
    expect(await end(info)).toBe(130);
    expect(info.stderr()).toContain('Redis answers again');
  });

  it('ends with 130 at once while Redis is away', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd('events', '1-0', 'n', '1');
    const info = start(scene, context, 'info', '--watch', '20ms');
    await until(() => lines(info).length > 0, 'it is shown');
    await scene.killServer();
    await untilTold(info, /trying again/);
    expect(await end(info)).toBe(130);
  });
});
