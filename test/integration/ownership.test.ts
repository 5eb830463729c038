/** Why an entry is not ours any more, on each kind of server. */
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {InFlightEntries} from '../../src/lib/consume/in-flight-entries.js';
import {EntryOwnership, type Loss} from '../../src/lib/consume/ownership.js';
import {type Membership, StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';

const member: Membership = {stream: 'events', group: 'g', consumer: 'w1'};

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let control: StreamClient;
  let inFlight: InFlightEntries;
  let ownership: EntryOwnership;
  let reported: string[];
  let lost: [id: string, loss: Loss][];

  beforeAll(async () => {
    control = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000});
  });
  afterAll(async () => {
    control.close();
  });
  beforeEach(async () => {
    reported = [];
    lost = [];
    inFlight = new InFlightEntries();
    ownership = new EntryOwnership(inFlight, {
      member,
      onLost: (_, id, loss) => lost.push([id, loss]),
      onProblem: (line) => reported.push(line),
    });
    await control.createGroup('events', 'g', '0-0', true);
  });
  afterEach(() => server.redis.flushall());

  /** Adds entries, and delivers them to us. */
  async function deliver(...ids: string[]): Promise<void> {
    for (const id of ids) await server.redis.xadd('events', id, 'n', id);
    inFlight.deliver((await control.readNew(member, {count: ids.length})).ids);
  }

  const owners = async (): Promise<string[]> =>
    ((await server.redis.xpending('events', 'g', '-', '+', 100)) as [string, string][]).map(
      ([id, consumer]) => `${id} ${consumer}`,
    );

  it('names who has taken an entry over, what was acknowledged elsewhere and what was deleted, and keeps the rest', async () => {
    await deliver('1-0', '2-0', '3-0', '4-0');
    await server.redis.xclaim('events', 'g', 'w2', 0, '1-0');
    await server.redis.xack('events', 'g', '2-0');
    await server.redis.xdel('events', '3-0');
    const losses = await ownership.account(control, ['1-0', '2-0', '3-0', '4-0']);
    expect(Object.fromEntries(losses)).toEqual({
      '1-0': {kind: 'taken', by: 'w2'},
      '2-0': {kind: 'acknowledged'},
      '3-0': {kind: 'deleted', reference: 'kept'},
    });
    expect(lost).toEqual([...losses]);
    expect(inFlight.delivered).toEqual(['4-0']);
    // What is deleted is not left pending.
    expect(await owners()).toEqual(['1-0 w2', '4-0 w1']);
  });

  it('what is deleted while its handler runs is not let go: the work counts', async () => {
    await deliver('1-0', '2-0');
    ownership.handleBy({isAtWork: (id) => id === '1-0', onLosses: () => {}});
    await server.redis.xdel('events', '1-0', '2-0');
    expect([...(await ownership.account(control, ['1-0', '2-0'])).keys()]).toEqual(['2-0']);
    expect([lost.map(([id]) => id), inFlight.delivered]).toEqual([['2-0'], ['1-0']]);
    // What another has is not ours to work on, and given up also then.
    await deliver('3-0');
    ownership.handleBy({isAtWork: () => true, onLosses: () => {}});
    await server.redis.xclaim('events', 'g', 'w2', 0, '3-0');
    expect([...(await ownership.account(control, ['3-0'])).keys()]).toEqual(['3-0']);
  });

  it('an acknowledgement of all that is in hand is not taken for a removal', async () => {
    await deliver('1-0', '2-0');
    await server.redis.xack('events', 'g', '1-0', '2-0');
    expect((await ownership.account(control, inFlight.delivered)).size).toBe(2);
    expect(await owners()).toEqual([]);
    expect(reported).toEqual([]);
  });

  it('makes pending again what went with our consumer, and takes nothing from others', async () => {
    await deliver('1-0', '2-0', '3-0');
    await server.redis.xclaim('events', 'g', 'w2', 0, '2-0');
    await server.redis.xgroup('DELCONSUMER', 'events', 'g', 'w1');
    const losses = await ownership.account(control, inFlight.delivered);
    expect(Object.fromEntries(losses)).toEqual({'2-0': {kind: 'taken', by: 'w2'}});
    expect(await owners()).toEqual(['1-0 w1', '2-0 w2', '3-0 w1']);
    expect(reported).toEqual([
      'consumer "w1" of group "g" on stream "events" was removed; it had 3 entries in flight, made pending with it again',
    ]);
  });

  it('also when a read of ours has made the consumer again since then, and brought something', async () => {
    await deliver('1-0', '2-0');
    await server.redis.xgroup('DELCONSUMER', 'events', 'g', 'w1');
    ownership.removal.uncertain();
    await deliver('3-0');
    expect((await ownership.account(control, ['1-0'])).size).toBe(0);
    expect(await owners()).toEqual(['1-0 w1', '2-0 w1', '3-0 w1']);
  });

  it('and what was acknowledged while a later one still is ours was acknowledged, whatever reads came between', async () => {
    await deliver('1-0', '2-0');
    await server.redis.xack('events', 'g', '2-0');
    ownership.removal.uncertain();
    await deliver('3-0');
    expect(Object.fromEntries(await ownership.account(control, ['2-0']))).toEqual({'2-0': {kind: 'acknowledged'}});
    expect(reported).toEqual([]);
  });

  it('a user who may neither read the stream nor make consumers finds out as much as it may', async () => {
    await server.redis.call('ACL', 'SETUSER', 'w', 'on', '>pw', '~*', '+xreadgroup', '+xpending', '+xclaim', '+xack');
    await deliver('1-0', '2-0');
    await server.redis.xack('events', 'g', '2-0');
    const url = server.url.replace('unix://', 'unix://w:pw@');
    const limited = await StreamClient.connect({url, connectTimeoutMs: 5_000});
    try {
      expect(Object.fromEntries(await ownership.account(limited, ['2-0']))).toEqual({'2-0': {kind: 'acknowledged'}});
      await server.redis.xgroup('DELCONSUMER', 'events', 'g', 'w1');
      expect((await ownership.account(limited, ['1-0'])).size).toBe(0);
      expect(await owners()).toEqual(['1-0 w1']);
      expect(reported).toEqual([expect.stringContaining('seems to have been removed')]);
    } finally {
      limited.close();
    }
  });

  it('throws notFound when the group is gone, and when the stream is', async () => {
    await deliver('1-0');
    await server.redis.xgroup('DESTROY', 'events', 'g');
    await expect(ownership.account(control, ['1-0'])).rejects.toMatchObject({kind: 'notFound'});
    await server.redis.del('events');
    await expect(ownership.account(control, ['1-0'])).rejects.toMatchObject({kind: 'notFound'});
    expect(inFlight.delivered).toEqual(['1-0']);
  });

  it('tells a pending reference that was deleted from one that was kept', async () => {
    await deliver('1-0', '2-0');
    const deletes = await server.redis.call('XDELEX', 'events', 'DELREF', 'IDS', '1', '1-0').catch(() => undefined);
    // Only Redis from 8.2 on can delete it.
    if (deletes === undefined) return;
    expect(Object.fromEntries(await ownership.account(control, ['1-0']))).toEqual({
      '1-0': {kind: 'deleted', reference: 'deleted'},
    });
  });
});
