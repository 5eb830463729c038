/** Names of streams, groups and consumers are bytes; whatever prints one, every command takes it back. */
import {beforeEach, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll} from '../support/redis-server.js';
import {shell, streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

const STREAM = Buffer.from([0x73, 0xff, 0xfe]);
const GROUP = Buffer.from([0x67, 0x80]);
const CONSUMER = Buffer.from([0x63, 0xc3]);
const b64 = (bytes: Buffer) => ({$b64: bytes.toString('base64')});
const typed = (bytes: Buffer): string => JSON.stringify(b64(bytes));

const server = serverForAll();
beforeEach(async () => {
  await server.redis.flushall();
  // A neighbour that a lossy reading would take for the same.
  await server.redis.xadd('s\ufffd\ufffd', '1-0', 'n', '1');
  for (const id of ['1-0', '2-0', '3-0']) await server.redis.xadd(STREAM, id, 'n', id);
  await server.redis.xgroup('CREATE', STREAM, GROUP, '0');
  await server.redis.xgroup('CREATE', STREAM, 'text', '0');
  await server.redis.xreadgroup('GROUP', GROUP, CONSUMER, 'COUNT', 2, 'STREAMS', STREAM, '>');
});

const run = (...args: string[]) => streamlog(args, {server});
const pendingOf = async (): Promise<unknown> =>
  ((await server.redis.call('XPENDING', STREAM, GROUP, '-', '+', '9')) as unknown[][]).map(([id, consumer]) => [
    id,
    consumer,
  ]);

it('names that are not text are printed as bytes', async () => {
  expect(jsonLines((await run('ls')).stdout)).toContainEqual(expect.objectContaining({stream: b64(STREAM), length: 3}));
  expect(jsonLines((await run('range', '-s', typed(STREAM), '-n', '1')).stdout)).toEqual([
    {stream: b64(STREAM), id: '1-0', fields: {n: '1-0'}},
  ]);
  expect(jsonLines((await run('info', '-s', typed(STREAM), '--consumers')).stdout)).toEqual([
    expect.objectContaining({stream: b64(STREAM)}),
  ]);
  const groups = jsonLines((await run('group', 'list', '-s', typed(STREAM))).stdout);
  expect(groups).toContainEqual(expect.objectContaining({stream: b64(STREAM), group: b64(GROUP), pending: 2}));
  expect(groups).toContainEqual(expect.objectContaining({group: 'text', pending: 0}));
  expect(jsonLines((await run('group', 'consumers', '-s', typed(STREAM), typed(GROUP))).stdout)).toEqual([
    expect.objectContaining({consumer: b64(CONSUMER)}),
  ]);
});

it('what pending prints, ack, claim and nack take back', async () => {
  const details = `streamlog pending -s '${typed(STREAM)}' -g '${typed(GROUP)}' --details`;

  const claimed = await shell(`${details} | tail -n 1 | streamlog claim --to '${typed(Buffer.from([0xf0]))}'`, {
    server,
  });
  expect(claimed.stderr).not.toContain('warning');
  expect(jsonLines(claimed.stdout)).toEqual([
    expect.objectContaining({stream: b64(STREAM), id: '2-0', group: b64(GROUP), consumer: b64(Buffer.from([0xf0]))}),
  ]);
  expect((await shell(`${details} | head -n 1 | streamlog nack`, {server})).code).toBe(0);
  expect((await shell(`${details} | streamlog ack`, {server})).code).toBe(0);
  expect(await pendingOf()).toEqual([]);
});

it('consume, tail and produce work on such a stream, and serve no other', async () => {
  const where = ['-s', typed(STREAM)];
  const consumed = await run('consume', ...where, '-g', typed(GROUP), '--name', typed(CONSUMER), '--exit');
  expect(jsonLines(consumed.stdout)).toHaveLength(3);
  expect(jsonLines(consumed.stdout)[0]).toMatchObject({
    stream: b64(STREAM),
    group: b64(GROUP),
    consumer: b64(CONSUMER),
  });
  expect(await pendingOf()).toEqual([]);

  expect((await run('produce', ...where, 'n=4')).code).toBe(0);
  expect(
    (await shell(`seq 5 | streamlog produce --input text -s '${typed(STREAM)}' --exactly-once`, {server})).code,
  ).toBe(0);
  expect(await server.redis.xlen(STREAM)).toBe(9);
  expect(await server.redis.dbsize()).toBe(2);
  expect(await server.redis.xlen('s\ufffd\ufffd')).toBe(1);
});

it('groups of such names are moved and removed', async () => {
  const where = ['-s', typed(STREAM), typed(GROUP)];
  expect((await run('group', 'seek', ...where, '--to', 'start')).code).toBe(0);
  expect((await run('group', 'remove', ...where, '--force')).code).toBe(0);
  expect((await run('group', 'create', ...where)).code).toBe(0);
  expect((await run('trim', '-s', typed(STREAM), '--maxlen', '1')).code).toBe(0);
  expect(await server.redis.xlen(STREAM)).toBe(1);
});

it('a template prints the bytes themselves', async () => {
  const {stdout} = await shell(`streamlog range -s '${typed(STREAM)}' -n 1 -f '%t' | od -An -tx1`, {server});

  expect(stdout.trim()).toBe('73 ff fe');
});

it('on a terminal, a byte that is not text is shown as its number', async () => {
  const table = await onTerminal(['group', 'list', '-s', typed(STREAM)], {server});
  expect(table.text).toContain('g\\x80');
  const {stderr} = await run('group', 'seek', '-s', typed(STREAM), typed(CONSUMER), '--to', 'start');
  expect(stderr).toContain('no group "c\\xc3" on stream "s\\xff\\xfe"');
});

it('an empty name is a usage error', async () => {
  for (const args of [
    ['produce', '-s', '', 'a=1'],
    ['consume', '--name', ''],
    ['info', '-s', ''],
    ['group', 'list', '--stream='],
  ]) {
    const {code, stderr} = await run(...args);
    expect(stderr).toContain('takes a name; it is empty');
    expect(code).toBe(2);
  }
  expect(await server.redis.exists('')).toBe(0);
});
