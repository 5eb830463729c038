/** `copy` as a black box: from one server to another, again and again, and followed. */
import {beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {type RedisServer, serverForAll, until} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, type Running, startStreamlog, streamlog} from '../support/run-cli.js';
import {CTRL_C, onTerminal, openTerminal} from '../support/terminal.js';

const source = serverForAll();
const target = serverForAll();
beforeEach(async () => {
  await source.redis.flushall();
  await target.redis.flushall();
});

const there = (): string[] => ['--to-url', target.url];
const copy = (...args: string[]): Promise<Finished> => streamlog(['copy', ...args], {server: source});

/** Entries `from`-1 to `to`-1. */
async function fill({redis}: RedisServer, stream: string, from: number, to: number, text = 'entry'): Promise<void> {
  const pipeline = redis.pipeline();
  for (let ms = from; ms <= to; ms++) pipeline.xadd(stream, `${ms}-1`, 'n', `${text} ${ms}`);
  await pipeline.exec();
}
const entries = ({redis}: RedisServer, stream: string) => redis.xrangeBuffer(stream, '-', '+');
const idsOf = async (server: RedisServer, stream: string): Promise<string[]> =>
  (await entries(server, stream)).map(([id]) => String(id));
const expectEqual = async (stream: string, name = stream): Promise<void> =>
  expect(await entries(target, name)).toEqual(await entries(source, stream));

/** Runs `work` while a mirror runs; resolves to how that ended. */
async function following(args: string[], work: (running: Running) => Promise<void>): Promise<Finished> {
  const running = startStreamlog(['copy', ...args, ...there(), '--follow'], {server: source});
  try {
    await work(running);
  } finally {
    running.process.kill('SIGTERM');
  }
  return running.finished;
}
const untilCopied = (stream: string, last: string): Promise<void> =>
  until(async () => {
    const [newest] = await target.redis.xrevrange(stream, '+', '-', 'COUNT', 1);
    return newest?.[0] === last;
  }, `${stream} is copied up to ${last}`);

describe('a copy', () => {
  it('has the entries and the IDs of its source, whatever is in them', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 36]);
    await fill(source, 'orders', 1, 3_000);
    await source.redis.xadd(
      'orders',
      '5000-18446744073709551615',
      'f',
      bytes,
      'f',
      'again',
      bytes,
      '',
      '__proto__',
      'x',
    );
    await source.redis.xadd(
      'orders',
      '18446744073709551615-18446744073709551615',
      'wide',
      ...Array.from({length: 9_999}, String),
    );
    const {code, stdout, stderr} = await copy('orders', ...there());
    expect([code, stderr]).toEqual([0, '']);
    expect(jsonLines(stdout)).toEqual([
      {
        stream: 'orders',
        target: 'orders',
        copied: 3_002,
        skipped: 0,
        lastId: '18446744073709551615-18446744073709551615',
        complete: true,
      },
    ]);
    await expectEqual('orders');
  });

  it('goes on where it is when it is run again, and does nothing when there is nothing new', async () => {
    await fill(source, 'orders', 1, 10);
    await copy('orders', ...there());
    await fill(source, 'orders', 11, 2_500);
    expect(jsonLines((await copy('orders', ...there())).stdout)).toMatchObject([{copied: 2_490, lastId: '2500-1'}]);
    expect(jsonLines((await copy('orders', ...there())).stdout)).toMatchObject([{copied: 0, complete: true}]);
    await expectEqual('orders');
  });

  it('of several streams, by name or by a glob, has names of its own', async () => {
    await fill(source, 'order:a', 1, 5);
    await fill(source, 'order:b', 1, 7);
    await fill(source, 'other', 1, 7);
    expect((await copy('order:a', '-s', 'order:b', ...there())).code).toBe(0);
    const matched = await copy('--match', 'order:*', ...there(), '--to-prefix', 'copy/');
    expect(jsonLines(matched.stdout)).toMatchObject([
      {stream: 'order:a', target: 'copy/order:a', copied: 5},
      {stream: 'order:b', target: 'copy/order:b', copied: 7},
    ]);
    for (const name of ['order:a', 'order:b', 'copy/order:a', 'copy/order:b'])
      await expectEqual(name.replace('copy/', ''), name);
    expect(await target.redis.exists('other')).toBe(0);
  });

  it('may be beside its source, and is not copied onto it', async () => {
    await fill(source, 'orders', 1, 5);
    expect((await copy('orders', '--to', 'copied')).code).toBe(0);
    expect(await entries(source, 'copied')).toEqual(await entries(source, 'orders'));
    expect(await copy('orders')).toMatchObject({code: 2, stderr: expect.stringContaining('--to-url')});
    expect(await copy('orders', '--to', 'orders')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('onto itself'),
    });
    expect(await copy('orders', '--to-url', source.url)).toMatchObject({code: 2});
    expect((await copy('orders', '--to', '{orders}:streamlog:copy:x', ...there())).code).toBe(2);
    expect(await copy('a', 'b', '--to', 'c', ...there())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--to-prefix'),
    });
  });

  it('has only what is asked for', async () => {
    await fill(source, 'orders', 1, 2_000);
    const some = ['--from', '101', '--to-end', '1500', '--where', 'n~*7'];
    expect(jsonLines((await copy('orders', ...there(), ...some)).stdout)).toMatchObject([
      {copied: 140, skipped: 1_260},
    ]);
    const ids = await idsOf(target, 'orders');
    expect([ids[0], ids.at(-1), ids.length]).toEqual(['107-1', '1497-1', 140]);
    expect(jsonLines((await copy('orders', ...there(), '--where', 'n~*7')).stdout)).toMatchObject([{copied: 50}]);
    expect((await idsOf(target, 'orders')).length).toBe(190);
  });

  it('ends with 66 where there is no such stream, and none that matches', async () => {
    await fill(source, 'orders', 1, 2);
    expect(await copy('order', ...there())).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('did you mean orders?'),
    });
    expect(await copy('--match', 'none*', ...there())).toMatchObject({code: 66});
    expect(await target.redis.dbsize()).toBe(0);
  });

  it('goes on with the other streams where one fails', async () => {
    await fill(source, 'good', 1, 3);
    await target.redis.set('bad', 'text');
    await fill(source, 'bad', 1, 3);
    const {code, stdout, stderr} = await copy('bad', 'good', ...there());
    expect([code, stderr]).toEqual([65, expect.stringContaining('"bad" is a string, not a stream')]);
    expect(jsonLines(stdout)).toMatchObject([{stream: 'good', complete: true, copied: 3}]);
  });
});

