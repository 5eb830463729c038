/** How entries look to a person: lines that fit the terminal, and blocks that show all. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {cellsOf} from '../../src/lib/output/cell-width.js';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
const TIME_MS = 1_526_919_030_474;
const PLAIN = {NO_COLOR: '1', TZ: 'America/New_York'};
const LONG = '日本語👨‍👩‍👧'.repeat(50);

beforeAll(async () => {
  await server.redis.xadd('events', `${TIME_MS}-0`, 'type', 'login', 'user', 'u1');
  await server.redis.xadd('events', `${TIME_MS}-10`, 'type', 'logout', 'body', '{"n":1.0,"tags":["a"]}');
  await server.redis.xadd('orders', `${TIME_MS + 1}-0`, 'amount', '12');
  for (const name of ['wide', HOSTILE]) {
    await server.redis.xadd(name, `${TIME_MS}-0`, LONG, LONG, 'a', HOSTILE, HOSTILE, 'b');
    await server.redis.xgroup('CREATE', name, name, '0');
    await server.redis.xreadgroup('GROUP', name, `${name}-consumer`, 'STREAMS', name, '>');
    await server.redis.xadd(`{${name}}:dead`, `${TIME_MS}-0`, '_dlq_reason', LONG, '_dlq_group', name, LONG, HOSTILE);
  }
});

const show = async (args: string[], env: Record<string, string> = {}, columns = 80) =>
  (await onTerminal([...args, '--quiet'], {server, columns, env: {...PLAIN, ...env}})).text;

it('the stream is named once, times are local, columns are aligned', async () => {
  expect(await show(['range'])).toBe(
    [
      'events',
      '2018-05-21 12:10:30.474  1526919030474-0   type=login user=u1',
      '2018-05-21 12:10:30.474  1526919030474-10  type=logout body="{\\"n\\":1.0,\\"tags…"',
      '',
    ].join('\n'),
  );
});

it('--utc prints times in UTC, and -o table in a pipe does', async () => {
  const line = '2018-05-21T16:10:30.474Z  1526919030474-0   type=login user=u1\n';
  expect(await show(['range', '--utc'])).toContain(line);
  expect((await streamlog(['range', '-o', 'table'], {server, env: PLAIN})).stdout).toContain(line);
});

it('--full cuts nothing', async () => {
  expect(await show(['range', '--full'])).toContain('body="{\\"n\\":1.0,\\"tags\\":[\\"a\\"]}"\n');
});

it('where entries come from several streams, their names are a column', async () => {
  expect(await show(['tail', '-s', 'events', '-s', 'orders', '--no-follow', '-n', '1'], {}, 120)).toBe(
    [
      '2018-05-21 12:10:30.474  1526919030474-10  events  type=logout body="{\\"n\\":1.0,\\"tags\\":[\\"a\\"]}"',
      '2018-05-21 12:10:30.475  1526919030475-0   orders  amount=12',
      '',
    ].join('\n'),
  );
});

describe('get', () => {
  const entry = [
    '2018-05-21 12:10:30.474  1526919030474-10',
    '  type  logout',
    '  body  {',
    '          "n": 1.0,',
    '          "tags": [',
    '            "a"',
    '          ]',
    '        }',
    '',
  ];

  it('shows each field on lines of its own, JSON indented', async () => {
    expect(await show(['get', `${TIME_MS}-10`])).toBe(['events', ...entry].join('\n'));
  });

  it('--pretty does so elsewhere, and indents JSON', async () => {
    expect(await show(['range', '--pretty'])).toContain(entry.join('\n'));
    const {stdout} = await streamlog(['range', '--pretty', '-n', '1'], {server});
    expect(stdout).toBe(
      '{\n  "stream": "events",\n  "id": "1526919030474-0",\n  "fields": {\n    "type": "login",\n    "user": "u1"\n  }\n}\n',
    );
  });

  it.each([
    ['range', '-o', 'csv', '--pretty'],
    ['pending', '--details', '--pretty', '--output=tsv'],
    ['dlq', 'show', '--pretty', '-ocsv'],
  ])('--pretty is refused where it has no effect: %s %s %s %s', async (...args) => {
    const {code, stdout, stderr} = await streamlog(args, {server});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^streamlog: --pretty has no effect on [ct]sv\nhint: /);
  });

  it('--pretty of the configuration gives way to a shape that has no use for it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
    onTestFinished(() => rmSync(directory, {recursive: true}));
    const config = join(directory, 'config.toml');
    writeFileSync(config, '[defaults.range]\npretty = true\n');
    const env = {STREAMLOG_CONFIG: config};
    const {code, stdout} = await streamlog(['range', '-o', 'csv', '-n', '1'], {server, env});
    expect([code, stdout.split('\r\n')[0]]).toEqual([0, 'stream,id,fields']);
  });

  it('in a pipe is one line of JSON, as ever', async () => {
    expect((await streamlog(['get', `${TIME_MS}-0`], {server})).stdout).toBe(
      '{"stream":"events","id":"1526919030474-0","fields":{"type":"login","user":"u1"}}\n',
    );
  });
});

it.each([40, 60, 80, 120, 200])('no line is wider than %i columns, and none acts on the terminal', async (columns) => {
  for (const name of ['wide', HOSTILE]) {
    const commands = [
      ['range', '-s', name],
      ['tail', '-s', name, '-s', 'orders', '--no-follow'],
      ['pending', '-s', name, '-g', name, '--details', '--payload'],
      ['pending', '-s', name, '-g', name, '--details'],
      ['dlq', 'show', '-s', name],
    ];
    for (const args of commands) {
      const text = await show(args, {}, columns);
      for (const line of text.split('\n')) expect([cellsOf(line) <= columns, line]).toEqual([true, line]);
      expect(unsafeIn(text.replaceAll('\u200d', ''))).toEqual([]);
    }
  }
});

it('says once which columns have no room', async () => {
  const text = await show(['range'], {}, 40);
  expect(text.match(/hidden at this width: time\n/g)).toHaveLength(1);
  expect(text).toContain('\n1526919030474-0   type=login user=u1\n');
});

it.each<[Record<string, string>, boolean]>([
  [{TERM: 'xterm'}, true],
  [{NO_COLOR: '1'}, false],
  [{TERM: 'dumb'}, false],
  [{TERM: ''}, false],
  [{TERM: 'dumb', FORCE_COLOR: '1'}, true],
  [{NO_COLOR: '1', FORCE_COLOR: '1'}, true],
])('with %j: colour %s', async (env, has) => {
  const {text} = await onTerminal(['range'], {server, columns: 80, env});
  expect(text.includes('\u001b[')).toBe(has);
});
