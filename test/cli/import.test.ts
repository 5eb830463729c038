/** `import`: what becomes of good files, of bad ones, and of streams that are there. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {
  crowdedSection,
  fileOf,
  type Header,
  type Line,
  longSection,
  section,
  sectionLines,
} from '../support/handmade-section.js';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, serverPrograms, until} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, RUNTIMES, shell, startShell, streamlog} from '../support/run-cli.js';
import {fullInfo} from '../support/stream-facts.js';
import {HOSTILE, onTerminal, openTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
beforeEach(async () => {
  await server.redis.flushall();
});

const directory = mkdtempSync(join(tmpdir(), 'streamlog-import-'));
afterAll(() => rmSync(directory, {recursive: true}));

/** A file with this content. */
function file(content: string | Buffer): string {
  const path = join(directory, `${files++}.ndjson`);
  writeFileSync(path, content);
  return path;
}
let files = 0;

const run = (args: readonly string[], input = ''): Promise<Finished> => streamlog(['import', ...args], {server, input});
const names = async (): Promise<string[]> => (await server.redis.keys('*')).toSorted();

const at = 1_796_086_085_661;
const HEADER: Header = {
  stream: 'orders',
  lastGeneratedId: '9-0',
  entriesAdded: 8,
  maxDeletedId: '4-0',
  groups: [{name: 'billing', lastDeliveredId: '7-0', entriesRead: 6, consumers: ['w1', 'w2', 'idle']}],
};
const ENTRIES: Line[] = [
  {id: '1-0', pending: [{group: 'billing', consumer: 'w1', deliveredAt: at, deliveries: 3}]},
  {
    id: '2-0',
    fields: {type: 'paid', order: '7'},
    pending: [{group: 'billing', consumer: 'w1', deliveredAt: at, deliveries: 1}],
  },
  {id: '4-0', pending: [{group: 'billing', consumer: 'w2', deliveredAt: at, deliveries: '9223372036854775807'}]},
  {id: '8-0', fields: {type: 'paid', order: '8'}},
];
const ORDERS = section(HEADER, ENTRIES);
const REPORT = {
  stream: 'orders',
  entries: 2,
  gone: 2,
  pending: 3,
  groups: 1,
  already: 0,
  verified: true,
  state: 'imported',
  dryRun: false,
};

describe.each(serverPrograms())('on $name', ({program}) => {
  const here = serverForAll({program});

  it('a stream appears whole: entries, groups, consumers, what is pending and what is gone', async () => {
    const {code, stdout, stderr} = await streamlog(['import'], {server: here, input: ORDERS});

    expect([code, stderr, JSON.parse(stdout)]).toEqual([0, '', REPORT]);
    expect(await here.redis.keys('*')).toEqual(['orders']);
    const info = await fullInfo(here.redis, 'orders');
    expect(info).toMatchObject({
      length: 2,
      'last-generated-id': '9-0',
      'max-deleted-entry-id': '4-0',
      'entries-added': 8,
      'recorded-first-entry-id': '2-0',
    });
    expect(info.groups).toEqual([
      {
        name: 'billing',
        'last-delivered-id': '7-0',
        'entries-read': 6,
        lag: expect.anything(),
        pending: [
          ['1-0', 'w1', at, '3'],
          ['2-0', 'w1', at, '1'],
          ['4-0', 'w2', at, '9223372036854775807'],
        ],
        consumers: ['idle', 'w1', 'w2'],
      },
    ]);
  });

  it('2,000 consumers, out of order in time, come back', async () => {
    const content = crowdedSection('crowd', 4_000, 2_000);

    expect((await streamlog(['import'], {server: here, input: content})).code).toBe(0);
    const {groups} = await fullInfo(here.redis, 'crowd');
    const entries = jsonLines<Line>(content).slice(1, -1);
    expect(groups[0]!.pending).toEqual(
      entries.map(({id, pending = []}) => [id, pending[0]!.consumer, pending[0]!.deliveredAt, '1']),
    );
  });
});

