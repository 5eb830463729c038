/** `--where`, `--not-where`, `--grep` and `--max-scan`, on the commands that have them. */
import {beforeEach, describe, expect, it} from 'vitest';
import {idsIn} from '../support/json-lines.js';
import {serverForAll, until} from '../support/redis-server.js';
import {shell, startStreamlog, streamlog} from '../support/run-cli.js';
import {onTerminal, unwrapped} from '../support/terminal.js';

const server = serverForAll();
beforeEach(() => server.redis.flushall());

const run = (...args: string[]) => streamlog(args, {server});

/** `count` entries with the IDs 1-0, 2-0 …; each tenth is `type=paid`. */
async function addOrders(count: number): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = 1; n <= count; n++) {
    const type = n % 10 === 0 ? 'paid' : 'open';
    pipeline.xadd('events', `${n}-0`, 'type', type, 'amount', `${n}`, 'data', `{"user":{"id":${n}}}`);
  }
  await pipeline.exec();
}

describe('range', () => {
  it.each<[string[], string[]]>([
    [
      ['--where', 'type=paid'],
      ['10-0', '20-0', '30-0'],
    ],
    [
      ['--where', 'type=paid', '--where', 'amount>10'],
      ['20-0', '30-0'],
    ],
    [
      ['--where', 'data.user.id=7|8'],
      ['7-0', '8-0'],
    ],
    [['--not-where', 'amount<29', '--not-where', 'type=paid'], ['29-0']],
    [
      ['--where', '%id>28'],
      ['29-0', '30-0'],
    ],
    [['--grep', ':29}'], ['29-0']],
    [
      ['--grep', '/^PAID$/i', '-n', '2'],
      ['10-0', '20-0'],
    ],
    [
      ['--grep', 'paid', '-n', '2', '--reverse'],
      ['30-0', '20-0'],
    ],
    [['-5', 'end', '--where', 'type=paid'], ['30-0']],
    [
      ['--max-scan', '2'],
      ['1-0', '2-0'],
    ],
    [['--where', 'missing'], []],
    [
      ['--since', '28', '--until', '29-0'],
      ['28-0', '29-0'],
    ],
    [['--since', '(28', '--reverse', '-n', '1'], ['30-0']],
    [
      ['--until', '1970-01-01T00:00:00.002Z'],
      ['1-0', '2-0'],
    ],
    [['--until', '-1h', '--where', 'amount<=1'], ['1-0']],
    [['--since', '1h'], []],
  ])('%j', async (flags, expected) => {
    await addOrders(30);

    const {code, stdout, stderr} = await run('range', ...flags);

    expect({code, ids: idsIn(stdout), stderr}).toEqual({code: 0, ids: expected, stderr: ''});
  });

  it('--max-scan ends the search, and says where', async () => {
    await addOrders(30);

    const {stdout, stderr} = await run('range', '--where', 'type=paid', '--max-scan', '25');

    expect(idsIn(stdout)).toEqual(['10-0', '20-0']);
    expect(stderr).toBe(
      'streamlog: 2 of 25 entries matched, up to 1970-01-01T00:00:00.025Z; --max-scan has ended the search there\n',
    );
  });

  it.each([
    [['2-0', '--since', '1h'], 'give START or --since, not both'],
    [['2-0', '3-0', '--until', '1h'], 'give END or --until, not both'],
    [['--since', 'yesterday'], '"yesterday" is not a valid position'],
  ])('%j is a usage error', async (args, message) => {
    const {code, stderr} = await run('range', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it.each([40, 80, 120])('says at a terminal of %i columns what was looked at', async (columns) => {
    await addOrders(1_500);

    const {text} = await onTerminal(['range', '--reverse', '--where', 'amount=1495'], {columns, server});

    expect(unwrapped(text)).toContain('\nstreamlog: 1 of 1,500 entries matched, back to 1970-01-01T00:00:00.001Z\n');
  });

  it('ends at a closed pipe though nothing matches any more', async () => {
    await addOrders(60_000);

    const line = '(streamlog range --where amount=1; echo $? >&2) | head -1';
    const {stdout, stderr} = await shell(line, {server});

    expect({ids: idsIn(stdout), stderr}).toEqual({ids: ['1-0'], stderr: '0\n'});
    const calls = /cmdstat_xrange:calls=(\d+)/.exec(await server.redis.info('commandstats'))?.[1];
    expect(Number(calls)).toBeLessThan(60);
  });

  it('ends at Ctrl-C though nothing matches, without a word of a lost connection', async () => {
    await addOrders(60_000);
    const running = startStreamlog(['range', '--where', 'amount=1'], {server});
    await until(() => running.stdout() !== '', 'the only match is printed');
    running.process.kill('SIGINT');

    expect(await running.finished).toMatchObject({code: 130, stderr: ''});
    const calls = /cmdstat_xrange:calls=(\d+)/.exec(await server.redis.info('commandstats'))?.[1];
    expect(Number(calls)).toBeLessThan(65);
  });

  it('of many pages finds each match once, in order', async () => {
    await addOrders(5_000);

    const {stdout} = await run('range', '--where', 'type=paid');

    expect(idsIn(stdout)).toEqual(Array.from({length: 500}, (_, index) => `${10 * (index + 1)}-0`));
  });

  it('names and values that are not UTF-8 are found as bytes, and printed as they are', async () => {
    await server.redis.xadd('events', '1-0', 'raw', Buffer.from([0xff, 0x00, 0x61]), 'raw', 'b');
    await server.redis.xadd('events', '2-0', Buffer.from([0xfe]), '1');

    expect((await run('range', '--where', 'raw=\\xff\\x00a')).stdout).toContain('"pairs":[["raw",{"$b64":"/wBh"}]');
    expect(idsIn((await run('range', '--where', '\\xfe=1')).stdout)).toEqual(['2-0']);
  });

  it('%deliveries and %consumer are refused: nothing knows them there', async () => {
    const {code, stderr} = await run('range', '--where', '%deliveries>3');

    expect(code).toBe(2);
    expect(stderr).toBe(
      'streamlog: %deliveries is not known here, in "%deliveries>3"\n' +
        'hint: pending and consume know the consumer and the deliveries of an entry\n',
    );
  });
});

describe('tail', () => {
  it('begins with the last entries that match, of each stream', async () => {
    await addOrders(2_000);
    await server.redis.xadd('other', '5-0', 'type', 'paid');

    const flags = ['--no-follow', '-n', '3', '--where', 'type=paid'];
    expect(idsIn((await run('tail', ...flags)).stdout)).toEqual(['1980-0', '1990-0', '2000-0']);
    expect(idsIn((await run('tail', ...flags, '-s', 'other', '-s', 'events')).stdout)).toEqual([
      '5-0',
      '1980-0',
      '1990-0',
      '2000-0',
    ]);
    expect(idsIn((await run('tail', ...flags, '--max-scan', '15')).stdout)).toEqual(['1990-0', '2000-0']);
    expect(idsIn((await run('tail', '--no-follow', '--where', 'missing')).stdout)).toEqual([]);
    expect(idsIn((await run('tail', '--no-follow', '--since', '(1998', '--grep', 'open')).stdout)).toEqual(['1999-0']);
  });

  it('follows what matches, from then on', async () => {
    await addOrders(20);
    const running = startStreamlog(['tail', '-n', '1', '--where', 'type=paid'], {server});
    await until(() => running.stdout().includes('"20-0"'), 'the last match is printed');
    await server.redis.xadd('events', '21-0', 'type', 'open');
    await server.redis.xadd('events', '22-0', 'type', 'paid');
    await until(() => running.stdout().includes('"22-0"'), 'the new match is printed');
    running.process.kill('SIGINT');

    expect(idsIn((await running.finished).stdout)).toEqual(['20-0', '22-0']);
  });
});

describe('get', () => {
  it('prints those of the IDs that match, and misses only those that are not there', async () => {
    await addOrders(30);

    expect(await run('get', '10-0', '11-0', '20-0', '--where', 'type=paid', '--not-where', 'amount=20')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[^\n]*"10-0"[^\n]*\n$/),
      stderr: '',
    });
    expect(await run('get', '11-0', '99-0', '--where', 'type=paid')).toMatchObject({code: 66, stdout: ''});
  });
});

describe('pending --payload', () => {
  it('lists what matches by fields, deliveries, consumer and ID', async () => {
    await addOrders(30);
    await server.redis.xgroup('CREATE', 'events', 'streamlog', '0');
    await server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'COUNT', 25, 'STREAMS', 'events', '>');
    await server.redis.xclaim('events', 'streamlog', 'w2', 0, '10-0', '11-0', 'RETRYCOUNT', 7);
    await server.redis.xdel('events', '20-0');
    const list = async (...flags: string[]) => idsIn((await run('pending', '--details', '--payload', ...flags)).stdout);

    expect(await list('--where', 'type=paid')).toEqual(['10-0']);
    expect(await list('--where', '%deliveries>6')).toEqual(['10-0', '11-0']);
    expect(await list('--where', '%consumer=w1', '-n', '2')).toEqual(['1-0', '2-0']);
    expect(await list('--where', '!type')).toEqual(['20-0']);
    expect(await list('--since', '23', '--until', '(25')).toEqual(['23-0', '24-0']);
    expect((await run('pending', '--details', '--where', 'type=paid')).code).toBe(2);
  });
});

