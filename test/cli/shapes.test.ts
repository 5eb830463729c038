/** `-o table|json|csv|tsv`, on every command that prints facts or records. */
import {parse} from 'csv-parse/sync';
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
const BYTES = Buffer.from([0xff, 0xfe]);

beforeEach(async () => {
  await server.redis.flushall();
  await server.redis.xadd('orders', '1-0', 'note', 'a "b", c\nd\te\\f', 'sum', '=1+1');
  await server.redis.xadd('orders', '2-0', 'blob', BYTES);
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 1, 'STREAMS', 'orders', '>');
});

const run = async (...args: string[]) => {
  const {code, stdout} = await streamlog(args, {server});
  expect(code).toBe(0);
  return stdout;
};
const rows = (csv: string): Record<string, string>[] => parse(csv, {columns: true, recordDelimiter: '\r\n'});

const FACTS = [
  ['ls'],
  ['info', 'orders'],
  ['pending', 'orders', '-g', 'billing'],
  ['group', 'list', 'orders'],
  ['group', 'consumers', 'billing', '-s', 'orders'],
  ['trim', 'orders', '--maxlen', '5'],
];

describe.each(FACTS)('%s %s %s', (...args) => {
  it('CSV has the facts of JSON, under the same names', async () => {
    const facts = JSON.parse(await run(...args, '-o', 'json')) as Record<string, unknown>;
    const [row, ...others] = rows(await run(...args, '-o', 'csv'));
    expect(others).toEqual([]);
    for (const [name, fact] of Object.entries(facts)) {
      if (/Ms$|^(consumers|groups)$/.test(name)) expect(row).toHaveProperty(name);
      else
        expect([name, row![name]]).toEqual([
          name,
          fact === null ? '' : typeof fact === 'object' ? JSON.stringify(fact) : String(fact),
        ]);
    }
  });

  it('a table in a pipe has 80 columns, and no colour', async () => {
    const table = await run(...args, '-o', 'table');
    expect(table).not.toContain('\u001b');
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const {stdout} = await streamlog([...args, '-o', 'table'], {server, env: {COLUMNS: '40'}});
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40);
  });
});

it('records are stream, id and fields', async () => {
  expect(rows(await run('range', '-s', 'orders', '-o', 'csv'))).toEqual([
    {stream: 'orders', id: '1-0', fields: JSON.stringify({note: 'a "b", c\nd\te\\f', sum: '=1+1'})},
    {stream: 'orders', id: '2-0', fields: '{"blob":{"$b64":"//4="}}'},
  ]);
  expect(await run('get', '2-0', '-s', 'orders', '-o', 'tsv')).toBe(
    'stream\tid\tfields\norders\t2-0\t{"blob":{"$b64":"//4="}}\n',
  );
});

it('records of a group also say who has them', async () => {
  const [row] = rows(await run('consume', 'orders', '-g', 'billing', '--name', 'w1', '--exit', '-o', 'csv'));
  expect(row).toMatchObject({stream: 'orders', id: '1-0', group: 'billing', consumer: 'w1', deliveries: '2'});
  expect(rows(await run('pending', 'orders', '-g', 'billing', '--details', '-o', 'csv'))).toEqual([]);
});

it('pending entries have the time since their delivery', async () => {
  const [row] = rows(await run('pending', 'orders', '-g', 'billing', '--details', '--payload', '-o', 'csv'));
  expect(row).toMatchObject({id: '1-0', group: 'billing', consumer: 'w1', deliveries: '1', givenBack: ''});
  expect(row!.idleMs).toMatch(/^\d+$/);
});

it.each([
  ['range', ['range', '9', '-s', 'orders'], 'stream,id,fields'],
  ['ls', ['ls', 'none*'], 'stream,length'],
  ['group list', ['group', 'list', 'empty'], 'stream,group'],
  ['dlq list', ['dlq', 'list'], 'deadLetter,entries'],
])('%s prints headings where there is nothing else', async (_, args, headings) => {
  await server.redis.xadd('empty', '1-0', 'a', 'b');
  const csv = await run(...args, '-o', 'csv');
  expect(csv.startsWith(headings)).toBe(true);
  expect(csv.split('\r\n')).toHaveLength(2);
});

it('headings come once, however many pages there are', async () => {
  await streamlog(['produce', '-q', '-s', 'many'], {server, input: '{"a":"1"}\n'.repeat(5_000)});
  expect((await run('range', '-s', 'many', '-o', 'tsv')).match(/^stream\t/gm)).toHaveLength(1);
});

it('new IDs too', async () => {
  expect(await run('produce', '-s', 'p', '--id', '7-0', '-o', 'csv', 'a=b')).toBe('stream,id\r\np,7-0\r\n');
  expect(await run('produce', '-s', 'p', '--id', '8-0', '-o', 'json', 'a=b')).toBe('{"stream":"p","id":"8-0"}\n');
});

it('--json is -o json, and in a pipe the default', async () => {
  const args = ['range', '-s', 'orders'];
  expect(await run(...args, '--json')).toBe(await run(...args));
  expect(await run(...args, '-o', 'json')).toBe(await run(...args));
});

it.each([
  [['-o', 'yaml'], '--output takes table, json, csv or tsv, not "yaml"'],
  [['-o', 'csv', '--json'], 'give --output or --json, not both'],
  [['-o', 'csv', '-f', '%o'], 'give --format or --output, not both'],
])('refuses %j', async (args, message) => {
  const {code, stderr} = await streamlog(['range', ...args], {server});
  expect([code, stderr.split('\n')[0]]).toEqual([2, `streamlog: ${message}`]);
});

it('on a terminal, CSV does not act on it', async () => {
  await server.redis.xadd('evil\u001b[2J', '1-0', 'a', '\u202e');
  for (const shape of ['csv', 'tsv', 'json']) {
    const {text} = await onTerminal(['range', '-s', 'evil\u001b[2J', '-o', shape], {server, env: {NO_COLOR: '1'}});
    expect(unsafeIn(text.replace(/[\t\r]/g, ''))).toEqual([]);
    expect(text).toContain('\\u202e');
  }
});
