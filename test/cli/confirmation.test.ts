/** A person at a terminal is asked before what groups still need is destroyed; a pipe is not. */
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll, until, userUrl} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, streamlog} from '../support/run-cli.js';
import {
  CTRL_C,
  CTRL_D,
  HOSTILE,
  type Open,
  openTerminal,
  type Shown,
  unsafeIn,
  unwrapped,
} from '../support/terminal.js';

const server = serverForAll();
const DEAD = '{orders}:dead';

beforeEach(async () => {
  await server.redis.flushall();
  for (let n = 1; n <= 12; n++) await server.redis.xadd('orders', `${n}-0`, 'n', String(n));
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 3, 'STREAMS', 'orders', '>');
  await server.redis.xgroup('CREATE', 'orders', 'done', '12-0');
  for (let n = 1; n <= 3; n++) await server.redis.xadd(DEAD, `${n}-0`, '_dlq_group', n === 3 ? 'audit' : 'billing');
});

/** All that a question could be about. */
const everything = async (): Promise<unknown> => [
  await server.redis.xrange('orders', '-', '+'),
  await server.redis.xrange(DEAD, '-', '+'),
  ((await server.redis.xinfo('GROUPS', 'orders')) as unknown[][]).map((group) => [group[1], group[5], group[7]]),
];

async function asked(open: Open): Promise<void> {
  await until(() => open.text().includes('[y/N] '), 'it asks');
}

async function answer(line: string, keys: string, program = EXECUTABLE): Promise<Shown> {
  const open = openTerminal(`${program} ${line}`, {server, env: {NO_COLOR: '1'}});
  await asked(open);
  open.press(keys);
  return open.finished;
}

const QUESTIONS: readonly (readonly [line: string, question: string, nothing: string])[] = [
  [
    'trim -s orders --maxlen 8',
    'this removes 4 of 12 entries of orders; 1 group still needs some of them: billing (1 unread, 3 pending). Remove them?',
    'nothing was removed',
  ],
  [
    'trim -s orders --minid 3-0',
    'this removes 2 of 12 entries of orders; 1 group still needs some of them: billing (2 pending). Remove them?',
    'nothing was removed',
  ],
  [
    'delete -s orders 11-0',
    'this deletes 1 entry of orders; 1 group still needs it: billing (1 unread). Delete it?',
    'nothing was deleted',
  ],
  [
    'delete -s orders 2-0 11-0 99-0',
    'this deletes 2 entries of orders; 1 group still needs some of them: billing (1 unread, 1 pending). Delete them?',
    'nothing was deleted',
  ],
  [
    'group remove billing -s orders',
    'group "billing" on stream "orders" still has 3 pending and 9 unread entries. Remove it?',
    'the group was not removed',
  ],
  [
    'group seek billing -s orders --to end',
    'group billing has not read 9 entries of orders up to 12-0, and would never get them. Move it?',
    'the group was not moved',
  ],
  ['dlq purge -s orders', `this deletes 3 of 3 dead letters in ${DEAD} for good. Delete them?`, 'nothing was deleted'],
  [
    'dlq purge -s orders --where _dlq_group=billing',
    `this deletes 2 of 3 dead letters in ${DEAD} for good. Delete them?`,
    'nothing was deleted',
  ],
];