describe('somebody else who writes to the target', () => {
  beforeEach(async () => {
    await fill(source, 'orders', 1, 20);
    await copy('orders', ...there());
  });

  it.each([
    ['behind it', '500-1', 'entry 500-1 of target stream "orders" was never in "orders"'],
    ['between its entries', '20-5', 'entry 20-5 of target stream "orders" was never in "orders"'],
  ])('is noticed %s before anything is written: 65', async (_, id, message) => {
    await target.redis.xadd('orders', id, 'n', 'foreign');
    await fill(source, 'orders', 30, 40);
    const {code, stderr} = await copy('orders', ...there());
    expect([code, stderr]).toEqual([65, expect.stringContaining(message)]);
    expect((await idsOf(target, 'orders')).at(-1)).toBe(id);
  });

  it('is noticed with an ID that the source has too: 65', async () => {
    await fill(source, 'orders', 21, 22);
    await fill(target, 'orders', 21, 21, 'foreign');
    expect(await copy('orders', ...there())).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('is another one'),
    });
  });

  it('is noticed while a mirror runs: 65', async () => {
    const running = startStreamlog(['copy', 'orders', ...there(), '--follow'], {server: source});
    await until(async () => ((await source.redis.xinfo('GROUPS', 'orders')) as unknown[]).length === 1, 'it runs');
    await target.redis.xadd('orders', '20-9', 'n', 'foreign');
    const {code, stderr} = await running.finished;
    expect([code, stderr]).toEqual([65, expect.stringContaining('somebody else writes there')]);
  });
});

