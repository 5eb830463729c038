/** `--select` and `--parse`: which fields are printed, and how, on the commands that have them. */
import {beforeEach, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

const server = serverForAll();
beforeEach(() => server.redis.flushall());

const run = (...args: string[]) => streamlog(args, {server});
const lines = async (...args: string[]) => (await run('range', ...args)).stdout;
const DATA = '{ "user": {"id": 9007199254740993, "name": "x y"} }';

it('--select prints the selected fields alone, as a record of the same shape', async () => {
  await server.redis.xadd('events', '1-0', 'type', 'paid', 'data', DATA, 'type', 'open', 'n', '5');

  expect(await lines('--select', 'n,data.user.id,none')).toBe(
    '{"stream":"events","id":"1-0","fields":{"n":"5","data.user.id":"9007199254740993"}}\n',
  );
  expect(await lines('--select', 'type')).toBe(
    '{"stream":"events","id":"1-0","pairs":[["type","paid"],["type","open"]]}\n',
  );
  expect(await lines('--select', 'data.user.name', '-f', '%o %f{data.user.name}\\n')).toBe('1-0 x y\n');
  expect(await lines('--select', 'n,type,none', '-o', 'csv')).toBe('stream,id,n,type,none\r\nevents,1-0,5,paid,\r\n');
});

it('--parse prints JSON as it is, number for number, in records that produce takes back', async () => {
  await server.redis.xadd('events', '1-0', 'data', DATA, 'n', '5', 'bad', '{"a":');

  const parsed = '{"data":{"user":{"id":9007199254740993,"name":"x y"}},"n":5,"bad":"{\\"a\\":"}';
  const record = await lines('--parse', 'data', '--parse', 'n', '--parse', 'bad');
  expect(record).toBe(`{"stream":"events","id":"1-0","fields":${parsed}}\n`);
  await streamlog(['produce', '--input', 'envelope', '-s', 'copy'], {server, input: record});
  const [[, fields] = []] = await server.redis.xrange('copy', '-', '+');
  expect(fields).toEqual(['data', DATA.replaceAll(' ', '').replace('xy', 'x y'), 'n', '5', 'bad', '{"a":']);
  expect(await lines('--select', 'data.user', '--parse', 'data.user')).toContain('"data.user":{"id":9007199254740993,');
});

it('both work on what is pending, dead and consumed', async () => {
  await server.redis.xadd('events', '1-0', 'type', 'paid', 'n', '5');
  await server.redis.xadd('{events}:dead', '1-0', 'n', '7', '_dlq_stream', 'events', '_dlq_reason', 'x');

  expect((await run('consume', '--exit', '--name', 'w1', '--ack', 'none', '--select', 'n')).stdout).toContain(
    '"fields":{"n":"5"}',
  );
  expect((await run('pending', '--details', '--payload', '--select', 'n')).stdout).toContain('"fields":{"n":"5"}');
  expect((await run('pending', '--details', '--payload', '--select', 'n', '-o', 'tsv')).stdout).toMatch(
    /^stream\tid\tn\tgroup\t.*\nevents\t1-0\t5\t/,
  );
  expect((await run('dlq', 'show', '--select', '_dlq_reason')).stdout).toContain('"fields":{"_dlq_reason":"x"}');
  expect((await onTerminal(['dlq', 'show', '--select', 'n'], {server})).text).toMatch(/ n=7\n/);
});