describe.each(RUNTIMES)('with %s', (_name, program) => {
  const changesNothing = async (line: string, question: string, nothing: string, keys: string): Promise<Shown> => {
    const before = await everything();
    const shown = await answer(line, keys, program);
    expect(unwrapped(shown.text)).toContain(`streamlog: ${question} [y/N] `);
    expect(shown.text).toMatch(new RegExp(`\n+streamlog: ${nothing}\n$`));
    expect(await everything()).toEqual(before);
    return shown;
  };

  it.each(QUESTIONS)('asks, and no changes nothing: %s', async (...question) => {
    expect((await changesNothing(...question, 'n\n')).code).toBe(2);
  });

  // One piece of code reads the answers to all questions.
  it.each([
    ['\n', 2],
    ['yea\n', 2],
    [CTRL_D, 2],
    [CTRL_C, 130],
  ])('takes anything but yes for no: %j', async (keys, code) => {
    expect((await changesNothing(...QUESTIONS[0]!, keys)).code).toBe(code);
  });

  it.each(QUESTIONS)('does it after a yes: %s', async (line) => {
    const before = await everything();
    const {code, text} = await answer(line, 'y\n', program);
    expect([code, text]).toEqual([line.includes('99-0') ? 66 : 0, text]);
    expect(await everything()).not.toEqual(before);
  });

  it('leaves the lines that were pasted behind the answer to the program that reads next', async () => {
    const rest = 'read a; echo "<$a>"; read b; echo "<$b>"';
    const open = openTerminal(`{ ${program} trim -s orders --maxlen 8; ${rest}; }`, {server});
    await asked(open);
    open.press('n\nsecond\nthird\n');
    const {text} = await open.finished;
    expect(text).toContain('nothing was removed');
    expect(text).toContain('<second>\n<third>\n');
    expect(await server.redis.xlen('orders')).toBe(12);
  });
});

it.each(QUESTIONS)('--force and --dry-run ask nothing: %s', async (line) => {
  const before = await everything();
  const expected = line.includes('99-0') ? 66 : 0;
  const run = (flag: string) => openTerminal(`${EXECUTABLE} ${line} ${flag}`, {server}).finished;
  const dry = await run('--dry-run');
  expect([dry.code, dry.text.includes('[y/N]')]).toEqual([expected === 66 ? 66 : 0, false]);
  expect(await everything()).toEqual(before);
  const forced = await run('--force');
  expect([forced.code, forced.text.includes('[y/N]')]).toEqual([expected, false]);
  expect(await everything()).not.toEqual(before);
});

it('asks nothing where no group needs what goes', async () => {
  await server.redis.xgroup('DESTROY', 'orders', 'billing');
  for (const line of ['trim --maxlen 8', 'delete 12-0', 'group seek done --to end', 'group remove done']) {
    const {code, text} = await openTerminal(`${EXECUTABLE} ${line} -s orders`, {server}).finished;
    expect([line, code, text.includes('[y/N]')]).toEqual([line, 0, false]);
  }
});

it('asks nothing in a pipe: one Redis command is done and said, what is ours wants --force', async () => {
  const run = (line: string) => streamlog(line.split(' '), {server});
  expect(await run('group remove billing -s orders')).toMatchObject({code: 2, stdout: ''});
  expect(await run('dlq purge -s orders')).toMatchObject({code: 2, stdout: ''});
  expect(await run('delete -s orders 1-0')).toMatchObject({code: 0, stderr: ''});
  expect((await run('group seek billing -s orders --to 6')).stderr).toContain('will never get 2 entries');
  expect((await run('trim -s orders --maxlen 5')).stderr).toContain('of group "billing" were removed');
  const half = openTerminal(`${EXECUTABLE} group remove billing -s orders </dev/null`, {server});
  expect((await half.finished).code).toBe(2);
});

it.each([40, 120])('a question is whole at %i columns, and what is hostile does nothing in it', async (columns) => {
  await server.redis.xadd(HOSTILE, '1-0', 'a', '1');
  await server.redis.xgroup('CREATE', HOSTILE, HOSTILE, '0');
  const open = openTerminal(`${EXECUTABLE} trim -s "$NAME" --maxlen 0`, {server, columns, env: {NAME: HOSTILE}});
  await asked(open);
  expect(unsafeIn(open.text().replaceAll('\r', ''))).toEqual([]);
  open.press('n\n');
  expect((await open.finished).code).toBe(2);
});

it.each([
  ['delete -s orders 2-0', 'may not see whether a group still needs these entries. Delete them?', '+xdel'],
  ['trim -s orders --minid 3-0', 'may not see what groups still need of orders. Trim it?', '+xtrim +xinfo|stream'],
])('asks a user who may not look at the groups, too: %s', async (line, question, rules) => {
  const url = await userUrl(server, '~*', ...rules.split(' '));
  const open = openTerminal(`${EXECUTABLE} ${line} --url ${url}`, {server});
  await asked(open);
  expect(unwrapped(open.text())).toContain(question);
  open.press('n\n');
  expect((await open.finished).code).toBe(2);
});