describe('a source that has lost entries', () => {
  it('ends with 70 also where the group of the mirror is new and entries were trimmed before it was made', async () => {
    await fill(source, 'orders', 1, 50);
    await copy('orders', ...there());
    await fill(source, 'orders', 51, 100);
    await source.redis.xtrim('orders', 'MAXLEN', 20);
    const {code, stderr} = await copy('orders', ...there(), '--follow');
    expect([code, stderr]).toEqual([70, expect.stringContaining('before they were copied')]);
    expect(await target.redis.xlen('orders')).toBe(50);
  });

  beforeEach(async () => {
    await fill(source, 'orders', 1, 20);
    await copy('orders', ...there());
  });

  it('by trimming, before they were copied, ends it with 70; --from start takes what is left', async () => {
    await fill(source, 'orders', 21, 40);
    await source.redis.xtrim('orders', 'MAXLEN', 5);
    const {code, stderr} = await copy('orders', ...there());
    expect([code, stderr]).toEqual([70, expect.stringContaining('after 20-1 and before 36-1 may have been trimmed')]);
    expect((await idsOf(target, 'orders')).at(-1)).toBe('20-1');
    expect((await copy('orders', ...there(), '--from', 'start')).code).toBe(0);
    expect((await idsOf(target, 'orders')).slice(-6)).toEqual(['20-1', '36-1', '37-1', '38-1', '39-1', '40-1']);
  });

  it('by trimming what was copied is copied on', async () => {
    await source.redis.xtrim('orders', 'MAXLEN', 0);
    expect(await copy('orders', ...there())).toMatchObject({code: 0, stderr: ''});
  });

  it('by deleting them from the middle is copied on, also where the last copied one is gone', async () => {
    await source.redis.xdel('orders', '20-1', '19-1', '5-1');
    await fill(source, 'orders', 21, 25);
    await source.redis.xdel('orders', '22-1');
    expect(await copy('orders', ...there())).toMatchObject({code: 0, stderr: ''});
    expect((await idsOf(target, 'orders')).slice(-5)).toEqual(['20-1', '21-1', '23-1', '24-1', '25-1']);
  });

  it('by being deleted and made again is not taken for the same', async () => {
    await source.redis.del('orders');
    await fill(source, 'orders', 1, 5, 'anew');
    expect(await copy('orders', ...there())).toMatchObject({code: 65, stderr: expect.stringContaining('20-1')});
    await fill(source, 'orders', 20, 25, 'anew');
    expect(await copy('orders', ...there())).toMatchObject({code: 65, stderr: expect.stringContaining('another one')});
  });
});

