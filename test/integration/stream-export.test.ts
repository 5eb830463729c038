/** Sections against what Redis itself says of a stream (XINFO STREAM FULL), for streams with random histories. */
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {ReconnectingClient} from '../../src/lib/reconnecting-client.js';
import {decodeName} from '../../src/lib/records/names.js';
import {compareStreamIds} from '../../src/lib/records/stream-id.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import type {NumberedLine} from '../../src/lib/transfer/section-reader.js';
import type {ExportQuestion} from '../../src/lib/transfer/stream-export.js';
import {exported, fullOf, timesOf, withoutTimes} from '../support/exported.js';
import {RandomStream} from '../support/random-stream.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';
import {seededRandom} from '../support/seeded-random.js';
import {fullInfo} from '../support/stream-facts.js';
import {startCluster} from '../support/topologies.js';

describe.each(serverPrograms())('an export on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;
  beforeAll(async () => {
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
  });
  afterAll(() => client?.close());

  it('has all that Redis knows of a stream, after any history', async () => {
    const seen = {gone: 0, pending: 0, large: 0, ahead: 0, behind: 0};
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const key = random.oneIn(3) ? Buffer.from([seed, 0xff, 0x00]) : Buffer.from(`stream${seed}`);
      await new RandomStream(server.redis, key, random).build(40);
      const lines = await exported(client, decodeName(key), {}, {page: random.pick([1, 3, 1_000])});
      const full = await fullInfo(server.redis, key);
      const found = fullOf(lines);
      expect(withoutTimes(found), `seed ${seed}`).toEqual(withoutTimes(full));
      for (const [at, deliveredAt] of timesOf(found).entries())
        expect(Math.abs(deliveredAt - timesOf(full)[at]!), `seed ${seed}`).toBeLessThan(1_000);
      seen.gone += lines.filter(({kind}) => kind === 'gone').length;
      seen.pending += timesOf(full).length;
      for (const {pending} of full.groups)
        seen.large += pending.filter(([, , , deliveries]) => deliveries.length > 16).length;
      for (const group of full.groups) {
        const order = compareStreamIds(group['last-delivered-id'], full['last-generated-id']);
        if (order > 0) seen.ahead++;
        if (order < 0) seen.behind++;
      }
    }
    // Histories without any of these would prove nothing.
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(3);
  });

  it('has what is pending in hundreds of groups, some of it gone', async () => {
    const key = Buffer.from('groups');
    await server.redis.eval(
      `for n = 1, 300 do redis.call('XADD', KEYS[1], n .. '-0', 'n', n) end
       for group = 1, 400 do
         redis.call('XGROUP', 'CREATE', KEYS[1], 'g' .. group, '0')
         redis.call('XREADGROUP', 'GROUP', 'g' .. group, 'w', 'COUNT', 1 + group % 200, 'STREAMS', KEYS[1], '>')
       end
       for n = 1, 300, 2 do redis.call('XDEL', KEYS[1], n .. '-0') end`,
      1,
      key,
    );
    const full = await fullInfo(server.redis, key);
    for (const page of [7, 1_000])
      expect(withoutTimes(fullOf(await exported(client, 'groups', {}, {page})))).toEqual(withoutTimes(full));
  });

  describe('while the stream is in use', () => {
    let stream = '';
    let number = 0;
    /** Entries 1-0 to 9-0; group g has been given five, and has acknowledged one. */
    beforeEach(async () => {
      stream = `used${number++}`;
      for (let n = 1; n <= 9; n++) await server.redis.xadd(stream, `${n}-0`, 'n', n);
      await server.redis.xgroup('CREATE', stream, 'g', '0');
      await server.redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 5, 'STREAMS', stream, '>');
      await server.redis.xack(stream, 'g', '2-0');
    });

    /** The export, entry by entry; `work` is done behind the first three. */
    const exportedWhile = (work: () => Promise<unknown>, question: Partial<ExportQuestion> = {}) => {
      let parts = 0;
      const onPart = async (): Promise<void> => void (++parts === 3 && (await work()));
      return exported(client, stream, {failOnMissing: false, ...question}, {page: 1, onPart});
    };
    const idsOf = (lines: readonly NumberedLine[], kind: 'entry' | 'gone' = 'entry'): string[] =>
      lines.flatMap((line) => (line.kind === kind ? [line.id] : []));
    const pendingIn = (lines: readonly NumberedLine[]): string[] =>
      lines.flatMap((line) =>
        (line.kind === 'entry' || line.kind === 'gone') && line.pending.length > 0 ? [line.id] : [],
      );

    it('has what it was at the beginning, whatever is added and delivered later', async () => {
      const lines = await exportedWhile(async () => {
        await server.redis.xadd(stream, '10-0', 'n', '10');
        await server.redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 9, 'STREAMS', stream, '>');
      });
      expect(idsOf(lines)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${n}-0`));
      expect(pendingIn(lines)).toEqual(['1-0', '3-0', '4-0', '5-0']);
      expect(lines[0]).toMatchObject({
        length: 9,
        lastGeneratedId: '9-0',
        groups: [{lastDeliveredId: '5-0', pending: 4}],
      });
    });

    it('takes what is acknowledged and deleted in the middle for neither pending nor gone', async () => {
      const lines = await exportedWhile(async () => {
        await server.redis.xack(stream, 'g', '4-0', '5-0');
        await server.redis.xdel(stream, '5-0');
      });
      expect([pendingIn(lines), idsOf(lines, 'gone')]).toEqual([['1-0', '3-0'], []]);
      expect(lines.at(-1)).toMatchObject({kind: 'end', entries: 8, missing: 1});
    });

    it('has as gone what is pending and was deleted before its page was read', async () => {
      const lines = await exportedWhile(() => server.redis.xdel(stream, '5-0', '7-0'));
      expect([pendingIn(lines), idsOf(lines, 'gone')]).toEqual([['1-0', '3-0', '4-0', '5-0'], ['5-0']]);
      expect(lines.at(-1)).toMatchObject({entries: 7, gone: 1, pending: 4, missing: 2});
    });

    it('counts what was trimmed meanwhile', async () => {
      const lines = await exportedWhile(() => server.redis.call('XTRIM', stream, 'MINID', '8-0'));
      expect(lines.at(-1)).toMatchObject({entries: 5, missing: 4, gone: 2});
    });

    it('has no end where something was trimmed meanwhile and that is to be a failure', async () => {
      const trim = () => server.redis.call('XTRIM', stream, 'MINID', '8-0');
      await expect(exportedWhile(trim, {failOnMissing: true})).rejects.toMatchObject({
        kind: 'incomplete',
        message: expect.stringMatching(/^4 of the entries of "used\d+" were trimmed or deleted before they were read/),
      });
    });

    it('follows an entry to the consumer that has taken it over', async () => {
      const lines = await exportedWhile(() =>
        server.redis.xclaim(stream, 'g', 'other', 0, '5-0', 'TIME', 1_000, 'RETRYCOUNT', 7, 'JUSTID'),
      );
      const last = lines.find((line) => line.kind === 'entry' && line.id === '5-0');
      expect(last).toMatchObject({pending: [{group: 'g', consumer: 'other', deliveries: 7}]});
    });

    it.each<[string, RegExp, () => Promise<unknown>]>([
      ['is deleted', /^no stream "used\d+"; the export has no end$/, () => server.redis.del(stream)],
      ['is renamed', /^no stream/, () => server.redis.rename(stream, `${stream}:other`)],
      ['is replaced by a string', /is a string, not a stream/, () => server.redis.set(stream, 'x')],
      [
        'begins anew',
        /is another one now/,
        () => server.redis.multi().del(stream).xadd(stream, '3-0', 'n', '3').exec(),
      ],
      ['loses its group', /^group "g" of stream "used\d+" is gone/, () => server.redis.xgroup('DESTROY', stream, 'g')],
      [
        'has its group moved back',
        /^group "g" of stream "used\d+" was moved back; the export has no end$/,
        () => server.redis.xgroup('SETID', stream, 'g', '1-0'),
      ],
    ])('has no end where the stream %s', async (_, message, work) => {
      const question = {groups: 'all'} as const;
      await expect(exportedWhile(work, question)).rejects.toMatchObject({
        kind: 'incomplete',
        message: expect.stringMatching(message),
      });
    });
  });
});

describe('an export of a cluster', () => {
  it('is that of a stream in any slot, also while its slot moves', async () => {
    const cluster = await startCluster();
    try {
      const client = await StreamClient.connect({url: cluster.url, connectTimeoutMs: 4_000});
      const connections = new ReconnectingClient({
        connect: () => StreamClient.connect({url: cluster.url, connectTimeoutMs: 4_000}),
        stopping: new AbortController().signal,
        onProblem: () => {},
      });
      for (const name of ['a', 'b', 'orders', 'x{a}']) {
        const node = await cluster.nodeOf(name);
        for (let n = 1; n <= 20; n++) await node.redis.xadd(name, `${n}-0`, 'n', n);
        await node.redis.xgroup('CREATE', name, 'g', '0');
        await node.redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 9, 'STREAMS', name, '>');
        await node.redis.xdel(name, '3-0');
        const ids = (lines: readonly NumberedLine[]): string[] =>
          lines.map((line) => ('id' in line ? line.id : line.kind));
        const whole = ids(await exported(client, name));
        expect(whole.slice(0, 4)).toEqual(['header', '1-0', '2-0', '3-0']);
        expect(whole).toHaveLength(22);
        const to = cluster.nodes.find((one) => one !== node)!;
        let parts = 0;
        const onPart = async (): Promise<void> => void (++parts === 5 && (await cluster.moveSlot(name, to)));
        expect(ids(await exported(client, name, {}, {page: 1, onPart, run: connections.runCommands}))).toEqual(whole);
      }
      client.close();
      connections.close();
    } finally {
      await cluster.stop();
    }
  });
});
