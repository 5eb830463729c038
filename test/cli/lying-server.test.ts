/** What a user sees when what answers is no Redis: 69, or an answer that can be true, and never "this is a bug". */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type LyingServer, startLyingServer} from '../support/lying-server.js';
import {streamlog} from '../support/run-cli.js';

let server: LyingServer;
beforeAll(async () => {
  server = await startLyingServer();
});
afterAll(() => server?.stop());

const COMMANDS: readonly string[][] = [
  ['produce', 'a=1'],
  ['produce', 'a=1', '--exactly-once'],
  ['consume', '--name', 'w', '--exit'],
  ['tail', '--no-follow'],
  ['range'],
  ['info'],
  ['ls'],
  ['pending'],
  ['group', 'list'],
  ['trim', '--maxlen', '1'],
  ['get', '1-1'],
  ['delete', '1-1'],
  ['ack', '1-1'],
  ['claim', '1-1', '--to', 'w'],
  ['nack', '1-1'],
  ['dlq', 'list'],
  ['copy', 'orders', '--to', 'copied'],
  ['export', 'orders'],
];
/** A list that fits no command. */
const LIST = Buffer.from('*2\r\n*1\r\n:1\r\n$3\r\nabc\r\n');
const HTTP = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n');

describe.concurrent.each(COMMANDS.map((command) => [command.join(' '), command] as const))('%s', (_, command) => {
  it.each([
    ['a list that fits no command', LIST],
    ['HTTP', HTTP],
  ])('ends with 69 when it is answered %s', async (_, lie) => {
    const own = await startLyingServer();
    try {
      own.lie(lie, {stays: true});
      const {code, stdout, stderr} = await streamlog(command, {env: {STREAMLOG_URL: own.url}, limitMs: 60_000});
      expect(stderr).not.toMatch(/bug/);
      expect([code, stdout], stderr).toEqual([69, '']);
      expect(stderr).toMatch(/not Redis/);
    } finally {
      await own.stop();
    }
  });
});

it('prints no answer to XADD that is no ID: 69', async () => {
  server.lie(Buffer.from('+OK\r\n'), {stays: true});
  const {code, stdout, stderr} = await streamlog(['produce', 'a=1'], {env: {STREAMLOG_URL: server.url}});
  expect([code, stdout], stderr).toEqual([69, '']);
  expect(stderr).toContain('not Redis');
});

it.each([
  ['produce', 'a=1'],
  ['produce', 'a=1', '--count', '2'],
])(
  'takes nil for no answer to an XADD that may make its stream: 69, and 66 with --no-create (%j)',
  async (...command) => {
    server.lie(Buffer.from('$-1\r\n'), {stays: true});
    const env = {STREAMLOG_URL: server.url};
    const {code, stdout, stderr} = await streamlog(command, {env});
    expect([code, stdout], stderr).toEqual([69, '']);
    expect(stderr).toContain('not Redis');
    expect((await streamlog([...command, '--no-create'], {env})).code).toBe(66);
  },
);

it.each([
  ['ack', ['ack', '{"id":"1-1","consumer":"w"}'], '*1\r\n$3\r\nyes\r\n'],
  ['ack', ['ack', '{"id":"1-1","consumer":"w"}'], '*2\r\n$12\r\nacknowledged\r\n$12\r\nacknowledged\r\n'],
  ['nack', ['nack', '1-1'], '$5\r\nxnick\r\n'],
  ['nack', ['nack', '1-1'], '$11\r\nconstructor\r\n'],
  ['claim', ['claim', '1-1', '--to', 'w'], '*3\r\n$5\r\nowned\r\n$1\r\nv\r\n$1\r\n1\r\n'],
  ['claim', ['claim', '1-1', '--to', 'w'], '*0\r\n'],
])('%s believes no answer of a script that it does not know: 69 (%j, %j)', async (_, command, lie) => {
  server.lie(Buffer.from(lie), {stays: true});
  const {code, stdout, stderr} = await streamlog(command, {env: {STREAMLOG_URL: server.url}});
  expect([code, stdout], stderr).toEqual([69, '']);
  expect(stderr).toContain('not Redis');
});
