/** `streamlog nack`: who gets the entries next, how soon, and what is left alone. */
import {afterEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';
import {type Finished, type RunOptions, shell, streamlog} from '../support/run-cli.js';

type Pending = [id: string, consumer: string, idleMs: number, deliveries: number];

const counts = ({stdout}: Finished): unknown[] => jsonLines(stdout);

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});

  afterEach(() => server.redis.flushall());

  const nack = (args: string[], options: RunOptions = {}): Promise<Finished> =>
    streamlog(['nack', ...args], {server, ...options});

  /** Entries 1-0 … count-0, all pending with w1. */
  async function deliver(count: number, stream = 'events', group = 'streamlog'): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = 1; ms <= count; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', ms);
    pipeline.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
    pipeline.xreadgroup('GROUP', group, 'w1', 'STREAMS', stream, '>');
    await pipeline.exec();
  }
  const pending = async (stream = 'events', group = 'streamlog'): Promise<Pending[]> =>
    (await server.redis.xpending(stream, group, '-', '+', 10_000)) as Pending[];

  it('the next consumer takes what was given back, although it claims only after an hour', async () => {
    await deliver(3);
    const done = await nack(['1-0', '3-0']);
    expect(done).toMatchObject({code: 0, stderr: ''});
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', givenBack: 2, notPending: 0, withAnother: 0, deliveredAgain: 0, gone: 0},
    ]);
    expect((await pending()).map(([id, , , deliveries]) => [id, deliveries])).toEqual([
      ['1-0', 1],
      ['2-0', 1],
      ['3-0', 1],
    ]);
    const next = await streamlog(['consume', '--name', 'w2', '--claim', '1h', '--exit', '-f', '%o %D\\n'], {server});
    expect(next.stdout).toBe('1-0 2\n3-0 2\n');
    expect((await pending()).map(([id, consumer]) => [id, consumer])).toEqual([['2-0', 'w1']]);
  });

  it('what another consumer has taken over stays with that one', async () => {
    await deliver(2);
    const records = (await streamlog(['pending', '--details'], {server})).stdout;
    await server.redis.xclaim('events', 'streamlog', 'w2', 0, '1-0');
    const done = await nack([], {input: records});
    expect(counts(done)).toMatchObject([{givenBack: 1, withAnother: 1}]);
    expect(done.stderr).toContain('1 released, 1 with another consumer in group "streamlog" on stream "events"');
    const [first, second] = await pending();
    expect(first?.slice(0, 2)).toEqual(['1-0', 'w2']);
    expect(first![2]).toBeLessThan(3_600_000);
    expect(second![2] < 0 || second![2] > 3_600_000).toBe(true);
    expect(counts(await nack(['1-0', '--consumer', 'w1']))).toMatchObject([{givenBack: 0, withAnother: 1}]);
  });

  it('takes records of several streams and groups from a pipe', async () => {
    await deliver(2);
    await deliver(1, 'orders', 'billing');
    const place = '{"stream":"orders","group":"billing","id":"1-0","consumer":"w1"}';
    const done = await shell(`printf '%s\\n' 2-0 '${place}' | streamlog nack`, {server});
    expect(counts(done)).toMatchObject([
      {stream: 'events', group: 'streamlog', givenBack: 1},
      {stream: 'orders', group: 'billing', givenBack: 1},
    ]);
  });

  it('what was delivered again since the record was made stays', async () => {
    await deliver(2);
    const records = await streamlog(['pending', '--details'], {server});
    await server.redis.xclaim('events', 'streamlog', 'w1', 0, '1-0');
    const done = await nack([], {input: records.stdout});
    expect(counts(done)).toMatchObject([{givenBack: 1, deliveredAgain: 1}]);
    expect(done.stderr).toContain('1 released, 1 delivered again since in group');
    expect((await pending())[0]![2]).toBeLessThan(3_600_000);
  });

  it('counts all of a batch in which one fails', async () => {
    await deliver(1);
    await deliver(150, 'orders', 'billing');
    const lines = Array.from({length: 150}, (_, at) => `{"stream":"orders","group":"billing","id":"${at + 1}-0"}`);
    lines.splice(10, 0, '{"stream":"orders","group":"none","id":"1-0"}');
    const done = await nack([], {input: `${lines.join('\n')}\n`});
    expect(done.code).toBe(66);
    // The page of the one that fails is done to its end.
    expect(done.stderr).toContain('before it failed: 99 released in group "billing" on stream "orders"');
  });

  it('a record of something else than was typed is refused, and nothing behind it is given back', async () => {
    await deliver(2);
    for (const [flags, what] of [
      [['--consumer', 'w2'], 'consumer "w1", not of "w2"'],
      [['-g', 'other'], 'group "streamlog", not of "other"'],
      [['-s', 'other'], 'stream "events", not of "other"'],
    ] as const) {
      const place = '{"stream":"events","group":"streamlog","id":"1-0","consumer":"w1"}';
      const done = await nack([...flags], {input: `2-0\n${place}\n`});
      expect(done).toMatchObject({code: 65, stdout: ''});
      expect(done.stderr).toContain(`the record of entry 1-0 is of ${what}`);
    }
    expect((await pending()).every(([, , idleMs]) => idleMs >= 0 && idleMs < 3_600_000)).toBe(true);
  });

  it('what is not pending, or no longer in the stream, is counted and no failure', async () => {
    await deliver(2);
    await server.redis.xack('events', 'streamlog', '1-0');
    await server.redis.xdel('events', '2-0');
    const done = await nack(['1-0', '2-0']);
    expect(done.code).toBe(0);
    expect(counts(done)).toMatchObject([{notPending: 1}]);
    const next = await streamlog(['consume', '--name', 'w2', '--claim', '1h', '--exit'], {server});
    expect(next.stdout).toBe('');
    expect(await pending()).toEqual([]);
  });

  it('a group that is not there is a failure', async () => {
    await deliver(1);
    const done = await nack(['-g', 'biling', '1-0']);
    expect(done).toMatchObject({code: 66, stdout: ''});
    expect(done.stderr).toContain('no group "biling" on stream "events"');
    expect((await nack(['two'])).code).toBe(2);
    expect((await nack([], {input: ''})).stderr).toBe('streamlog: nothing to release\n');
  });
});
