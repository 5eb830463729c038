import {beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll} from '../support/redis-server.js';
import {shell, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
beforeEach(async () => {
  await server.redis.flushall();
  await addMany('events', 6);
  await server.redis.xgroup('CREATE', 'events', 'streamlog', '0');
});

interface Detail {
  id: string;
  consumer: string;
  deliveries: number;
  idleMs: number;
  fields?: unknown;
}

const pending = (...args: string[]) => streamlog(['pending', ...args], {server});
const json = <T = Detail>(stdout: string): T[] => jsonLines<T>(stdout);
const ids = (stdout: string): string[] => json(stdout).map(({id}) => id);

async function addMany(stream: string, count: number): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = 1; n <= count; n++) pipeline.xadd(stream, `${n}-0`, 'n', `${n}`);
  await pipeline.exec();
}

/** Delivers the next `count` entries of `stream` to `consumer`. */
const deliver = (consumer: string, count: number, stream = 'events', group = 'streamlog') =>
  server.redis.xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>');

/** Makes `consumer` have had `id` for so long and so often. */
const hold = (consumer: string, id: string, idleMs: number, deliveries: number) =>
  server.redis.call('XCLAIM', 'events', 'streamlog', consumer, 0, id, 'IDLE', idleMs, 'RETRYCOUNT', deliveries);

/** w1 has 1 to 3, the first for an hour and five times; w2 has 4. */
async function twoConsumers(): Promise<void> {
  await deliver('w1', 3);
  await deliver('w2', 1);
  await hold('w1', '1-0', 3_600_000, 5);
  await hold('w1', '2-0', 90_000, 2);
}