describe('a mirror', () => {
  it('copies what is there and what comes, and ends with 143 when it is asked to', async () => {
    await fill(source, 'orders', 1, 3_000);
    const {code, stdout} = await following(['orders'], async () => {
      await untilCopied('orders', '3000-1');
      await fill(source, 'orders', 3_001, 3_010);
      await untilCopied('orders', '3010-1');
    });
    expect(code).toBe(143);
    expect(jsonLines(stdout)).toMatchObject([{copied: 3_010, lastId: '3010-1'}]);
    await expectEqual('orders');
  });

  it('holds what is not copied in the source by a group, which info and check know', async () => {
    await fill(source, 'orders', 1, 50);
    const group = `copy:${target.url.replace('unix://', '')}`;
    await following(['orders'], () => untilCopied('orders', '50-1'));
    const [held] = jsonLines<{groups: Record<string, unknown>[]}>(
      (await streamlog(['info', 'orders'], {server: source})).stdout,
    );
    expect(held!.groups).toMatchObject([
      {name: group, lastDeliveredId: '50-1', lag: 0, lagExact: true, pending: 0, consumers: 0},
    ]);
    await fill(source, 'orders', 51, 60);
    expect(await streamlog(['check', 'orders', '-g', group, '-c', 'lag>5'], {server: source})).toMatchObject({code: 2});
    await streamlog(['trim', 'orders', '--maxlen', '2', '--safe'], {server: source});
    expect(await idsOf(source, 'orders')).toEqual(Array.from({length: 10}, (_, n) => `${51 + n}-1`));
    expect((await following(['orders'], () => untilCopied('orders', '60-1'))).stderr).toBe('');
    expect(await idsOf(target, 'orders')).toEqual(Array.from({length: 60}, (_, n) => `${1 + n}-1`));
  });

  it('goes on behind what was trimmed after it was copied, as its group shows', async () => {
    await fill(source, 'orders', 1, 50);
    await following(['orders'], () => untilCopied('orders', '50-1'));
    await source.redis.xtrim('orders', 'MAXLEN', 0);
    await fill(source, 'orders', 51, 60);
    const {stderr} = await following(['orders'], () => untilCopied('orders', '60-1'));
    expect(stderr).toBe('');
    await source.redis.xtrim('orders', 'MAXLEN', 0);
    await fill(source, 'orders', 61, 70);
    await source.redis.xtrim('orders', 'MAXLEN', 4);
    expect(await copy('orders', ...there(), '--follow')).toMatchObject({
      code: 70,
      stderr: expect.stringContaining('6 entries after 60-1 and before 67-1 were trimmed'),
    });
  });

  it('makes no group with --no-hold', async () => {
    await fill(source, 'orders', 1, 5);
    await following(['orders', '--no-hold'], () => untilCopied('orders', '5-1'));
    expect(await source.redis.xinfo('GROUPS', 'orders')).toEqual([]);
  });

  it('ends with 70 where its source is deleted, and where it begins anew', async () => {
    await fill(source, 'orders', 1, 5);
    const {code, stderr} = await following(['orders', '--no-hold'], async (running) => {
      await untilCopied('orders', '5-1');
      await source.redis.del('orders');
      await running.finished;
    });
    expect([code, stderr]).toEqual([70, expect.stringContaining('was deleted while it was copied')]);
  });

  it('copies again what its target has lost', async () => {
    await fill(source, 'orders', 1, 500);
    const {stderr} = await following(['orders'], async () => {
      await untilCopied('orders', '500-1');
      await target.redis.del('orders');
      await untilCopied('orders', '500-1');
    });
    expect(stderr).toContain('target stream "orders" is gone; copying it again');
    await expectEqual('orders');
  });

  it('may be run twice at once', async () => {
    await fill(source, 'orders', 1, 20_000);
    const results = await Promise.all([
      copy('orders', ...there()),
      copy('orders', ...there()),
      copy('orders', ...there()),
    ]);
    expect(results.map(({code, stderr}) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    await expectEqual('orders');
  });
});

describe('--groups', () => {
  const positions = async (server: RedisServer): Promise<Record<string, string>> =>
    Object.fromEntries(
      ((await server.redis.xinfo('GROUPS', 'orders')) as unknown[][]).map((group) => [
        String(group[1]),
        String(group[7]),
      ]),
    );

  it('has each group stand where everything is acknowledged, and moves it forward only', async () => {
    await fill(source, 'orders', 1, 100);
    const {redis} = source;
    for (const group of ['done', 'behind', 'new']) await redis.xgroup('CREATE', 'orders', group, '0');
    await redis.xreadgroup('GROUP', 'done', 'w', 'COUNT', 60, 'NOACK', 'STREAMS', 'orders', '>');
    await redis.xreadgroup('GROUP', 'behind', 'w', 'COUNT', 60, 'STREAMS', 'orders', '>');
    await redis.xack('orders', 'behind', ...Array.from({length: 30}, (_, n) => `${n + 1}-1`), '50-1');
    expect((await copy('orders', ...there(), '--groups', '--to-end', '80')).code).toBe(0);
    expect(await positions(target)).toEqual({done: '60-1', behind: '31-0', new: '0-0'});
    await redis.xgroup('SETID', 'orders', 'done', '5-1');
    await redis.xgroup('SETID', 'orders', 'new', '95-1');
    expect((await copy('orders', ...there(), '--groups')).code).toBe(0);
    expect(await positions(target)).toEqual({done: '60-1', behind: '31-0', new: '95-1'});
  });

  it('never has a group stand behind what is not copied, and leaves one alone that has consumers', async () => {
    await fill(source, 'orders', 1, 100);
    await source.redis.xgroup('CREATE', 'orders', 'ahead', '90-1');
    await source.redis.xgroup('CREATE', 'orders', 'worked', '0');
    await copy('orders', ...there(), '--groups', '--to-end', '50');
    expect(await positions(target)).toEqual({ahead: '50-1', worked: '0-0'});
    await target.redis.xgroup('CREATECONSUMER', 'orders', 'worked', 'w');
    await source.redis.xgroup('SETID', 'orders', 'worked', '70-1');
    const {stderr} = await copy('orders', ...there(), '--groups');
    expect(stderr).toContain('group "worked" of target stream "orders" has consumers; leaving it where it is');
    expect(await positions(target)).toEqual({ahead: '90-1', worked: '0-0'});
  });

  it('of a mirror are carried over until its end, but for the group that holds the source', async () => {
    await fill(source, 'orders', 1, 10);
    await source.redis.xgroup('CREATE', 'orders', 'billing', '0');
    await following(['orders', '--groups'], async () => {
      await untilCopied('orders', '10-1');
      await source.redis.xgroup('SETID', 'orders', 'billing', '7-1');
    });
    expect(await positions(target)).toEqual({billing: '7-1'});
  });
});

it('--trim removes from the copy what was trimmed from the source, but for the last entry', async () => {
  await fill(source, 'orders', 1, 3_000);
  await copy('orders', ...there());
  await source.redis.xtrim('orders', 'MAXLEN', 100);
  expect((await copy('orders', ...there())).code).toBe(0);
  expect(await target.redis.xlen('orders')).toBe(3_000);
  expect((await copy('orders', ...there(), '--trim')).code).toBe(0);
  await expectEqual('orders');
  await source.redis.xtrim('orders', 'MAXLEN', 0);
  expect((await copy('orders', ...there(), '--trim')).code).toBe(0);
  expect(await idsOf(target, 'orders')).toEqual(['3000-1']);
});

describe('--verify', () => {
  beforeEach(() => fill(source, 'orders', 1, 2_000));

  it('says how many entries are the same', async () => {
    await copy('orders', ...there());
    await source.redis.xdel('orders', '1000-1');
    await source.redis.xtrim('orders', 'MAXLEN', 1_500);
    expect(jsonLines((await copy('orders', ...there(), '--verify')).stdout)).toMatchObject([
      {copied: 0, verified: 1_500, complete: true},
    ]);
    const some = ['--to', 'some', '--where', 'n~*7'];
    expect(jsonLines((await copy('orders', ...there(), ...some, '--verify')).stdout)).toMatchObject([
      {copied: 150, verified: 150},
    ]);
  });

  it.each([
    [
      'lacks one',
      async () => void (await target.redis.xdel('orders', '1500-1')),
      'entry 1500-1 of "orders" is not in its copy',
    ],
    [
      'has another one',
      async () => {
        await target.redis.del('orders');
        await fill(target, 'orders', 1, 1_000);
        await target.redis.xadd('orders', '1000-5', 'n', 'foreign');
        await fill(target, 'orders', 1_001, 2_000);
      },
      'entry 1000-5 of target stream "orders" is not in "orders"',
    ],
    [
      'has one of other fields',
      async () => {
        await target.redis.del('orders');
        await fill(target, 'orders', 1, 1_000, 'other');
        await fill(target, 'orders', 1_001, 2_000);
      },
      'entry 1-1 of target stream "orders" is another one',
    ],
  ])('names the entry where the copy %s: 65', async (_, change, message) => {
    await copy('orders', ...there());
    await change();
    expect(await copy('orders', ...there())).toMatchObject({code: 0});
    expect(await copy('orders', ...there(), '--verify')).toMatchObject({
      code: 65,
      stderr: expect.stringContaining(message),
    });
  });
});

describe('--rate and --speed', () => {
  it('copy everything in the end', async () => {
    await fill(source, 'orders', 1, 50);
    expect((await copy('orders', ...there(), '--rate', '500/s')).code).toBe(0);
    await expectEqual('orders');
    expect((await copy('orders', ...there(), '--to', 'replay', '--speed', '1x')).code).toBe(0);
    await expectEqual('orders', 'replay');
    expect(await copy('orders', ...there(), '--speed', 'fast')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('1x'),
    });
  });

  it('end at a signal while they wait, with what was due', async () => {
    await source.redis.xadd('orders', '1-1', 'n', '1');
    await source.redis.xadd('orders', '99999999-1', 'n', '2');
    const running = startStreamlog(['copy', 'orders', ...there(), '--speed', '1x', '--max-gap', '1h'], {
      server: source,
    });
    await untilCopied('orders', '1-1');
    running.process.kill('SIGINT');
    expect((await running.finished).code).toBe(130);
    expect(await idsOf(target, 'orders')).toEqual(['1-1']);
  });
});

describe('--new-ids', () => {
  const fieldsOf = async (server: RedisServer, stream: string): Promise<string[]> =>
    (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields.join(' '));

  it('adds each entry once, under an ID of the target, and goes on where it was', async () => {
    await fill(source, 'orders', 1, 2_500);
    await target.redis.xadd('orders', '*', 'n', 'of somebody else');
    expect(jsonLines((await copy('orders', ...there(), '--new-ids')).stdout)).toMatchObject([
      {copied: 2_500, lastId: '2500-1'},
    ]);
    await target.redis.xadd('orders', '*', 'n', 'of somebody else');
    await fill(source, 'orders', 2_501, 2_510);
    expect(jsonLines((await copy('orders', ...there(), '--new-ids')).stdout)).toMatchObject([{copied: 10}]);
    expect(jsonLines((await copy('orders', ...there(), '--new-ids')).stdout)).toMatchObject([{copied: 0}]);
    const copies = (await fieldsOf(target, 'orders')).filter((text) => text.startsWith('n entry'));
    expect(copies).toEqual(await fieldsOf(source, 'orders'));
    expect((await idsOf(target, 'orders'))[1]).toMatch(/^\d{13}-\d+$/);
  });

  it('copies several streams into one', async () => {
    await fill(source, 'a', 1, 50, 'a');
    await fill(source, 'b', 1, 70, 'b');
    const into = [...there(), '--new-ids', '--to', 'all'];
    expect((await copy('a', 'b', ...into)).code).toBe(0);
    await fill(source, 'a', 51, 60, 'a');
    expect((await copy('a', 'b', ...into)).code).toBe(0);
    const all = await fieldsOf(target, 'all');
    expect(all.filter((text) => text.startsWith('n a'))).toEqual(await fieldsOf(source, 'a'));
    expect(all.filter((text) => text.startsWith('n b'))).toEqual(await fieldsOf(source, 'b'));
  });

  it('adds each entry once when it runs several times at once', async () => {
    await fill(source, 'orders', 1, 8_000);
    const runs = await Promise.all([1, 2, 3].map(() => copy('orders', ...there(), '--new-ids')));
    expect(runs.map(({code}) => code)).toEqual([0, 0, 0]);
    expect(await fieldsOf(target, 'orders')).toEqual(await fieldsOf(source, 'orders'));
  });

  it('notices what was trimmed before it was copied: 70', async () => {
    await fill(source, 'orders', 1, 20);
    await copy('orders', ...there(), '--new-ids');
    await fill(source, 'orders', 21, 40);
    await source.redis.xtrim('orders', 'MAXLEN', 5);
    expect(await copy('orders', ...there(), '--new-ids')).toMatchObject({
      code: 70,
      stderr: expect.stringContaining('after 20-1'),
    });
  });

  it('adds nothing to a key that is no stream: 65', async () => {
    await fill(source, 'orders', 1, 20);
    await target.redis.set('orders', 'text');
    expect(await copy('orders', ...there(), '--new-ids')).toMatchObject({code: 65});
    await target.redis.del('orders');
    expect(jsonLines((await copy('orders', ...there(), '--new-ids')).stdout)).toMatchObject([{copied: 20}]);
  });
});

describe.each([40, 80, 120])('on a terminal of %i columns', (columns) => {
  const widest = (text: string): number => Math.max(...text.split(/\r?\n/).map((line) => line.length));

  it('a copy is a table within the width, and a sentence', async () => {
    await fill(source, 'orders', 1, 1_200);
    await fill(source, `orders:${'x'.repeat(60)}`, 1, 3);
    const args = ['copy', '--match', 'orders*', '--to-prefix', 'copies:', '--verify'];
    const {code, text} = await onTerminal(args, {server: source, columns});
    expect(code).toBe(0);
    const plain = text.replaceAll(/\u001b\[[\d;]*[A-Za-z]|\r/g, '\n');
    const table = /stream +(?:copy|copied).*?(?=streamlog: )/s.exec(plain.replaceAll(/\n+/g, '\n'))?.[0];
    expect(table).toContain('1,200');
    expect(widest(table!)).toBeLessThanOrEqual(columns);
    expect(text.replaceAll(/\s+/g, ' ')).toContain('streamlog: copied 1,203 entries of 2 streams to copies:orders');
  });

  it('a mirror says once that it waits, and what it has copied', async () => {
    await fill(source, 'orders', 1, 10);
    const open = openTerminal(`${EXECUTABLE} copy orders ${there().join(' ')} --follow`, {server: source, columns});
    const waits = 'everything is copied';
    await until(() => open.text().includes(waits), 'it says that it waits');
    await fill(source, 'orders', 11, 20);
    await untilCopied('orders', '20-1');
    open.press(CTRL_C);
    const {code, text} = await open.finished;
    expect([code, text.split(waits).length]).toEqual([130, 2]);
    expect(text.replaceAll(/\s+/g, ' ')).toContain('copied 20 entries of orders to ');
  });
});
