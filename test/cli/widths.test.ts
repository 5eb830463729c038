/** What people see at several widths of the terminal: no line is wider, whatever names and values are. */
import {beforeAll, expect, it} from 'vitest';
import {cellsOf} from '../../src/lib/output/cell-width.js';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
const FAMILY = '👨‍👩‍👧';
const NAMES = [
  'orders:eu-west-1:customer-4711:2026-12-01:created',
  '日本語のストリーム',
  FAMILY.repeat(20),
  HOSTILE,
  '\u0301',
];

beforeAll(async () => {
  for (const name of NAMES) {
    await server.redis.xadd(name, '1526919030474-0', name, name.repeat(9), '_dlq_reason', name);
    await server.redis.xadd(`${name}:dead`, '1526919030474-0', '_dlq_reason', name, '_dlq_group', name);
    await server.redis.xgroup('CREATE', name, name, '0');
    await server.redis.xreadgroup('GROUP', name, name, 'STREAMS', name, '>');
  }
});

/** What is printed as data: notes are as long as they are. */
const linesOf = (text: string): string[] => text.split('\n').filter((line) => !/^\S*streamlog:/.test(line));

it.each([40, 60, 80, 120, 200])('no line of a table is wider than %i columns', async (columns) => {
  for (const name of NAMES) {
    const group = ['-s', name, '-g', name];
    const commands = [
      ['info', '-s', name, '--consumers'],
      ['pending', ...group],
      ['group', 'list', '-s', name],
      ['group', 'consumers', ...group],
    ];
    for (const args of commands) {
      const {code, text} = await onTerminal(args, {server, columns});
      expect(code).toBe(0);
      for (const line of linesOf(text)) expect([cellsOf(line) <= columns, line]).toEqual([true, line]);
    }
  }
  for (const args of [['ls'], ['dlq', 'list']]) {
    const {code, text} = await onTerminal(args, {server, columns});
    expect(code).toBe(0);
    for (const line of linesOf(text)) expect([cellsOf(line) <= columns, line]).toEqual([true, line]);
  }
});

it('says which columns have no room, and shows them all where there is', async () => {
  const narrow = await onTerminal(['ls'], {server, columns: 40, env: {NO_COLOR: '1'}});
  expect(narrow.text).toMatch(/^hidden at this width: groups, .*last ID\n/ms);
  expect(narrow.text).toMatch(/^orders:\S*…\S*created {2}/m);
  const wide = await onTerminal(['ls'], {server, columns: 200, env: {NO_COLOR: '1'}});
  expect(wide.text).not.toContain('hidden');
  expect(wide.text).toContain('orders:eu-west-1:customer-4711:2026-12-01:created ');
});

it('emoji and wide characters are shown as they are, and what acts on the terminal is not', async () => {
  const {text} = await onTerminal(['ls'], {server, columns: 200, env: {NO_COLOR: '1'}});
  expect(text).toContain('日本語のストリーム ');
  expect(text).toContain(`${FAMILY.repeat(20)} `);
  expect(unsafeIn(text.replaceAll(FAMILY, ''))).toEqual([]);
});

it('separates thousands, but not in a pipe', async () => {
  await streamlog(['produce', '-q', '-s', 'many'], {server, input: '{"a":"1"}\n'.repeat(1_234)});
  expect((await onTerminal(['info', '-s', 'many'], {server, columns: 80, env: {NO_COLOR: '1'}})).text).toContain(
    'entries            1,234\n',
  );
  expect((await streamlog(['info', '-s', 'many'], {server})).stdout).toContain('"length":1234');
});
