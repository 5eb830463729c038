/** `tail` and `info --watch` go on without loss where another server takes over, or a slot moves. */
import {describe, expect, it, type TestContext} from 'vitest';
import {idsIn, jsonLines, wholeLines} from '../support/json-lines.js';
import {until} from '../support/redis-server.js';
import {type Running, startStreamlog} from '../support/run-cli.js';
import {startCluster, startSentinelSet} from '../support/topologies.js';

function start({onTestFinished}: TestContext, url: string, ...args: string[]): Running {
  const running = startStreamlog([...args, '--url', url], {limitMs: 100_000});
  onTestFinished(() => void running.process.kill('SIGKILL'));
  return running;
}

const lines = (running: Running): Record<string, unknown>[] => jsonLines(wholeLines(running.stdout()));
const idsOf = (running: Running): string[] => idsIn(wholeLines(running.stdout()));
const lengthOf = (running: Running): unknown => lines(running).at(-1)?.length;

async function end(running: Running): Promise<number | null> {
  running.process.kill('SIGINT');
  return (await running.finished).code;
}

describe('behind sentinels', () => {
  it('both go on with the new master', async (context) => {
    const set = await startSentinelSet();
    context.onTestFinished(() => set.stop());
    await set.master.redis.xadd('events', '1-0', 'n', '1');
    const tail = start(context, set.url, 'tail', 'events');
    const info = start(context, set.url, 'info', 'events', '--watch', '50ms');
    await until(() => idsOf(tail).includes('1-0') && lengthOf(info) === 1, 'both show the first entry', 20_000);
    await set.master.redis.wait(1, 5_000);
    set.master.process.kill('SIGKILL');
    await set.untilMasterIs(set.replica);
    for (const id of ['2-0', '3-0']) await set.replica.redis.xadd('events', id, 'n', id);
    await until(() => idsOf(tail).includes('3-0') && lengthOf(info) === 3, 'both show the others', 60_000);
    expect(idsOf(tail)).toEqual(['1-0', '2-0', '3-0']);
    expect([await end(tail), await end(info)]).toEqual([130, 130]);
  });
});

describe('in a cluster', () => {
  it('both go on where the slot is now', async (context) => {
    const cluster = await startCluster();
    context.onTestFinished(() => cluster.stop());
    const from = await cluster.nodeOf('events');
    await from.redis.xadd('events', '1-0', 'n', '1');
    const tail = start(context, cluster.url, 'tail', 'events');
    const info = start(context, cluster.url, 'info', 'events', '--watch', '50ms');
    await until(() => idsOf(tail).includes('1-0') && lengthOf(info) === 1, 'both show the first entry', 20_000);
    const to = cluster.nodes.find((node) => node !== from)!;
    await cluster.moveSlot('events', to);
    for (const id of ['2-0', '3-0']) await to.redis.xadd('events', id, 'n', id);
    await until(() => idsOf(tail).includes('3-0') && lengthOf(info) === 3, 'both show the others', 60_000);
    await cluster.moveSlot('events', from);
    await from.redis.xadd('events', '4-0', 'n', '4');
    await until(() => idsOf(tail).includes('4-0') && lengthOf(info) === 4, 'and again', 60_000);
    expect(idsOf(tail)).toEqual(['1-0', '2-0', '3-0', '4-0']);
    expect([await end(tail), await end(info)]).toEqual([130, 130]);
    expect(tail.stderr()).not.toMatch(/begun anew|lacks/);
  });
});
