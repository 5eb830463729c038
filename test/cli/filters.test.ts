/** `--where`, `--not-where`, `--grep` and `--max-scan`, on the commands that have them. */
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

const server = serverForAll();
beforeEach(() => server.redis.flushall());

const run = (...args: string[]) => streamlog(args, {server});
const idsIn = (stdout: string): string[] =>
  stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).id]));

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
      ['--where', 'type=paid', '--max-scan', '25'],
      ['10-0', '20-0'],
    ],
    [
      ['--max-scan', '2'],
      ['1-0', '2-0'],
    ],
    [['--where', 'missing'], []],
  ])('%j', async (flags, expected) => {
    await addOrders(30);

    const {code, stdout, stderr} = await run('range', ...flags);

    expect({code, ids: idsIn(stdout), stderr}).toEqual({code: 0, ids: expected, stderr: ''});
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
