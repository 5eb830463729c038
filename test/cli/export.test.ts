import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, until, userUrl} from '../support/redis-server.js';
import {RUNTIMES, runSh, shell, startStreamlog, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';
import {startListener} from '../support/topologies.js';

const server = serverForAll();
const directory = mkdtempSync(join(tmpdir(), 'streamlog-export-'));
afterAll(() => rmSync(directory, {recursive: true, force: true}));
const at = (name: string): string => join(directory, name);

/** Four entries of `orders`, of which `billing` has three, one deleted and one acknowledged. */
beforeEach(async () => {
  for (const name of readdirSync(directory)) rmSync(at(name), {recursive: true});
  await server.redis.flushall();
  for (let n = 1; n <= 4; n++)
    await server.redis.xadd('orders', `${n}-0`, 'type', n === 2 ? 'open' : 'paid', 'mail', `m${n % 2}`);
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 3, 'STREAMS', 'orders', '>');
  await server.redis.xack('orders', 'billing', '3-0');
  await server.redis.xdel('orders', '1-0');
});

const run = (...args: string[]) => streamlog(['export', ...args], {server, cwd: directory});
interface Line {
  [member: string]: unknown;
  id?: string;
}
const lines = (text: string): Line[] => jsonLines(text);
const idsOf = (text: string): (string | undefined)[] =>
  lines(text)
    .slice(1, -1)
    .map(({id}) => id);
const fileLines = (name: string): Line[] => lines(readFileSync(at(name), 'utf8'));