describe('a stream that is there', () => {
  it('identical: exit code 0, and nothing is written', async () => {
    await run([], ORDERS);
    const before = await fullInfo(server.redis, 'orders');

    const {code, stdout} = await run([], ORDERS);

    expect([code, JSON.parse(stdout)]).toEqual([0, {...REPORT, already: 2, state: 'identical'}]);
    expect(await fullInfo(server.redis, 'orders')).toEqual(before);
    expect(await names()).toEqual(['orders']);
  });

  it.each([
    ['an entry more', ['XADD', 'orders', '9-1', 'a', 'b'], 'it has 9-1'],
    ['an entry less', ['XDEL', 'orders', '2-0'], 'it has 8-0 where the file has 2-0'],
    ['one acknowledged', ['XACK', 'orders', 'billing', '2-0'], '2-0 is not so pending'],
    ['one with another consumer', ['XCLAIM', 'orders', 'billing', 'w9', '0', '2-0'], '2-0 is not so pending'],
    ['a group that was moved', ['XGROUP', 'SETID', 'orders', 'billing', '8-0'], 'group "billing" at 8-0'],
  ])('with %s: 65, and the first that differs', async (_, [command, ...args], what) => {
    await run([], ORDERS);
    await server.redis.call(command!, ...args);

    const {code, stdout, stderr} = await run([], ORDERS);

    expect([code, stdout]).toEqual([65, '']);
    expect(stderr).toContain(what);
    expect(stderr).toContain('--into NAME');
  });

  it('that has other fields: 65', async () => {
    await server.redis.xadd('orders', '2-0', 'type', 'other');
    expect(
      await run(
        ['--no-groups'],
        section({stream: 'orders', lastGeneratedId: '2-0'}, [{id: '2-0', fields: {type: 'paid'}}]),
      ),
    ).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('2-0 has other fields'),
    });
  });

  it('is replaced in one step with --replace --force, and not without --force: 2', async () => {
    await server.redis.xadd('orders', '5-5', 'old', '1');
    const refused = await run(['--replace'], ORDERS);
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('"orders" is there already, with 1 entry and 0 groups');
    expect(await server.redis.xlen('orders')).toBe(1);

    const {code, stdout} = await run(['--replace', '--force'], ORDERS);
    expect([code, JSON.parse(stdout)]).toEqual([0, {...REPORT, state: 'replaced'}]);
    expect(await names()).toEqual(['orders']);
    expect((await fullInfo(server.redis, 'orders'))['last-generated-id']).toBe('9-0');
  });

  it('gets what is behind its last ID with --append, and keeps its groups', async () => {
    await run([], ORDERS);
    const more = section({...HEADER, lastGeneratedId: '12-0', entriesAdded: 10}, [
      ...ENTRIES,
      {id: '11-0', fields: {n: '1'}},
      {id: '12-0', fields: {n: '2'}},
    ]);

    for (const already of [2, 4]) {
      const {code, stdout} = await run(['--append'], more);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, {entries: 4, already, state: 'appended', verified: true}]);
    }
    const info = await fullInfo(server.redis, 'orders');
    expect([info.length, info.groups[0]!['last-delivered-id'], info.groups[0]!.pending.length]).toEqual([4, '7-0', 3]);
  });

  it('gets all of it again with --new-ids', async () => {
    await run([], ORDERS);
    const {code, stdout} = await run(['--new-ids'], ORDERS);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, {entries: 2, groups: 0, state: 'added', verified: false}]);
    expect(await server.redis.xlen('orders')).toBe(4);
  });

  it('that is no stream: 65', async () => {
    await server.redis.set('orders', 'text');
    expect(await run([], ORDERS)).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('"orders" is a string, not a stream'),
    });
  });
});

