/** What an ACL user must be allowed for each command, as docs/permissions.md has it. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {section} from '../support/handmade-section.js';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';

const archives = mkdtempSync(join(tmpdir(), 'streamlog-archives-'));
afterAll(() => rmSync(archives, {recursive: true, force: true}));

/** A run of each row, by what stands in its first column. */
const RUNS: Record<string, {args: string; input?: string}> = {
  '`produce`': {args: 'produce -s orders n=6'},
  '`produce --durability replicas:N`': {args: 'produce -s orders n=6 --durability replicas:1 --retry-for 10ms'},
  '`produce --exactly-once`': {args: 'produce -s orders --input text --exactly-once', input: 'a\nb\n'},
  '`produce --exactly-once --producer-id`': {
    args: 'produce -s orders --input text --exactly-once --producer-id p',
    input: 'a\nb\n',
  },
  '`produce --exactly-once`, of more than 3,949 fields': {
    args: 'produce -s orders --exactly-once',
    input: `${JSON.stringify(Object.fromEntries(Array.from({length: 3_950}, (_, n) => [`f${n}`, 1])))}\n`,
  },
  '`produce --atomic`': {args: 'produce -s orders --input text --atomic', input: 'a\nb\n'},
  '`consume`': {args: 'consume -s orders --name w1 --exit'},
  '`consume`, of a new group': {args: 'consume -s orders -g new --name w1 --exit'},
  '`consume --exec`': {args: 'consume -s orders --name w1 --exit --exec true'},
  '`consume --exec`, with dead letters': {args: 'consume -s orders --name w1 --exit --exec false --max-deliver 1'},
  '`tail --no-follow`': {args: 'tail -s orders --no-follow'},
  '`range`': {args: 'range -s orders'},
  '`get`': {args: 'get -s orders 1-0'},
  '`delete`': {args: 'delete -s orders 1-0'},
  '`info`': {args: 'info -s orders'},
  '`info --consumers`': {args: 'info -s orders --consumers'},
  '`check`': {args: 'check orders -c lag>1000 -c pending>1000'},
  '`metrics`': {args: 'metrics'},
  '`doctor`': {args: 'doctor'},
  '`ls`': {args: 'ls'},
  '`pending`': {args: 'pending -s orders'},
  '`pending --details --payload`': {args: 'pending -s orders --details --payload'},
  '`ack`': {args: 'ack -s orders 1-0'},
  '`ack`, of records that name a consumer': {
    args: 'ack',
    input: '{"stream":"orders","group":"streamlog","consumer":"w0","id":"1-0"}\n',
  },
  '`nack`': {args: 'nack -s orders 1-0'},
  '`claim`': {args: 'claim -s orders --to w2 1-0'},
  '`trim`': {args: 'trim -s orders --maxlen 3'},
  '`trim --safe`': {args: 'trim -s orders --maxlen 3 --safe'},
  '`trim --max-bytes`': {args: 'trim -s orders --max-bytes 100'},
  '`import`': {
    args: 'import',
    input: section({stream: '{orders}:copy', lastGeneratedId: '1-0', groups: [{name: 'g', lastDeliveredId: '1-0'}]}, [
      {id: '1-0', fields: {n: '1'}, pending: [{group: 'g', consumer: 'w', deliveredAt: 1, deliveries: 1}]},
    ]),
  },
  '`copy`': {args: 'copy orders --to {orders}:copy'},
  '`archive --exit`': {args: `archive orders --exit --dir ${archives}`},
  '`export`': {args: 'export orders'},
  '`export --producers`': {args: 'export orders --producers'},
  '`group list`': {args: 'group list -s orders'},
  '`group consumers`': {args: 'group consumers -s orders streamlog'},
  '`group create`': {args: 'group create -s orders other'},
  '`group seek`': {args: 'group seek -s orders streamlog --to 2-0'},
  '`group remove`': {args: 'group remove -s orders streamlog --force'},
  '`group gc`': {args: 'group gc -s orders --idle 0s --to w9'},
  '`dlq list`': {args: 'dlq list'},
  '`dlq show`': {args: 'dlq show -s orders'},
  '`dlq redrive`': {args: 'dlq redrive -s orders'},
  '`dlq purge`': {args: 'dlq purge -s orders --force'},
  '`context test`': {args: 'context test'},
};