describe('what is written', () => {
  it('a header, entries as range prints them with what is pending, and a trailer', async () => {
    const {stdout, stderr, code} = await run('orders');
    const pending = {group: 'billing', consumer: 'w1', deliveredAt: expect.any(Number), deliveries: 1};
    expect(lines(stdout)).toEqual([
      {
        streamlog: 'export',
        version: 1,
        stream: 'orders',
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        server: expect.stringMatching(/^(redis|valkey) \d/),
        whole: true,
        length: 3,
        firstId: '2-0',
        lastGeneratedId: '4-0',
        entriesAdded: 4,
        maxDeletedId: '1-0',
        groups: [{name: 'billing', lastDeliveredId: '3-0', entriesRead: 3, pending: 2, consumers: ['w1']}],
      },
      {stream: 'orders', id: '1-0', gone: true, pending: [pending]},
      {stream: 'orders', id: '2-0', fields: {type: 'open', mail: 'm0'}, pending: [pending]},
      {stream: 'orders', id: '3-0', fields: {type: 'paid', mail: 'm1'}},
      {stream: 'orders', id: '4-0', fields: {type: 'paid', mail: 'm0'}},
      {
        streamlog: 'end',
        stream: 'orders',
        entries: 3,
        gone: 1,
        pending: 2,
        missing: 0,
        sha256: expect.stringMatching(/^[\da-f]{64}$/),
      },
    ]);
    expect([stderr, code]).toEqual(['', 0]);
    expect(lines((await streamlog(['range', '-s', 'orders'], {server})).stdout)).toEqual(
      lines(stdout)
        .filter(({fields}) => fields)
        .map(({pending: _, ...record}) => record),
    );
  });

  it('a SHA-256 that sha256sum gives for the lines before the trailer', async () => {
    await run('orders', '--file', 'F');
    const {stdout} = await shell(`head -n -1 F | sha256sum`, {cwd: directory});
    expect(fileLines('F').at(-1)!.sha256).toBe(stdout.split(' ')[0]);
  });

  it('what jq, produce, get and delete read as it is', async () => {
    const line =
      'streamlog export orders >F && streamlog produce -s again --input envelope -q <F && streamlog get <F && ' +
      "jq -c 'select(.pending and .fields).id' F && streamlog delete <F";
    const {stdout, stderr, code} = await shell(line, {server, cwd: directory});
    expect([code, stderr]).toEqual([0, '']);
    const records = lines((await streamlog(['range', '-s', 'again'], {server})).stdout);
    expect(records.map(({fields}) => fields)).toEqual(
      ['open', 'paid', 'paid'].map((type, at) => ({type, mail: `m${at % 2}`})),
    );
    const found = stdout.split('\n');
    expect(found.slice(0, 3).map((text) => JSON.parse(text).id)).toEqual(['2-0', '3-0', '4-0']);
    expect(found.slice(3)).toEqual(['"2-0"', '{"stream":"orders","deleted":3,"missing":0,"dryRun":false}', '']);
  });

  it('nothing of the server, the user or the password', async () => {
    const url = await userUrl(server, '~*', '&*', '+@all');
    const {stdout, code} = await streamlog(['export', 'orders', '--url', url], {cwd: directory});
    expect(code).toBe(0);
    for (const secret of ['reader', 'pw', 'redis.sock', server.directory, 'unix:'])
      expect(stdout).not.toContain(secret);
  });

  it('an empty stream with its groups, and several streams one after the other', async () => {
    await server.redis.xgroup('CREATE', 'empty', 'g', '$', 'MKSTREAM');
    const {stdout} = await run('empty', 'orders', 'empty');
    expect(
      lines(stdout)
        .map(({streamlog: kind, stream}) => [kind, stream])
        .filter(([kind]) => kind),
    ).toEqual([
      ['export', 'empty'],
      ['end', 'empty'],
      ['export', 'orders'],
      ['end', 'orders'],
    ]);
  });

  it('streams that match, in the order of their names', async () => {
    for (const name of ['b1', 'a1', 'c']) await server.redis.xadd(name, '1-0', 'n', '1');
    const {stdout} = await run('--match', '[ab]1');
    expect(lines(stdout).flatMap(({streamlog: kind, stream}) => (kind === 'export' ? [stream] : []))).toEqual([
      'a1',
      'b1',
    ]);
    expect((await run('--match', 'z*')).code).toBe(66);
  });

  it.each<[string, string[], string[]]>([
    ['--from', ['--from', '3-0'], ['3-0', '4-0']],
    ['--to', ['--to', '3-0'], ['1-0', '2-0', '3-0']],
    ['--from and --to with nothing between', ['--from', '8-0', '--to', '9-0'], []],
    ['--where', ['--where', 'type=paid'], ['3-0', '4-0']],
    ['--not-where', ['--not-where', 'type=paid'], ['2-0']],
    ['--grep', ['--grep', 'open'], ['2-0']],
    ['--no-groups', ['--no-groups'], ['2-0', '3-0', '4-0']],
    ['--pending-only', ['--pending-only'], ['2-0']],
    ['--pending-only -g', ['--pending-only', '-g', 'billing'], ['2-0']],
  ])('with %s, only some entries, and the header says so', async (_, args, expected) => {
    const {stdout, code} = await run('orders', ...args);
    expect([idsOf(stdout), code]).toEqual([expected, 0]);
    expect(lines(stdout)[0]).toMatchObject({whole: false});
  });

  it('with --where, the conditions in the header', async () => {
    const {stdout} = await run('orders', '--where', 'type=paid', '--not-where', 'mail=m1');
    expect([idsOf(stdout), lines(stdout)[0]!.filter]).toEqual([
      ['4-0'],
      ['--where', 'type=paid', '--not-where', 'mail=m1'],
    ]);
  });

  it('with --mask, values that cannot be known and stay equal', async () => {
    const once = lines((await run('orders', '--mask', 'mail', '--mask', 'no-such')).stdout);
    const again = lines((await run('orders', '--mask', 'mail')).stdout);
    const mails = (all: Line[]): unknown[] => all.flatMap(({fields}) => (fields ? [(fields as Line).mail] : []));
    const [m2, m3, m4] = mails(once);
    expect(m2).toMatch(/^masked:[\da-f]{16}$/);
    expect([m4 === m2, m3 === m2]).toEqual([true, false]);
    expect(mails(again)).not.toContain(m2);
    expect(once[0]!.masked).toEqual(['mail', 'no-such']);
  });

  it('with --producers, how far they have come', async () => {
    const produce = ['produce', '-s', 'orders', '--input', 'text', '--exactly-once', '--producer-id', 'p:1', '-q'];
    await streamlog(produce, {server, input: 'a\nb\n'});
    const hashes = lines((await run('orders', '--producers')).stdout).filter(({streamlog: kind}) => kind === 'hash');
    expect(hashes).toEqual([
      {
        streamlog: 'hash',
        stream: 'orders',
        of: 'producer',
        key: expect.stringContaining('p%3A1'),
        expiresAt: expect.any(Number),
        fields: expect.objectContaining({mark: '2'}),
      },
    ]);
    const [key] = await server.redis.keys('*producer*');
    expect(key).toBe(`{orders}:streamlog:producer:orders:${hashes[0]!.key}`);
    expect(lines((await run('orders')).stdout).filter(({streamlog: kind}) => kind === 'hash')).toEqual([]);
  });

  it('every entry once with --rate', async () => {
    expect(idsOf((await run('orders', '--rate', '200/s')).stdout)).toEqual(['1-0', '2-0', '3-0', '4-0']);
  });
});