describe('names', () => {
  it('--into and --prefix give others; of several streams, --into takes one: 2', async () => {
    const both = ORDERS + section({stream: 'other', lastGeneratedId: '1-0'}, [{id: '1-0', fields: {a: 'b'}}]);
    await run(['--into', 'copy'], ORDERS);
    const {code, stdout} = await run(['--prefix', 'laptop:'], both);
    expect([code, jsonLines(stdout).map(({stream}) => stream)]).toEqual([0, ['laptop:orders', 'laptop:other']]);
    expect(await names()).toEqual(['copy', 'laptop:orders', 'laptop:other']);
    expect(await run(['--into', 'one'], both)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('more than one stream'),
    });
  });

  it('that are not UTF-8 stay what they are', async () => {
    const lines = sectionLines({stream: 'B', lastGeneratedId: '1-0'}, [{id: '1-0', fields: {a: 'b'}}]).map((line) =>
      line.replaceAll('"stream":"B"', '"stream":{"$b64":"/wD+"}'),
    );
    const {code} = await run(['--unsealed'], fileOf(lines));
    expect([code, await server.redis.keysBuffer('*')]).toEqual([0, [Buffer.from([0xff, 0, 0xfe])]]);
  });
});

describe('ways to leave something out', () => {
  it('--no-groups', async () => {
    await run(['--no-groups'], ORDERS);
    expect(await fullInfo(server.redis, 'orders')).toMatchObject({length: 2, 'last-generated-id': '9-0', groups: []});
  });

  it('--dry-run changes nothing, and says what would be', async () => {
    const {code, stdout} = await run(['--dry-run'], ORDERS);
    expect([code, JSON.parse(stdout), await names()]).toEqual([0, {...REPORT, verified: false, dryRun: true}, []]);
  });

  it('--age-to-now keeps how old pending entries were', async () => {
    await run(
      ['--age-to-now'],
      section({...HEADER, stream: 'aged'}, [
        {
          id: '2-0',
          fields: {a: 'b'},
          pending: [
            {
              group: 'billing',
              consumer: 'w1',
              deliveredAt: Date.parse('2026-12-01T00:50:11.412Z') - 60_000,
              deliveries: 1,
            },
          ],
        },
      ]),
    );
    const [[, , idleMs]] = (await server.redis.xpending('aged', 'billing', '-', '+', 1)) as [[string, string, number]];
    expect(idleMs).toBeGreaterThanOrEqual(60_000);
    expect(idleMs).toBeLessThan(120_000);
  });
});

describe('what else a file may have', () => {
  it('an entry that no consumer has: it is given to one, as old as what is released', async () => {
    const input = section({...HEADER, stream: 'free'}, [
      {id: '2-0', fields: {a: 'b'}, pending: [{group: 'billing', consumer: null, deliveredAt: at, deliveries: 2}]},
    ]);
    expect((await run([], input)).code).toBe(0);
    const {stdout} = await streamlog(['pending', '-s', 'free', '-g', 'billing'], {server});
    expect(JSON.parse(stdout)).toMatchObject({pending: 1, givenBack: 1});
  });

  it('only what is pending, and so less than its header says', async () => {
    await run([], ORDERS);
    const {stdout} = await streamlog(['export', 'orders', '--pending-only', '-g', 'billing'], {server});
    const {code, stdout: said} = await run(['--into', 'stuck'], stdout);
    expect([code, JSON.parse(said)]).toMatchObject([0, {entries: 1, pending: 1, verified: true}]);
  });

  it('how far producers have come: --exactly-once goes on', async () => {
    const produce = (input: string, url = server.url): Promise<Finished> =>
      streamlog(['produce', '-s', 'made', '-q', '--input', 'text', '--exactly-once', '--producer-id', 'p', '-u', url], {
        input,
      });
    await produce('a\nb\n');
    const {stdout} = await streamlog(['export', 'made', '--producers'], {server});
    await server.redis.flushall();

    expect((await run([], stdout)).code).toBe(0);
    await produce('a\nb\nc\n');
    expect((await server.redis.xrange('made', '-', '+')).map(([, [, value]]) => value)).toEqual(['a', 'b', 'c']);
  });

  it('fewer entries than there were when the export began: a warning says so', async () => {
    const lines = sectionLines({stream: 'less', lastGeneratedId: '9-0'}, [{id: '9-0', fields: {a: 'b'}}]);
    const trailer = lines.at(-1)!.replace('"missing":0', '"missing":3');
    const {code, stderr} = await run([], fileOf([...lines.slice(0, -1), trailer]));
    expect([code, stderr]).toEqual([
      0,
      'streamlog: warning: standard input: 3 entries of "less" had gone before they were exported\n',
    ]);
  });
});