describe('dlq', () => {
  const DEAD = '{events}:dead';
  async function addDead(): Promise<void> {
    for (const [id, reason] of Object.entries({'1-0': 'timeout', '2-0': 'exit code 65', '3-0': 'timeout', '4-0': 'x'}))
      await server.redis.xadd(DEAD, id, 'n', id, '_dlq_stream', 'events', '_dlq_reason', reason);
  }

  it('list counts, and show prints, what matches', async () => {
    await addDead();

    const [line = ''] = (await run('dlq', 'list', '--grep', 'timeout')).stdout.split('\n');
    expect(JSON.parse(line)).toMatchObject({entries: 2, oldestId: '1-0', newestId: '3-0'});
    expect(idsIn((await run('dlq', 'show', '--where', '_dlq_reason~exit*|x')).stdout)).toEqual(['2-0', '4-0']);
    expect(idsIn((await run('dlq', 'show', '--since', '2', '--until', '3', '--not-where', 'n=3-0')).stdout)).toEqual([
      '2-0',
    ]);
    expect(idsIn((await run('dlq', 'show', '1-0', '2-0', '3-0', '--grep', 'timeout', '--limit', '1')).stdout)).toEqual([
      '1-0',
    ]);
  });

  it('redrive and purge say at a terminal how many they looked at, and what they did', async () => {
    await addDead();

    const redriven = await onTerminal(['dlq', 'redrive', '--where', '_dlq_reason=timeout', '--limit', '1'], {server});
    const purged = await onTerminal(['dlq', 'purge', '--grep', 'x', '--limit', '1', '--force'], {server});

    expect(redriven.text).toContain('streamlog: 1 of 1 entry matched, up to 1970-01-01T00:00:00.001Z\n');
    expect(purged.text).toContain('streamlog: 1 of 1 entry matched, up to 1970-01-01T00:00:00.002Z\n');
    expect((await onTerminal(['dlq', 'purge', '--force'], {server})).text).not.toContain('printed');
  });

  it('redrive moves, and purge deletes, what matches, and nothing else', async () => {
    await addDead();

    await run('dlq', 'redrive', '--where', '_dlq_reason=timeout', '--until', '2');
    await run('dlq', 'purge', '--not-where', '_dlq_reason=timeout', '--since', '3');

    expect((await server.redis.xrange(DEAD, '-', '+')).map(([id]) => id)).toEqual(['2-0', '3-0']);
    expect((await server.redis.xrange('events', '-', '+')).map(([, fields]) => fields[1])).toEqual(['1-0']);
  });
});

describe('a mistake in an expression', () => {
  it('ends with 2 before Redis is asked, and a caret shows it', async () => {
    const {code, stdout, stderr} = await streamlog(['range', '-u', 'redis://127.0.0.1:1', '--where', 'type==paid']);

    expect({code, stdout}).toEqual({code: 2, stdout: ''});
    expect(stderr.split('\n')).toEqual([
      'streamlog: --where: "==" is not an operator',
      '  type==paid',
      '      ^',
      'hint: operators are = != ~ !~ =~ !=~ > >= < <=; a value that begins with = is written \\=',
      '',
    ]);
  });

  it('in a long expression is shown within 40 columns, with its controls escaped', async () => {
    const expression = `${'a'.repeat(100)}\u001b[31m>${'\u202e'.repeat(100)}`;

    const {code, text} = await onTerminal(['range', '--where', expression], {columns: 40, server});

    const [shown = '', caret = ''] = text.split('\n').filter((line) => line.startsWith('  '));
    expect(code).toBe(2);
    expect(shown).toBe('  …aaaaaaaaaa\\x1b[31m>\\u202e\\u202e…');
    expect(caret).toBe(`${' '.repeat(shown.indexOf('>') + 1)}^`);
  });
});