describe.each(RUNTIMES)('a file, by %s', (name, command) => {
  const inShell = (line: string) => runSh(line.replaceAll('streamlog', command), {server, cwd: directory});

  it('appears whole under its name, for its owner alone', async () => {
    writeFileSync(at('F'), 'the one of yesterday', {mode: 0o644});
    const {stdout, stderr, code} = await inShell('streamlog export orders --file F');
    expect([lines(stdout), stderr, code]).toEqual([
      [
        {
          stream: 'orders',
          entries: 3,
          gone: 1,
          pending: 2,
          groups: 1,
          missing: 0,
          bytes: expect.any(Number),
          file: 'F',
          resumed: false,
          dryRun: false,
        },
      ],
      '',
      0,
    ]);
    expect(readdirSync(directory)).toEqual(['F']);
    expect(statSync(at('F')).mode & 0o777).toBe(0o600);
    expect(fileLines('F')).toHaveLength(6);
  });

  it('is compressed as a flag or its name says', async () => {
    await inShell('streamlog export orders --file F.gz && streamlog export orders --gzip >G');
    for (const file of ['F.gz', 'G']) expect(lines(gunzipSync(readFileSync(at(file))).toString())).toHaveLength(6);
  });

  it('is compressed with zstd where the runtime has it', async () => {
    const {stderr, code} = await inShell('streamlog export orders --zstd >F');
    if (name === 'Node' && !('createZstdCompress' in process.getBuiltinModule('node:zlib'))) {
      expect([stderr, code]).toEqual([
        'streamlog: this version of Node.js has no zstd\nhint: give --gzip, or use the executable streamlog\n',
        78,
      ]);
    } else {
      expect([stderr, code]).toEqual(['', 0]);
      const {code: read} = await shell('streamlog produce -s z --input envelope -q <F', {server, cwd: directory});
      expect([read, await server.redis.xlen('z')]).toEqual([0, 3]);
    }
  });

  it('that is full, or whose reader has gone, ends the export', async () => {
    for (const to of ['--file /dev/full', '>/dev/full']) {
      const {stderr, code} = await inShell(`streamlog export orders ${to}`);
      expect([stderr, code]).toEqual([expect.stringMatching(/^streamlog: cannot write .*: no space is left\n$/), 74]);
    }
    expect(existsSync('/dev/full.part')).toBe(false);
    for (let n = 10; n < 3_000; n++) await server.redis.xadd('orders', `${n}-0`, 'value', 'x'.repeat(100));
    const {stdout, stderr} = await inShell('{ streamlog export orders; echo "$?" >code; } | head -c 10');
    expect([stdout, stderr, readFileSync(at('code'), 'utf8')]).toEqual(['{"streamlo', '', '0\n']);
  });
});