describe.each(RUNTIMES)('%s', (_, command) => {
  it('moves a stream through a pipe, and is ended by a signal with what is left', async () => {
    await run([], ORDERS);
    const {code, stdout} = await shell(`set -o pipefail; ${command} export orders | ${command} import --into copy`, {
      server,
    });
    expect([code, JSON.parse(stdout)]).toMatchObject([0, {stream: 'copy', entries: 2, state: 'imported'}]);

    const running = startShell(`exec ${command} import`, {server});
    running.process.stdin.write(longSection('long', 3_000).slice(0, 100_000));
    await until(async () => (await names()).some((key) => key.endsWith(':adding')), 'it has begun');
    running.process.kill('SIGTERM');
    const ended = await running.finished;
    expect(ended.code).toBe(143);
    expect(ended.stderr).toContain('UNLINK');
    expect((await run([], longSection('long', 3_000))).code).toBe(0);
    expect((await names()).filter((key) => key.includes('import'))).toEqual([]);
  });
});

describe('a file that is not sealed', () => {
  const edited = ORDERS.replace('"order":"7"', '"order":"8"');

  it('is refused: 65; --unsealed takes it', async () => {
    expect(await run([], edited)).toMatchObject({code: 65, stderr: expect.stringContaining('SHA-256')});
    expect(await run(['--unsealed'], edited)).toMatchObject({code: 0});
  });

  it('is what range prints, of several streams', async () => {
    await server.redis.xadd('a', '1-0', 'n', '1');
    await server.redis.xadd('b', '2-0', 'n', '2');
    const {stdout} = await streamlog(['tail', '-s', 'a', '-s', 'b', '--no-follow', '-n', '9'], {server});
    const {code, stdout: said} = await run(['--unsealed', '--prefix', 'x:'], stdout);
    expect([code, jsonLines(said).map(({stream, entries}) => [stream, entries])]).toEqual([
      0,
      [
        ['x:a', 1],
        ['x:b', 1],
      ],
    ]);
    expect(await server.redis.xrange('x:b', '-', '+')).toEqual([['2-0', ['n', '2']]]);
  });
});