const TABLE = readFileSync(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8');
const rulesIn = (cell: string): string[] => cell.replaceAll('\\|', '|').match(/\+[a-z|]+/g) ?? [];
const ROWS = TABLE.split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [, row = '', needs = '', also = ''] = line.split(/(?<!\\)\|/);
    return {row: row.trim(), needs: rulesIn(needs), also: rulesIn(also)};
  });

const server = serverForAll();
beforeEach(fill);

/** Five entries, two of them pending with w0, one dead letter, a server that knows no script, and no archive. */
async function fill(): Promise<void> {
  const {redis} = server;
  rmSync(archives, {recursive: true, force: true});
  await redis.flushall();
  await redis.script('FLUSH');
  for (let n = 1; n <= 5; n++) await redis.xadd('orders', `${n}-0`, 'n', n);
  await redis.xgroup('CREATE', 'orders', 'streamlog', '0');
  await redis.xreadgroup('GROUP', 'streamlog', 'w0', 'COUNT', 2, 'STREAMS', 'orders', '>');
  const origin = ['_dlq_stream', 'orders', '_dlq_group', 'streamlog', '_dlq_id', '9-0', '_dlq_reason', 'exit code 1'];
  await redis.xadd('{orders}:dead', '1-0', 'n', '9', ...origin);
}

/** Runs as a user who may only do what `rules` say, with the keys of `orders`. */
async function as(rules: readonly string[], args: readonly string[], input?: string): Promise<Finished> {
  const keys = ['~orders', '~{orders}:*'];
  await server.redis.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', ...keys, ...rules);
  return streamlog(args, {server, input, env: {STREAMLOG_USERNAME: 'limited', STREAMLOG_PASSWORD: 'secret'}});
}
const lines = (stdout: string): number => stdout.split('\n').length - 1;

it('each row of the table has a run, and each run a row', () => {
  expect(ROWS.map(({row}) => row)).toEqual(Object.keys(RUNS));
});

describe.each(ROWS)('$row', ({row, needs}) => {
  const {args, input} = RUNS[row]!;
  /** Without replicas, waiting for one ends with 75, and without the right to wait with 77. */
  const good = row.includes('replicas') ? 75 : 0;

  it('is done by a user with the rules of the table', async () => {
    expect((await as(needs, args.split(' '), input)).code).toBe(good);
  });

  it('is refused without any of them, and says which', async () => {
    for (const missing of needs.filter((rule) => !UNSEEN.test(`${row} ${rule}`))) {
      await fill();
      const {code, stderr} = await as(
        needs.filter((rule) => rule !== missing),
        args.split(' '),
        input,
      );
      // It knows nothing then, and says so on standard output.
      const isChecked = row === '`check`';
      if (!isChecked) expect(stderr).toMatch(new RegExp(`${nameOf(missing)}|a command of the script for`));
      expect([missing, code]).toEqual([missing, isChecked ? 3 : 77]);
    }
  });
});

/**
 * Rules whose want these short runs do not show: EVAL where another run has loaded the script, leases that are renewed while a
 * handler runs long, and `ls` and `doctor`, which look at what they may.
 */
const UNSEEN = /\+eval$|`consume --exec` \+evalsha|`ls` \+xinfo|`doctor` \+x/;

/** What a message calls the command of a rule. */
const nameOf = (rule: string): string => rule.slice(1).replace('|', ' ').toUpperCase();

it('a group that is missing is told by what may not be done about it', async () => {
  const {code, stderr} = await as(['+xreadgroup', '+xack'], ['consume', '-s', 'orders', '-g', 'other', '--exit']);

  expect(stderr).toContain('XGROUP CREATE on stream "orders"');
  expect(code).toBe(77);
});

it('a stream is read whole by one who may not ask about it', async () => {
  for (const args of [['range'], ['range', '--reverse'], ['tail', '--no-follow']])
    expect(lines((await as(['+xrange', '+xrevrange'], [...args, '-s', 'orders'])).stdout)).toBe(5);
});