describe('files', () => {
  it('a link stays one, and what it points to is replaced', async () => {
    mkdirSync(at('real'));
    writeFileSync(at('real/F'), 'old');
    symlinkSync('real/F', at('F'));
    await run('orders', '--file', 'F');
    expect(readdirSync(at('real'))).toEqual(['F']);
    expect(readFileSync(at('F'), 'utf8')).toContain('"streamlog":"end"');
  });

  it('one for each stream with --dir, whose names are those of the streams', async () => {
    const names = ['a/b', '..', 'ä', 'x'.repeat(400)];
    for (const stream of names) await server.redis.xadd(stream, '1-0', 'n', '1');
    await server.redis.xadd(Buffer.from([0xff, 0x0a]), '1-0', 'n', '1');
    const {code, stdout} = await run('--match', '*', '--dir', 'D');
    expect(code).toBe(0);
    const files = readdirSync(at('D')).sort();
    expect(files.filter((file) => file.length < 100)).toEqual([
      '%2E..ndjson',
      '%C3%A4.ndjson',
      '%FF%0A.ndjson',
      'a%2Fb.ndjson',
      'orders.ndjson',
    ]);
    expect(files).toHaveLength(6);
    expect(lines(stdout).map(({file}) => file)).toEqual(expect.arrayContaining(files.map((file) => `D/${file}`)));
    expect(statSync(at('D')).mode & 0o777).toBe(0o700);
    writeFileSync(at('F'), '');
    expect((await run('orders', '--dir', 'F/D')).code).toBe(74);
  });

  it('that cannot be written are said to be so', async () => {
    mkdirSync(at('D'));
    const {stderr, code} = await run('orders', '--file', 'D');
    expect([stderr, code]).toEqual([
      'streamlog: D is a directory\nhint: give --dir to write a file for each stream\n',
      2,
    ]);
    expect((await run('orders', '--file', 'no/such/F')).code).toBe(74);
  });

  it('that another run is writing are left to it', async () => {
    for (let n = 10; n < 400; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
    const first = startStreamlog(['export', 'orders', '--file', 'F', '--rate', '100/s'], {server, cwd: directory});
    await until(() => existsSync(at('F.part')) && statSync(at('F.part')).size > 0, 'it has begun');
    const {stderr, code} = await run('orders', '--file', 'F');
    expect([stderr, code]).toEqual(['streamlog: another streamlog is writing F.part\n', 75]);
    first.process.kill('SIGTERM');
    expect((await first.finished).code).toBe(143);
    expect(existsSync(at('F'))).toBe(false);
    expect(statSync(at('F.part')).mode & 0o777).toBe(0o600);
  });

  it('that an interrupted run has left are gone on with, or begun anew', async () => {
    for (let n = 10; n < 400; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
    const first = startStreamlog(['export', 'orders', '--file', 'F', '--rate', '100/s'], {server, cwd: directory});
    await until(
      () => existsSync(at('F.part')) && readFileSync(at('F.part'), 'utf8').includes('"19-0"'),
      'it has begun',
    );
    first.process.kill('SIGINT');
    const {stderr, code} = await first.finished;
    expect([stderr, code]).toEqual(['streamlog: F.part is not whole; --resume goes on with it\n', 130]);
    await server.redis.xadd('orders', '500-0', 'n', 'later');
    const [header] = fileLines('F.part');
    const resumed = await run('orders', '--file', 'F', '--resume');
    expect([lines(resumed.stdout), resumed.stderr]).toEqual([
      [expect.objectContaining({entries: 393, resumed: true})],
      '',
    ]);
    expect(fileLines('F')[0]).toEqual(header);
    expect(fileLines('F').at(-2)).toMatchObject({id: '399-0'});
    const again = await run('orders', '--file', 'F', '--resume');
    expect([again.stdout, again.stderr, again.code]).toEqual([
      '',
      'streamlog: F is whole already; nothing is left to resume\n',
      0,
    ]);
    expect(lines((await run('orders', '--file', 'F')).stdout)).toEqual([expect.objectContaining({entries: 394})]);
  });

  it('that were begun with other flags, or are no exports, are not gone on with', async () => {
    await run('orders', '--file', 'F', '--no-groups');
    const part = readFileSync(at('F'), 'utf8').split('\n').slice(0, 3).join('\n');
    const resume = async (text: string, ...args: string[]): Promise<string> => {
      writeFileSync(at('G.part'), text);
      const {stderr, code} = await run('orders', '--file', 'G', '--resume', ...args);
      expect(code).toBe(65);
      return stderr.split('\n')[0]!;
    };
    const cannot = 'streamlog: G.part cannot be resumed: it';
    expect(await resume(`${part}\n`)).toBe(`${cannot} was begun with other flags`);
    expect(await resume(`${part}\n`, '--no-groups', '--from', '1-0')).toBe(`${cannot} was begun with other flags`);
    expect(await resume(`${part}\n`.replaceAll('orders', 'other'), '--no-groups')).toBe(
      `${cannot} is of stream "other"`,
    );
    expect(await resume(`${part}\n`, '--no-groups', '--gzip')).toBe(`${cannot} is not compressed`);
    expect(await resume('{"n":1}\n')).toMatch(/^streamlog: G\.part: line 1/);
    const {code} = await run('orders', '--file', 'G', '--resume', '--no-groups');
    expect(code).toBe(65);
  });

  it('that do not fit on the disk are gone on with when there is room', async () => {
    for (let n = 10; n < 400; n++) await server.redis.xadd('orders', `${n}-0`, 'value', 'x'.repeat(100));
    const full = await shell("(trap '' XFSZ; ulimit -f 16; streamlog export orders --file F)", {
      server,
      cwd: directory,
    });
    expect([full.code, full.stderr]).toEqual([74, expect.stringMatching(/^streamlog: cannot write F\.part: /)]);
    expect(statSync(at('F.part')).size).toBeGreaterThan(1_000);
    const {stdout, code} = await run('orders', '--file', 'F', '--resume');
    expect([lines(stdout), code]).toEqual([[expect.objectContaining({entries: 393, resumed: true})], 0]);
    expect(fileLines('F')).toHaveLength(396);
  });

  it('have each stream once when they had several', async () => {
    await server.redis.xadd('other', '1-0', 'n', '1');
    await run('orders', 'other', '--file', 'F');
    const whole = readFileSync(at('F'), 'utf8').split('\n');
    // Within the entries of the second one, and just behind its header.
    for (const kept of [whole.length - 2, whole.length - 3]) {
      rmSync(at('F'));
      writeFileSync(at('F.part'), `${whole.slice(0, kept).join('\n')}\n{"strea`);
      const {stdout, code} = await run('orders', 'other', '--file', 'F', '--resume');
      expect([code, lines(stdout).map(({stream}) => stream)]).toEqual([0, ['other']]);
      expect(fileLines('F').map(({streamlog: kind, id}) => kind ?? id)).toEqual([
        'export',
        '1-0',
        '2-0',
        '3-0',
        '4-0',
        'end',
        'export',
        '1-0',
        'end',
      ]);
    }
  });

  it('are written through a lock that was left behind', async () => {
    writeFileSync(at('F.part'), '');
    chmodSync(at('F.part'), 0o644);
    expect((await run('orders', '--file', 'F')).code).toBe(0);
    expect(statSync(at('F')).mode & 0o777).toBe(0o600);
  });
});

describe('what is refused', () => {
  it.each<[string[], number, RegExp]>([
    [['nothing'], 66, /^streamlog: no stream "nothing"\nhint: .*orders/],
    [['orders', 'nothing', '--file', 'F'], 66, /no stream "nothing"/],
    [['--pending-only', '-g', 'none', '-s', 'orders'], 66, /no group "none" on stream "orders"/],
    [['text'], 65, /"text" is a string, not a stream/],
    [['orders', '-g', 'billing'], 2, /--pending-only/],
    [['orders', '--resume'], 2, /--resume takes --file or --dir/],
    [['orders', '-o', 'csv'], 2, /standard output gets the export/],
    [['orders', '--match', 'o*'], 2, /give --match or streams, not both/],
    [['orders', '--gzip', '--zstd'], 2, /--zstd|--gzip/],
    [['orders', '--where', '%consumer=w1'], 2, /%consumer is not known here/],
  ])('%j', async (args, code, message) => {
    await server.redis.set('text', 'x');
    const done = await run(...args);
    expect([done.code, done.stdout, done.stderr]).toEqual([code, '', expect.stringMatching(message)]);
    expect(existsSync(at('F.part'))).toBe(false);
  });

  it('to print an export on a terminal', async () => {
    const {text, code} = await onTerminal(['export', 'orders'], {server});
    expect([text, code]).toEqual([expect.stringContaining('an export is for a file or a pipe, not for a terminal'), 2]);
  });
});

it('a signal ends it at once where Redis is silent', async () => {
  const silent = await startListener('');
  const url = `redis://127.0.0.1:${silent.port}`;
  const running = startStreamlog(['export', 'orders', '-u', url, '--file', 'F', '--connect-timeout', '1h'], {
    cwd: directory,
  });
  await until(() => silent.received().length > 0, 'it has asked');
  running.process.kill('SIGINT');
  const {stdout, stderr, code} = await running.finished;
  expect([stdout, stderr, code, readdirSync(directory)]).toEqual(['', '', 130, []]);
  await silent.stop();
});

describe('what is said', () => {
  it('what would be exported, with --dry-run', async () => {
    const {stdout} = await run('orders', '--file', 'F', '--dry-run');
    expect(lines(stdout)).toEqual([
      expect.objectContaining({stream: 'orders', entries: 3, groups: 1, pending: 2, dryRun: true}),
    ]);
    expect(lines((await run('orders', '--dry-run', '--where', 'type=paid')).stdout)[0]).toMatchObject({entries: null});
    expect(readdirSync(directory)).toEqual([]);
    const {text} = await onTerminal(['export', 'orders', '--dry-run'], {server});
    expect(text).toBe('would export 3 entries of orders with 1 group and 2 pending\n');
  });

  it('one sentence at the end, on a terminal, with nothing that a name does to it', async () => {
    await server.redis.xadd(HOSTILE, '1-0', 'n', '1');
    const {text} = await onTerminal(['export', 'orders', '--file', 'F'], {server, cwd: directory});
    expect(text).toMatch(
      /^exported 3 entries of orders with 1 group and 2 pending \(1 without payload\) to F in [\d.]+ s\n$/,
    );
    expect(unsafeIn((await onTerminal(['export', HOSTILE, '--file', 'G'], {server, cwd: directory})).text)).toEqual([]);
  });

  it('how far it is, on a terminal, within its width', async () => {
    for (let n = 10; n < 400; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
    const {text} = await onTerminal(['export', 'orders', '--file', 'F', '--rate', '300/s'], {
      server,
      cwd: directory,
      columns: 40,
      env: {TERM: 'xterm'},
    });
    expect(text).toMatch(/\r\u001b\[Korders {2}\d+ of 393 entries \(\d+ %\)/);
    for (const line of text.split(/\r\u001b\[K|\n/).slice(0, -2)) expect(line.length).toBeLessThan(40);
  });

  it('that consumers are left out where there are too many', async () => {
    const pipeline = server.redis.pipeline();
    for (let n = 0; n < 4_100; n++) pipeline.xgroup('CREATECONSUMER', 'orders', 'billing', `c${n}`);
    await pipeline.exec();
    const {stdout, stderr} = await run('orders');
    expect(stderr).toBe(
      'streamlog: warning: group "billing" of "orders" has 4,101 consumers: only those with pending entries are exported\n',
    );
    expect(lines(stdout)[0]).toMatchObject({groups: [{name: 'billing', pending: 2}]});
  });
});
