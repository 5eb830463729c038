/** `streamlog claim`: what changes hands, what does not, and that nobody is left to guess. */
import {afterEach, describe, expect, it} from 'vitest';
import {idsIn, jsonLines} from '../support/json-lines.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, type RunOptions, shell, streamlog} from '../support/run-cli.js';

const records = ({stdout}: Finished): unknown[] => jsonLines(stdout);
const ids = ({stdout}: Finished): string[] => idsIn(stdout);

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});

  afterEach(() => server.redis.flushall());

  const claim = (args: string[], options: RunOptions = {}): Promise<Finished> =>
    streamlog(['claim', ...args], {server, ...options});

  /** Entries 1-0 … count-0, all pending with w1, delivered an hour ago. */
  async function deliver(count: number, stream = 'events', group = 'streamlog'): Promise<void> {
    const all = Array.from({length: count}, (_, index) => `${index + 1}-0`);
    const pipeline = server.redis.pipeline();
    for (const id of all) pipeline.xadd(stream, id, 'n', id);
    pipeline.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
    pipeline.xreadgroup('GROUP', group, 'w1', 'STREAMS', stream, '>');
    await pipeline.exec();
    await delivered(all, 3_600_000, stream, group);
  }

  /** Lets entries of w1 look as if they had been delivered that long ago. */
  const delivered = (entryIds: string[], idleMs: number, stream = 'events', group = 'streamlog'): Promise<unknown> =>
    server.redis.xclaim(stream, group, 'w1', 0, ...entryIds, 'IDLE', idleMs, 'RETRYCOUNT', 1, 'JUSTID');

  async function pendingOf(consumer: string, stream = 'events', group = 'streamlog'): Promise<string[]> {
    const entries = (await server.redis.xpending(stream, group, '-', '+', 10_000, consumer)) as [string][];
    return entries.map(([id]) => id);
  }

  describe('by ID', () => {
    it('prints what was claimed, with its fields, its new consumer and one more delivery', async () => {
      await deliver(3);
      const done = await claim(['1-0', '3-0', '--to', 'w2']);
      expect(done).toMatchObject({code: 0, stderr: 'streamlog: claimed 2 for "w2"\n'});
      expect(records(done)).toEqual([
        {stream: 'events', id: '1-0', fields: {n: '1-0'}, group: 'streamlog', consumer: 'w2', deliveries: 2},
        {stream: 'events', id: '3-0', fields: {n: '3-0'}, group: 'streamlog', consumer: 'w2', deliveries: 2},
      ]);
      expect(await pendingOf('w2')).toEqual(['1-0', '3-0']);
      expect(await pendingOf('w1')).toEqual(['2-0']);
    });

    it('says of each that was not claimed why', async () => {
      await deliver(6);
      await server.redis.xack('events', 'streamlog', '2-0');
      await delivered(['3-0'], 0);
      await server.redis.xdel('events', '4-0', '5-0');
      const done = await claim(['1-0', '2-0', '3-0', '4-0', '5-0', '--to', 'w2', '--min-idle', '30m']);
      expect(done.code).toBe(0);
      expect(ids(done)).toEqual(['1-0']);
      expect(done.stderr).toBe(
        'streamlog: events 4-0: not claimed, it is no longer in the stream\n' +
          'streamlog: events 5-0: not claimed, it is no longer in the stream\n' +
          'streamlog: claimed 1 for "w2", not claimed: 1 not pending, 1 not idle for long enough, 2 no longer in the stream\n',
      );
      expect(await pendingOf('w2')).toEqual(['1-0']);
    });

    it('IDs that lie close together are looked up together, and those far apart each for itself', async () => {
      await deliver(5_000);
      const far = ['1-0', '2500-0', '5000-0'];
      const near = Array.from({length: 90}, (_, index) => `${index + 100}-0`);
      await server.redis.config('RESETSTAT');
      const done = await claim(['--to', 'w2'], {input: [...near, ''].join('\n')});
      expect(records(done)).toEqual(near.map((id) => expect.objectContaining({id, consumer: 'w2', deliveries: 2})));
      const stats = await server.redis.info('commandstats');
      expect(Number(/cmdstat_xpending:calls=(\d+)/.exec(stats)?.[1])).toBeLessThanOrEqual(4);
      expect(records(await claim([...far, '--to', 'w3']))).toEqual(
        far.map((id) => expect.objectContaining({id, consumer: 'w3', deliveries: 2})),
      );
    });

    it('an ID that is given twice is claimed once, and counted as one delivery', async () => {
      await deliver(1);
      expect(records(await claim(['1-0', '1-0', '--to', 'w2']))).toMatchObject([{id: '1-0', deliveries: 2}]);
    });

    it('--dry-run prints the same entries as they are now, and nothing changes hands', async () => {
      await deliver(4);
      await server.redis.xack('events', 'streamlog', '2-0');
      await delivered(['3-0'], 0);
      const dry = await claim(['1-0', '2-0', '3-0', '--to', 'w2', '--min-idle', '30m', '--dry-run']);
      expect(dry.code).toBe(0);
      expect(records(dry)).toEqual([
        {stream: 'events', id: '1-0', fields: {n: '1-0'}, group: 'streamlog', consumer: 'w1', deliveries: 1},
      ]);
      expect(dry.stderr).toBe(
        'streamlog: would have claimed 1 for "w2", not claimed: 1 not pending, 1 not idle for long enough\n',
      );
      expect(await pendingOf('w2')).toEqual([]);
      expect(await pendingOf('w1')).toEqual(['1-0', '3-0', '4-0']);
    });

    it('--dry-run says of each that would not be claimed what claiming it says', async () => {
      await deliver(5);
      await delivered(['3-0', '5-0'], 0);
      await server.redis.xdel('events', '4-0', '5-0');
      const args = ['1-0', '3-0', '4-0', '5-0', '9-0', '--to', 'w2', '--min-idle', '30m'];
      const dry = await claim([...args, '--dry-run']);
      expect(dry.stderr).toContain(
        'would have claimed 1 for "w2", not claimed: 1 not pending, 2 not idle for long enough, 1 no longer in the stream\n',
      );
      expect((await claim(args)).stderr).toBe(dry.stderr.replace('would have claimed', 'claimed'));
    });

    it('bytes and repeated names come out as they are', async () => {
      await server.redis.xadd('events', '1-0', 'a', '1', 'a', Buffer.from([0xff, 0x00]));
      await server.redis.xgroup('CREATE', 'events', 'streamlog', '0');
      await server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
      expect(records(await claim(['1-0', '--to', 'w2']))).toMatchObject([
        {
          pairs: [
            ['a', '1'],
            ['a', {$b64: '/wA='}],
          ],
        },
      ]);
    });
  });

  describe('from standard input', () => {
    it('takes IDs and records, and a record knows its own stream and group', async () => {
      await deliver(2);
      await deliver(2, 'orders', 'billing');
      const input = '1-0\n{"stream":"orders","id":"2-0","fields":{},"group":"billing","consumer":"w1"}\n';
      const done = await claim(['--to', 'w2'], {input});
      expect(records(done)).toMatchObject([
        {stream: 'events', id: '1-0', group: 'streamlog'},
        {stream: 'orders', id: '2-0', group: 'billing'},
      ]);
      expect(await pendingOf('w2', 'orders', 'billing')).toEqual(['2-0']);
    });

    it('a bad line ends it with 65, and what is before it was claimed and printed', async () => {
      await deliver(3);
      const done = await claim(['--to', 'w2'], {input: '1-0\nnonsense\n3-0\n'});
      expect(done.code).toBe(65);
      expect(ids(done)).toEqual(['1-0']);
      expect(done.stderr).toContain('line 2: "nonsense" is not a valid entry ID');
      expect(await pendingOf('w2')).toEqual(['1-0']);
    });

    it('what it prints, ack takes', async () => {
      await deliver(3, 'orders', 'billing');
      const done = await shell(
        'streamlog pending -s orders -g billing --details | streamlog claim --to w2 | streamlog ack',
        {server},
      );
      expect(done.code).toBe(0);
      expect(records(done)).toEqual([
        {stream: 'orders', group: 'billing', acknowledged: 3, notPending: 0, withAnother: 0},
      ]);
    });

    it('an empty input claims nothing; at a prompt it asks for IDs', async () => {
      expect(await claim(['--to', 'w2'], {input: ''})).toMatchObject({code: 0, stdout: ''});
      const prompt = await shell(`script --quiet --return --command '"$STREAMLOG" claim --to w2' /dev/null`, {
        server,
        env: {STREAMLOG: EXECUTABLE},
      });
      expect(prompt.code).toBe(2);
      expect(prompt.stdout).toContain('no IDs are given');
    });
  });

  describe('what a record says', () => {
    const details = async (): Promise<string> => (await streamlog(['pending', '--details'], {server})).stdout;

    it('an entry that a live consumer has got since stays with it, and is named', async () => {
      await deliver(3);
      const input = await details();
      await server.redis.xclaim('events', 'streamlog', 'alive', 0, '1-0', '3-0');
      const done = await claim(['--to', 'w2'], {input});
      expect(done.code).toBe(0);
      expect(ids(done)).toEqual(['2-0']);
      expect(done.stderr).toBe(
        'streamlog: events 1-0: not claimed, it is with "alive" now, not with "w1"\n' +
          'streamlog: events 3-0: not claimed, it is with "alive" now, not with "w1"\n' +
          'streamlog: claimed 1 for "w2", not claimed: 2 with another consumer\n',
      );
      expect(await pendingOf('alive')).toEqual(['1-0', '3-0']);
    });

    it.each([
      ['as long idle as before', ['IDLE', 7_200_000]],
      ['given back since', ['IDLE', 400_000_000_000]],
    ])('nor is one taken from its new owner when it seems %s', async (_, idle) => {
      await deliver(1);
      const input = await details();
      await server.redis.call('XCLAIM', 'events', 'streamlog', 'alive', 0, '1-0', ...idle);
      expect(await claim(['--to', 'w2'], {input})).toMatchObject({code: 0, stdout: ''});
      expect(await pendingOf('alive')).toEqual(['1-0']);
    });

    it.each([
      ['again', ['1-0']],
      ['or kept by a lease', ['1-0', 'JUSTID']],
    ])('an entry that its own consumer has got %s stays with it', async (_, how) => {
      await deliver(2);
      const input = await details();
      await server.redis.call('XCLAIM', 'events', 'streamlog', 'w1', 0, ...how);
      const done = await claim(['--to', 'w2'], {input});
      expect(ids(done)).toEqual(['2-0']);
      expect(done.stderr).toContain('events 1-0: not claimed, "w1" has got it again, or works on it');
      expect(done.stderr).toContain('claimed 1 for "w2", not claimed: 1 delivered again since\n');
    });

    it('a record without them, and an ID, is claimed from whoever has it', async () => {
      await deliver(3);
      await server.redis.xclaim('events', 'streamlog', 'w3', 0, '1-0', '2-0');
      const input = '1-0\n{"stream":"events","id":"2-0","deliveries":"often"}\n';
      expect(ids(await claim(['--to', 'w2'], {input}))).toEqual(['1-0', '2-0']);
    });

    it('what was typed refuses a record of another stream or group', async () => {
      await deliver(2);
      await deliver(2, 'orders', 'billing');
      for (const flags of [
        ['-s', 'orders'],
        ['-g', 'billing'],
      ]) {
        const done = await claim([...flags, '--to', 'w2'], {input: `2-0\n${await details()}`});
        expect(done).toMatchObject({code: 65, stdout: ''});
        expect(done.stderr).toContain('the record of entry 1-0 is of ');
      }
      expect(await pendingOf('w2')).toEqual([]);
      expect(await pendingOf('w2', 'orders', 'billing')).toEqual([]);
    });
  });

  it('entries that lie far apart, or are large, come out whole and once', async () => {
    await deliver(2_000);
    const wanted = Array.from({length: 2_000}, (_, at) => `${at + 1}-0`).filter((_, at) => at < 300 || at % 37 === 0);
    for (const ms of [3_000, 4_000]) {
      await server.redis.xadd('events', `${ms}-0`, 'blob', 'x'.repeat(3_000_000));
    }
    await server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
    wanted.push('3000-0', '4000-0');
    const done = await claim(['--to', 'w2'], {input: `${[...wanted].reverse().join('\n')}\n`});
    expect(new Set(ids(done))).toEqual(new Set(wanted));
    expect(ids(done)).toHaveLength(wanted.length);
    expect(done.stderr).toBe(`streamlog: claimed ${wanted.length} for "w2"\n`);
    expect(await pendingOf('w2')).toEqual(wanted);
  });

  describe('all of a consumer', () => {
    it('--consumer hands over everything it has, however much', async () => {
      await deliver(1_234);
      const done = await claim(['--consumer', 'w1', '--to', 'w2']);
      expect(done).toMatchObject({code: 0, stderr: 'streamlog: claimed 1234 for "w2"\n'});
      expect(new Set(ids(done)).size).toBe(1_234);
      expect(await pendingOf('w1')).toEqual([]);
      expect(await pendingOf('w2')).toHaveLength(1_234);
    });

    it('-n bounds it, oldest first; --min-idle leaves what is being worked on', async () => {
      await deliver(5);
      await delivered(['1-0', '3-0'], 0);
      expect(ids(await claim(['--consumer', 'w1', '--to', 'w2', '--min-idle', '30m', '-n', '2']))).toEqual([
        '2-0',
        '4-0',
      ]);
      expect(await pendingOf('w1')).toEqual(['1-0', '3-0', '5-0']);
    });

    it('takes nothing from other consumers, and does not look at standard input', async () => {
      await deliver(2);
      await server.redis.xclaim('events', 'streamlog', 'w3', 0, '2-0');
      expect(ids(await claim(['--consumer', 'w1', '--to', 'w2'], {input: '2-0\n'}))).toEqual(['1-0']);
      expect(await pendingOf('w3')).toEqual(['2-0']);
    });

    it('--dry-run lists what would change hands', async () => {
      await deliver(150);
      const dry = await claim(['--consumer', 'w1', '--to', 'w2', '--dry-run', '-n', '120']);
      expect(ids(dry)).toHaveLength(120);
      expect(dry.stderr).toBe('streamlog: would have claimed 120 for "w2"\n');
      expect(await pendingOf('w1')).toHaveLength(150);
    });

    it('asks for no entry by itself, and takes what was given back with what idles', async () => {
      await deliver(1_000);
      await streamlog(['nack', '3-0', '500-0'], {server});
      await server.redis.config('RESETSTAT');
      const done = await claim(['--consumer', 'w1', '--to', 'w2', '--min-idle', '30m']);
      expect(done).toMatchObject({code: 0, stderr: 'streamlog: claimed 1000 for "w2"\n'});
      expect(records(done)).toContainEqual(expect.objectContaining({id: '500-0', consumer: 'w2', deliveries: 2}));
      const stats = await server.redis.info('commandstats');
      // To list a page of them, and in the step that claims it.
      expect(Number(/cmdstat_xpending:calls=(\d+)/.exec(stats)?.[1])).toBeLessThanOrEqual(22);
    });

    it('IDs and --consumer together are refused', async () => {
      await deliver(1);
      expect(await claim(['1-0', '--consumer', 'w1', '--to', 'w2'])).toMatchObject({code: 2, stdout: ''});
      expect(await pendingOf('w1')).toEqual(['1-0']);
    });
  });

  it('without --to it does not know for whom', async () => {
    expect(await claim(['1-0'])).toMatchObject({code: 2, stdout: ''});
  });

  it('a group that is not there: exits with 66 and says how to make it', async () => {
    await deliver(1);
    for (const what of [['1-0'], ['--consumer', 'w1']]) {
      const done = await claim([...what, '--to', 'w2', '-g', 'biling']);
      expect(done).toMatchObject({code: 66, stdout: ''});
      expect(done.stderr).toContain('no group "biling" on stream "events"');
    }
  });
});