describe('while it waits for the answer', () => {
  const clients = async (): Promise<number> =>
    String(await server.redis.call('CLIENT', 'LIST', 'TYPE', 'normal'))
      .trim()
      .split('\n').length;

  it.each(QUESTIONS)('holds no connection: %s', async (line) => {
    const open = openTerminal(`${EXECUTABLE} ${line}`, {server});
    await asked(open);
    await until(async () => (await clients()) === 1, 'only the test is connected');
    open.press('n\n');
    await open.finished;
  });

  const changed = async (line: string, change: () => Promise<unknown>): Promise<Shown> => {
    const open = openTerminal(`${EXECUTABLE} ${line}`, {server, env: {NO_COLOR: '1'}});
    await asked(open);
    await change();
    open.press('y\n');
    const shown = await open.finished;
    return {...shown, text: unwrapped(shown.text)};
  };
  const ids = async (stream = 'orders') => (await server.redis.xrange(stream, '-', '+')).map(([id]) => id);
  const addMore = async () => {
    for (let n = 13; n <= 20; n++) await server.redis.xadd('orders', `${n}-0`, 'n', String(n));
  };

  it.each(QUESTIONS)(
    'a stream that was replaced loses nothing, though it has entries of the same IDs: %s',
    async (line, _, nothing) => {
      const stream = line.startsWith('dlq') ? DEAD : 'orders';
      const others = async () => {
        const entries = await server.redis.xrange(stream, '-', '+');
        const groups = stream === DEAD ? [] : ['billing', 'done'];
        const replacing = server.redis.multi().del(stream);
        for (const [id, fields] of entries) replacing.xadd(stream, id, 'another', '1', ...fields);
        for (const group of groups) replacing.xgroup('CREATE', stream, group, '0');
        await replacing.exec();
      };
      const {code, text} = await changed(line, others);
      expect([code, text]).toEqual([75, text]);
      expect(text).toContain(
        `streamlog: ${nothing}: "${stream}" is another stream than the one you were asked about\n`,
      );
      expect(await ids(stream)).toHaveLength(stream === DEAD ? 3 : 12);
      expect(await server.redis.xinfo('GROUPS', stream)).toHaveLength(stream === DEAD ? 0 : 2);
    },
  );

  it('trim removes only what was there to be asked about', async () => {
    const {code, text} = await changed('trim -s orders --maxlen 8', addMore);
    expect(code).toBe(0);
    expect((await ids())[0]).toBe('5-0');
    expect(text).toContain('kept what was added since you were asked');
  });

  it('trim removes no more when others have trimmed', async () => {
    await changed('trim -s orders --maxlen 8', () => server.redis.xtrim('orders', 'MAXLEN', 6));
    expect(await ids()).toHaveLength(6);
  });

  it('group remove removes nothing that has more to lose', async () => {
    const {code, text} = await changed('group remove billing -s orders', addMore);
    expect(code).toBe(75);
    expect(text).toContain(
      'nothing was removed: by now, group "billing" on stream "orders" still has 3 pending and 17',
    );
    expect(await server.redis.xinfo('GROUPS', 'orders')).toHaveLength(2);
  });

  it('group seek moves to the end that there was, or not at all', async () => {
    await changed('group seek billing -s orders --to end', addMore);
    expect(JSON.stringify(await server.redis.xinfo('GROUPS', 'orders'))).toContain(
      '"billing","consumers",1,"pending",3,"last-delivered-id","12-0"',
    );
    await server.redis.xgroup('SETID', 'orders', 'billing', '3-0');
    const moved = await changed('group seek billing -s orders --to 8', () =>
      server.redis.xgroup('SETID', 'orders', 'billing', '11-0'),
    );
    expect(moved.code).toBe(75);
    expect(moved.text).toContain('nothing was changed: group "billing" has moved to 11-0 since you were asked');
  });

  it('dlq purge leaves what has failed since', async () => {
    await changed('dlq purge -s orders', () => server.redis.xadd(DEAD, '4-0', 'a', '1'));
    expect(await ids(DEAD)).toEqual(['4-0']);
  });
});