describe('the summary', () => {
  it('counts for each consumer, the longest idle first', async () => {
    await twoConsumers();

    const {code, stdout, stderr} = await pending();

    expect(json(stdout)).toEqual([
      {
        stream: 'events',
        group: 'streamlog',
        pending: 4,
        lowestId: '1-0',
        highestId: '4-0',
        consumers: [
          {name: 'w1', pending: 3, oldestIdleMs: expect.any(Number), maxDeliveries: 5},
          {name: 'w2', pending: 1, oldestIdleMs: expect.any(Number), maxDeliveries: 1},
        ],
      },
    ]);
    const [w1, w2] = json<{consumers: {oldestIdleMs: number}[]}>(stdout)[0]!.consumers;
    expect(w1!.oldestIdleMs).toBeGreaterThanOrEqual(3_600_000);
    expect(w2!.oldestIdleMs).toBeLessThan(60_000);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('of a group that has acknowledged everything is empty', async () => {
    expect(json((await pending()).stdout)).toEqual([
      {stream: 'events', group: 'streamlog', pending: 0, lowestId: null, highestId: null, consumers: []},
    ]);
  });

  it('can be of a selection, and of several streams', async () => {
    await twoConsumers();
    await addMany('orders', 2);
    await server.redis.xgroup('CREATE', 'orders', 'streamlog', '0');
    await deliver('w9', 2, 'orders');

    const {stdout} = await pending('--min-deliveries', '2', '--stream', 'events', '--stream', 'orders');

    expect(json(stdout)).toMatchObject([
      {stream: 'events', pending: 2, consumers: [{name: 'w1', pending: 2}]},
      {stream: 'orders', pending: 0, consumers: []},
    ]);
    expect(json((await pending('--idle', '1h')).stdout)).toMatchObject([{pending: 1, highestId: '1-0'}]);
  });

  it('counts all of many pages', async () => {
    await addMany('many', 3_500);
    await server.redis.xgroup('CREATE', 'many', 'streamlog', '0');
    await deliver('w1', 2_000, 'many');
    await deliver('w2', 1_500, 'many');

    // Which of them has held an entry longer is a matter of milliseconds.
    const both = [2_000, 1_500].map((count) => expect.objectContaining({pending: count}));
    expect(json((await pending('--stream', 'many')).stdout)).toMatchObject([
      {pending: 3_500, lowestId: '1-0', highestId: '3500-0', consumers: expect.arrayContaining(both)},
    ]);
    expect(ids((await pending('--stream', 'many', '--details')).stdout)).toEqual(
      Array.from({length: 3_500}, (_, index) => `${index + 1}-0`),
    );
  });
});

describe('what is easily hidden', () => {
  it('entries whose count of deliveries is 0 are pending too', async () => {
    await deliver('w1', 3);
    await server.redis.call('XCLAIM', 'events', 'streamlog', 'w1', 0, '1-0', '2-0', 'RETRYCOUNT', 0, 'JUSTID');

    expect(json((await pending()).stdout)).toMatchObject([{pending: 3, lowestId: '1-0', consumers: [{pending: 3}]}]);
    expect(ids((await pending('--details')).stdout)).toEqual(['1-0', '2-0', '3-0']);
    expect(ids((await pending('--details', '--min-deliveries', '1')).stdout)).toEqual(['3-0']);
  });

  it('what was given back hides no idle time, is counted apart, and nobody is told to claim it', async () => {
    await twoConsumers();
    await streamlog(['nack', '1-0', '4-0'], {server});

    const {stdout} = await pending();
    expect(json(stdout)).toMatchObject([
      {
        pending: 4,
        givenBack: 2,
        consumers: [
          {name: 'w1', pending: 3, givenBack: 1, maxDeliveries: 5},
          {name: 'w2', pending: 1, givenBack: 1, oldestIdleMs: null},
        ],
      },
    ]);
    const [w1] = json<{consumers: {oldestIdleMs: number}[]}>(stdout)[0]!.consumers;
    expect(w1!.oldestIdleMs).toBeGreaterThanOrEqual(90_000);
    expect(w1!.oldestIdleMs).toBeLessThan(3_600_000);
    const [first] = json<Detail & {givenBack?: boolean}>((await pending('--details')).stdout);
    expect(first).toEqual({
      stream: 'events',
      id: '1-0',
      group: 'streamlog',
      consumer: 'w1',
      deliveries: 5,
      givenBack: true,
    });
    const {text} = await onTerminal(['pending'], {server, env: {NO_COLOR: '1'}});
    expect(text).toContain('given back  2\n');
    expect(text).toMatch(/w1 +3 +1 +1m 3\d+s +5\n/);
    expect(text).toMatch(/w2 +1 +1 +none +1\n/);
    expect(text).not.toContain('3650d');
    expect(text).not.toContain('--consumer w2');
    const lines = await onTerminal(['pending', '--details'], {server, env: {NO_COLOR: '1'}});
    expect(lines.text).toMatch(/ w1 +given back +5 deliveries\n/);
  });
});

describe('a long list', () => {
  const COUNT = 12_000;

  beforeEach(async () => {
    await server.redis.eval(
      "for i = 7, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], i .. '-0', 'n', i) end",
      1,
      'events',
      COUNT,
    );
    await deliver('w1', COUNT - 50);
    await deliver('w2', 50);
    await hold('w1', '1-0', 90_000, 4);
    await hold('w1', '9000-0', 3_600_000, 9);
    await hold('w2', `${COUNT}-0`, 120_000, 3);
  });

  it('is counted by Redis, and all other figures say that they are bounds, unless all of a consumer was seen', async () => {
    await server.redis.config('RESETSTAT');
    const {code, stdout} = await pending();

    const stats = await server.redis.info('commandstats');
    expect(Number(/cmdstat_xpending:calls=(\d+)/.exec(stats)?.[1])).toBe(3);
    expect(json(stdout)).toEqual([
      {
        stream: 'events',
        group: 'streamlog',
        pending: COUNT,
        lowestId: '1-0',
        highestId: `${COUNT}-0`,
        consumers: [
          {name: 'w2', pending: 50, oldestIdleMs: expect.any(Number), maxDeliveries: 3},
          {name: 'w1', pending: COUNT - 50, oldestIdleAtLeastMs: expect.any(Number), maxDeliveriesAtLeast: 4},
        ],
      },
    ]);
    expect(code).toBe(0);
  });

  it('--exact looks at each entry, as a selection does', async () => {
    expect(json((await pending('--exact')).stdout)).toMatchObject([
      {pending: COUNT, consumers: [{name: 'w1', pending: COUNT - 50, maxDeliveries: 9}, {name: 'w2'}]},
    ]);
    expect(json((await pending('--idle', '30m')).stdout)).toMatchObject([
      {pending: 1, lowestId: '9000-0', consumers: [{name: 'w1', pending: 1, maxDeliveries: 9}]},
    ]);
  });

  it('of one consumer has its count and its lowest ID, and no highest that would be a guess', async () => {
    expect(json((await pending('--consumer', 'w1')).stdout)).toEqual([
      {
        stream: 'events',
        group: 'streamlog',
        pending: COUNT - 50,
        lowestId: '1-0',
        consumers: [
          {name: 'w1', pending: COUNT - 50, oldestIdleAtLeastMs: expect.any(Number), maxDeliveriesAtLeast: 4},
        ],
      },
    ]);
    expect(json((await pending('--consumer', 'nobody')).stdout)).toMatchObject([
      {pending: 0, lowestId: null, consumers: []},
    ]);
  });

  it('no page is asked for by idle time, which Redis would search the whole list for', async () => {
    await server.redis.config('SET', 'slowlog-log-slower-than', 0);
    await server.redis.slowlog('RESET');
    await pending('--idle', '30m', '--details');
    await streamlog(['claim', '--consumer', 'w1', '--min-idle', '30m', '--to', 'w9'], {server});
    await server.redis.config('SET', 'slowlog-log-slower-than', -1);
    const commands = ((await server.redis.slowlog('GET', 1_000)) as unknown[][]).map((line) => line[3] as string[]);
    const asked = commands.filter(([name]) => name?.toLowerCase() === 'xpending');
    expect(asked.length).toBeGreaterThan(12);
    for (const words of asked) expect(words.map((word) => word.toUpperCase())).not.toContain('IDLE');
  });

  it('on a terminal marks bounds, and says how to be exact', async () => {
    const {text} = await onTerminal(['pending'], {server, env: {NO_COLOR: '1'}});

    expect(text).toMatch(/w1 +11,950 +>= 1m 3\d+s +>= 4\n/);
    expect(text).toMatch(/w2 +50 +2m +3\n/);
    expect(text).toContain('only the counts of pending entries are exact, since there are many; --exact looks at each');
  });
});

describe('--details', () => {
  beforeEach(twoConsumers);

  it('lists every entry with its consumer, in the order of IDs', async () => {
    const {code, stdout} = await pending('--details');

    expect(stdout).toMatch(
      /^\{"stream":"events","id":"1-0","group":"streamlog","consumer":"w1","deliveries":5,"idleMs":36\d{5}\}\n/,
    );
    expect(ids(stdout)).toEqual(['1-0', '2-0', '3-0', '4-0']);
    expect(code).toBe(0);
  });

  it.each([
    {flags: ['--consumer', 'w1'], printed: '1-0 2-0 3-0'},
    {flags: ['--consumer', 'nobody'], printed: ''},
    {flags: ['--idle', '80s'], printed: '1-0 2-0'},
    {flags: ['--min-deliveries', '5'], printed: '1-0'},
    {flags: ['--consumer', 'w1', '--idle', '80s', '--min-deliveries', '2', '-n', '1'], printed: '1-0'},
    {flags: ['-n', '3'], printed: '1-0 2-0 3-0'},
  ])('$flags', async ({flags, printed}) => {
    const {code, stdout} = await pending('--details', ...flags);

    expect(ids(stdout).join(' ')).toBe(printed);
    expect(code).toBe(0);
  });

  it('--payload adds the fields, and shows what has left the stream', async () => {
    await server.redis.xtrim('events', 'MINID', '2-0');

    const {stdout} = await pending('--details', '--payload', '-n', '2');

    expect(json(stdout)).toEqual([
      {
        stream: 'events',
        id: '1-0',
        fields: null,
        group: 'streamlog',
        consumer: 'w1',
        deliveries: 5,
        idleMs: expect.any(Number),
      },
      {
        stream: 'events',
        id: '2-0',
        fields: {n: '2'},
        group: 'streamlog',
        consumer: 'w1',
        deliveries: 2,
        idleMs: expect.any(Number),
      },
    ]);
  });

  it('--payload keeps repeated fields and bytes', async () => {
    await server.redis.xadd('events', '9-0', 'a', '1', 'a', Buffer.from([0xff]));
    await deliver('w3', 10);

    const {stdout} = await pending('--details', '--payload', '--consumer', 'w3');

    expect(stdout).toContain('"id":"9-0","pairs":[["a","1"],["a",{"$b64":"/w=="}]],"group":"streamlog"');
  });

  it('--format prints what is asked for', async () => {
    const {stdout} = await pending('--details', '--payload', '--format', '%o %c %D %f{n}\\n', '-n', '2');

    expect(stdout).toBe('1-0 w1 5 1\n2-0 w1 2 2\n');
  });

  it('its records are what get and ack read, and ends quietly when its reader goes', async () => {
    expect(ids((await shell('streamlog pending --details --idle 80s | streamlog get', {server})).stdout)).toEqual([
      '1-0',
      '2-0',
    ]);
    await shell('streamlog pending --details --idle 80s | streamlog ack --quiet', {server});
    expect(ids((await pending('--details')).stdout)).toEqual(['3-0', '4-0']);
    expect((await shell('streamlog pending --details | head -0; echo "$PIPESTATUS"', {server})).stdout).toBe('0\n');
  });

  it.each([['--payload'], ['--count=1'], ['--format=%o']])('%s alone is a usage error', async (flag) => {
    const {code, stderr} = await pending(flag);

    expect(stderr).toContain('--details');
    expect(code).toBe(2);
  });
});

describe('how it ends', () => {
  const NO_GROUP = 'streamlog: no group "none" on stream "events"\nhint: groups of events: streamlog\n';
  it.each([
    [['--group', 'none'], NO_GROUP],
    [['--stream', 'none'], 'streamlog: no stream "none"\nhint: streams there: events\n'],
    [['--group', 'none', '--details'], NO_GROUP],
  ])('66 with a hint for %j', async (flags, said) => {
    const {code, stdout, stderr} = await pending(...flags);

    expect(stdout).toBe('');
    expect(stderr).toBe(said);
    expect(code).toBe(66);
  });

  it('65 for a key of another type', async () => {
    await server.redis.set('text', 'x');

    expect(await pending('--stream', 'text')).toMatchObject({code: 65, stdout: ''});
  });
});

describe('on a terminal', () => {
  const show = (...args: string[]) => onTerminal(['pending', ...args], {server, env: {NO_COLOR: '1'}});

  it('shows a table, and how to take over what idles', async () => {
    await twoConsumers();

    const {code, text} = await show();

    expect(text).toBe(
      'stream     events\ngroup      streamlog\npending    4\noldest ID  1-0\nnewest ID  4-0\n\n' +
        'consumer  pending  oldest idle  max deliveries\n' +
        'w1              3           1h               5\n' +
        `w2              1${/w2 {14}1(.*)\n/.exec(text)?.[1]}\n` +
        'streamlog: "w1" has held an entry for 1h; to hand over its idle entries: ' +
        'streamlog claim --stream events --group streamlog --consumer w1 --to NAME --min-idle 60s\n',
    );
    expect(code).toBe(0);
  });

  it('the command it shows hands over exactly what idles', async () => {
    const name = "-w 1's \u001b[2J\u202e🙂 $(touch x) \\n `id`";
    await twoConsumers();
    await hold(name, '3-0', 70_000, 1);
    await hold(name, '4-0', 0, 1);

    const {text} = await show();
    expect(unsafeIn(text)).toEqual([]);
    const command = text.split('streamlog: ').find((line) => line.includes('--consumer='))!;
    const {code} = await shell(command.slice(command.indexOf('streamlog claim')).replace('NAME', 'w9'), {server});

    expect(code).toBe(0);
    expect(ids((await pending('--details', '--consumer', 'w9')).stdout)).toEqual(['3-0']);
  });

  it('shows a line for each entry with --details', async () => {
    await twoConsumers();
    await server.redis.xdel('events', '1-0');

    const {text} = await show('--details', '--payload', '-n', '2', '--utc', '--quiet');

    expect(text.replace(/1m 3\ds/, '1m 30s')).toBe(
      [
        'hidden at this width: time',
        'events  group streamlog',
        '1-0  w1      idle 1h  5 deliveries  no longer in the stream',
        '2-0  w1  idle 1m 30s  2 deliveries  n=2',
        '',
      ].join('\n'),
    );
  });

  it('says as much of each entry with --pretty, whose fields have lines of their own', async () => {
    await twoConsumers();
    await server.redis.xdel('events', '1-0');

    const {text} = await show('--details', '--payload', '-n', '2', '--utc', '--quiet', '--pretty');

    expect(text.replace(/1m 3\ds/, '1m 30s')).toBe(
      [
        'events  group streamlog',
        '1970-01-01T00:00:00.001Z  1-0  w1  idle 1h  5 deliveries  no longer in the stream',
        '',
        '1970-01-01T00:00:00.002Z  2-0  w1  idle 1m 30s  2 deliveries',
        '  n  2',
        '',
      ].join('\n'),
    );
  });

  it('hostile names and data do nothing, in every shape', async () => {
    await server.redis.xadd(HOSTILE, '1-0', HOSTILE, HOSTILE);
    await server.redis.xgroup('CREATE', HOSTILE, HOSTILE, '0');
    await deliver(HOSTILE, 1, HOSTILE, HOSTILE);
    await server.redis.call('XCLAIM', HOSTILE, HOSTILE, HOSTILE, 0, '1-0', 'IDLE', 90_000);

    for (const shape of [
      [],
      ['--json'],
      ['--details', '--payload'],
      ['--details', '--payload', '--json'],
      ['--details', '--pretty'],
    ]) {
      const {text} = await onTerminal(['pending', '--stream', HOSTILE, '--group', HOSTILE, ...shape], {
        server,
        columns: 400,
      });
      expect(text).toContain('evil');
      expect(unsafeIn(text)).toEqual([]);
    }
  });
});

it('a count of deliveries of 64 bits is shown with all its digits', async () => {
  await deliver('w1', 3);
  const counts = ['9223372036854775807', '9007199254740993', '1'];
  for (const [index, count] of counts.entries())
    await server.redis.call('XCLAIM', 'events', 'streamlog', 'w1', 0, `${index + 1}-0`, 'RETRYCOUNT', count, 'JUSTID');

  for (const args of [['--details'], ['--details', '--payload']]) {
    const {stdout} = await pending(...args);
    expect(stdout.match(/"deliveries":\d+/g)).toEqual(counts.map((count) => `"deliveries":${count}`));
  }
  expect((await pending()).stdout).toContain('"maxDeliveries":9223372036854775807');
  expect((await onTerminal(['pending', '--details'], {server})).text).toContain('9007199254740993 deliveries');
});