describe('a bad file: 65 with the line, nothing visible, and the key that is left', () => {
  const lines = sectionLines(HEADER, ENTRIES);
  const BAD: [what: string, content: string | Buffer, where: RegExp][] = [
    ['without a trailer', fileOf(lines.slice(0, -1)), /line 5: the file ends here/],
    ['cut off in a line', fileOf(lines).slice(0, -80), /line 6 column \d+/],
    ['with a line less', fileOf(lines.toSpliced(4, 1)), /line 5: the trailer says entries: 2, and the section has 1/],
    ['with a line twice', fileOf(lines.toSpliced(3, 0, lines[2]!)), /line 4: the ID 2-0/],
    ['in disorder', fileOf([lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)]), /line 3: the ID 1-0/],
    ['with other bytes', fileOf(lines).replace('"7"', '"6"'), /line 6: the SHA-256/],
    [
      'of another version',
      fileOf(sectionLines({...HEADER, version: 2}, ENTRIES)),
      /line 1 column \d+: the format has version 2/,
    ],
    ['that is no export', '{"a":"b"}\n', /line 1/],
    ['with a torn line', fileOf(lines.with(2, lines[2]!.slice(0, 30))), /line 3 column/],
    [
      'of gzip that is cut off',
      gzipSync(longSection('orders', 2_000)).subarray(0, 4_000),
      /cut off|incomplete|truncated/,
    ],
    ['with an ID that is too high', section({...HEADER, lastGeneratedId: '7-0'}, ENTRIES), /line 5/],
    ['with a negative count', fileOf(lines).replace('"deliveries":3', '"deliveries":-3'), /line 2/],
    [
      'with more entries than were added',
      section({...HEADER, entriesAdded: 1}, ENTRIES),
      /line 1: "entriesAdded" is 1/,
    ],
  ];

  it.each(BAD)('%s', async (_, content, where) => {
    const {code, stdout, stderr} = await run([file(content)]);

    expect([code, stdout]).toEqual([65, '']);
    expect(stderr).toMatch(where);
    const left = await names();
    expect(left.every((key) => key.startsWith('{orders}:streamlog:import:orders:'))).toBe(true);
    for (const key of left) expect(stderr).toContain(key);
  });

  it('and the good one goes on with what is left', async () => {
    const long = longSection('orders', 5_000);
    await run([], long.slice(0, long.length / 2));
    expect(await names()).toHaveLength(1);

    const {code, stdout} = await run([], long);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      {entries: 4_950, gone: 50, pending: 500, state: 'resumed', verified: true},
    ]);
    expect(JSON.parse(stdout).already).toBeGreaterThan(0);
    expect(await names()).toEqual(['orders']);
  });

  it('that was edited leaves nothing that a good one would take for its own', async () => {
    const long = longSection('orders', 5_000);
    await run([], long.replace('"n":"7"', '"n":"8"'));

    const again = await run([], long);
    expect([again.code, again.stderr]).toEqual([75, expect.stringContaining('it was removed')]);
    expect((await run([], long)).code).toBe(0);
    expect(await server.redis.xrange('orders', '7-0', '7-0')).toEqual([['7-0', expect.arrayContaining(['n', '7'])]]);
  });

  it('of --append leaves the stream as it was', async () => {
    await run([], ORDERS);
    const bad = fileOf(
      sectionLines({...HEADER, lastGeneratedId: '12-0'}, [...ENTRIES, {id: '11-0', fields: {n: '1'}}]).slice(0, -1),
    );
    expect(await run(['--append', file(bad)])).toMatchObject({code: 65});
    expect(await server.redis.xlen('orders')).toBe(2);
  });
});

describe('compressed files', () => {
  it('are recognised by their content', async () => {
    expect((await run([file(gzipSync(ORDERS))])).code).toBe(0);
    expect(await names()).toEqual(['orders']);
  });
});

describe('on a terminal', () => {
  it('shows no character of a name that a terminal acts upon', async () => {
    const path = file(section({stream: HOSTILE, lastGeneratedId: '1-0'}, [{id: '1-0', fields: {a: 'b'}}]));
    for (const args of [[path], [path], [path, '--append'], [file('{"streamlog":"export"'), path]])
      expect(unsafeIn((await onTerminal(['import', ...args], {server})).text.replaceAll('\r\u001b[K', ''))).toEqual([]);
  });

  it('says it in a sentence, and asks before it replaces', async () => {
    const path = file(ORDERS);
    const said = await onTerminal(['import', path], {server});
    expect(said.text).toMatch(/orders: 2 entries, 1 group, 3 pending \(2 without payload\), verified, in [\d.]+ s/);
    expect((await onTerminal(['import', path], {server})).text).toContain(
      'orders is already there, identical: 2 entries',
    );
  });
});

it('shows how far it is, but not behind a pipe, where the command before it does', async () => {
  const path = file(longSection('orders', 10_000));
  const {text} = await onTerminal(['import', path], {server, columns: 80, env: {TERM: 'xterm'}});
  expect(text).toMatch(/orders {2}[\d,]+ of 9,900 entries/);
  await server.redis.flushall();
  const piped = await openTerminal(`cat ${path} | ${EXECUTABLE} import`, {server, env: {TERM: 'xterm'}}).finished;
  expect(piped.text).toMatch(/^orders: 9,900 entries, [^\n]+\n$/);
});
