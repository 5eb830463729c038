import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serverForAll, startRedis, until} from '../support/redis-server.js';
import {type Finished, shell, startStreamlog, streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

const server = serverForAll();
let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-produce-'));
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});

const produce = (args: readonly string[], input?: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input});
const entries = (stream: string) => server.redis.xrange(stream, '-', '+');
/** Names and values of each entry, one after the other. */
const contents = async (stream: string): Promise<string[][]> => (await entries(stream)).map(([, fields]) => fields);
const idsOf = async (stream: string): Promise<string[]> => (await entries(stream)).map(([id]) => id);
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

describe('an entry from arguments', () => {
  it('is stored as it was typed, and its ID is printed', async () => {
    const args = [
      '-s',
      'typed',
      'type=login',
      'q=a=b',
      'note= with  spaces ',
      'who=Zoë 🙂',
      'empty=',
      'tag=x',
      'tag=y',
    ];
    const {code, stdout, stderr} = await produce(args);
    const [[id, fields], ...more] = (await entries('typed')) as [[string, string[]]];
    expect({code, stdout, stderr, more}).toEqual({code: 0, stdout: `${id}\n`, stderr: '', more: []});
    const expected = ['type', 'login', 'q', 'a=b', 'note', ' with  spaces ', 'who', 'Zoë 🙂', 'empty', '', 'tag', 'x'];
    expect(fields).toEqual([...expected, 'tag', 'y']);
  });

  it('takes values from files, byte for byte', async () => {
    writeFileSync(path('bytes'), Buffer.from([0xff, 0x00, 0x0a]));
    await produce(['-s', 'file-value', `jpeg=@${path('bytes')}`, 'to=@@alice']);
    const [[, fields]] = (await server.redis.xrangeBuffer('file-value', '-', '+')) as [[Buffer, Buffer[]]];
    expect(fields[1]).toEqual(Buffer.from([0xff, 0x00, 0x0a]));
    expect(fields[3]?.toString()).toBe('@alice');
  });

  it('leaves standard input to others', async () => {
    const {stdout} = await shell('{ streamlog produce -s polite a=1 >/dev/null; cat; } <<< "still here"', {server});
    expect(stdout).toBe('still here\n');
    expect(await contents('polite')).toEqual([['a', '1']]);
  });

  it('has the ID that was asked for', async () => {
    expect((await produce(['-s', 'ids', '--id', '5-1', 'a=1'])).stdout).toBe('5-1\n');
    expect((await produce(['-s', 'ids', '--id', '5-*', 'a=2'])).stdout).toBe('5-2\n');
    expect((await produce(['-s', 'ids', '--id', '7', 'a=3'])).stdout).toBe('7-0\n');
    expect(await idsOf('ids')).toEqual(['5-1', '5-2', '7-0']);
  });

  it('comes as often as wanted with --count, and no faster than --rate', async () => {
    const {code, stdout, stderr} = await produce(['-s', 'load', 'type=ping', '--count', '1203']);
    expect([code, stderr]).toEqual([0, 'streamlog: read 1203, added 1203, rejected 0, unconfirmed 0\n']);
    expect(linesOf(stdout)).toEqual(await idsOf('load'));
    expect(linesOf(stdout)).toHaveLength(1_203);

    await produce(['-s', 'rate', 'type=ping', '-n', '4', '--rate', '20/s', '--quiet']);
    const times = (await idsOf('rate')).map((id) => Number.parseInt(id, 10));
    expect(times).toHaveLength(4);
    // 50 ms apart, as Redis' own clock saw it.
    expect(times[3]! - times[0]!).toBeGreaterThanOrEqual(140);
  });

  it('is printed as JSON on request', async () => {
    const {stdout} = await produce(['-s', 'as-json', 'a=1', '--json']);
    expect(JSON.parse(stdout)).toEqual({stream: 'as-json', id: (await idsOf('as-json'))[0]});
  });

  it('goes to the stream of STREAMLOG_STREAM, or to "events"', async () => {
    await streamlog(['produce', 'a=1'], {server, env: {STREAMLOG_STREAM: 'from-env'}});
    await produce(['a=1']);
    expect([await server.redis.xlen('from-env'), await server.redis.xlen('events')]).toEqual([1, 1]);
  });
});

describe('entries from lines', () => {
  it('NDJSON: values as they are written, nested ones as compact JSON', async () => {
    const input =
      '{"n":12345678901234567890,"one":1.0,"zero":-0,"big":1e400,"yes":true}\n{"o":{"a": [1, 2.50]},"":""}\n';
    const {code, stdout, stderr} = await produce(['-s', 'ndjson'], input);
    expect(await contents('ndjson')).toEqual([
      ['n', '12345678901234567890', 'one', '1.0', 'zero', '-0', 'big', '1e400', 'yes', 'true'],
      ['o', '{"a":[1,2.50]}', '', ''],
    ]);
    expect([code, stderr]).toEqual([0, 'streamlog: read 2, added 2, rejected 0, unconfirmed 0\n']);
    expect(linesOf(stdout)).toEqual(await idsOf('ndjson'));
  });

  it('NDJSON: what else lines may be: CRLF, blank, a byte order mark, no newline at the end, __proto__', async () => {
    const {code} = await produce(
      ['-s', 'odd'],
      '\ufeff{"a":1}\r\n\n  \r\n{"__proto__":"x","constructor":"y"}\n{"a":"\\u0000\u0085"}',
    );
    expect(code).toBe(0);
    expect(await contents('odd')).toEqual([
      ['a', '1'],
      ['__proto__', 'x', 'constructor', 'y'],
      ['a', '\0\u0085'],
    ]);
  });

  it('NDJSON: null only with --null', async () => {
    expect((await produce(['-s', 'nulls'], '{"a":null}\n')).code).toBe(65);
    expect((await produce(['-s', 'nulls', '--null', ''], '{"a":null,"b":[null]}\n')).code).toBe(0);
    expect(await contents('nulls')).toEqual([['a', '', 'b', '[null]']]);
  });

  it('text: each line in one field, byte for byte', async () => {
    const input = Buffer.concat([Buffer.from('first\r\n\nNaïve — 🙂\n'), Buffer.from([0xe9, 0x00, 0x0a])]);
    await produce(['-s', 'text', '--input', 'text', '--field', 'line'], input);
    const found = (await server.redis.xrangeBuffer('text', '-', '+')) as unknown as [Buffer, Buffer[]][];
    expect(found.map(([, [name, value]]) => [name?.toString(), value?.toString('latin1')])).toEqual([
      ['line', 'first\r'],
      ['line', Buffer.from('Naïve — 🙂').toString('latin1')],
      ['line', '\u00e9\u0000'],
    ]);
  });

  it('csv: the header names the fields', async () => {
    writeFileSync(path('users.csv'), '\ufeffname,note\r\nZoë,"a, ""b""\r\nc"\r\nBob,\r\n');
    const {code, stdout} = await produce(['-s', 'csv', '--input', 'csv', '--file', path('users.csv')]);
    expect([code, linesOf(stdout).length]).toEqual([0, 2]);
    expect(await contents('csv')).toEqual([
      ['name', 'Zoë', 'note', 'a, "b"\r\nc'],
      ['name', 'Bob', 'note', ''],
    ]);
  });

  it('envelope: what other commands print, to the last byte; IDs too with --keep-ids', async () => {
    const {redis} = server;
    await redis.xadd('origin', '5-1', 'a', '1', 'a', '2');
    await redis.xadd('origin', '6-0', Buffer.from([0xff]), Buffer.from([0xfe, 0x00]), '', '');
    await redis.xadd('origin', '7-0', '__proto__', '{"$b64":"/w=="}');
    const {stdout} = await streamlog(['range', '-s', 'origin'], {server});
    expect((await produce(['-s', 'copy', '--input', 'envelope', '--keep-ids'], stdout)).stdout).toBe('5-1\n6-0\n7-0\n');
    expect((await produce(['-s', 'renumbered', '--input', 'envelope'], stdout)).code).toBe(0);
    const original = (await redis.xrangeBuffer('origin', '-', '+')) as unknown as [Buffer, Buffer[]][];
    expect(await redis.xrangeBuffer('copy', '-', '+')).toEqual(original);
    const renumbered = (await redis.xrangeBuffer('renumbered', '-', '+')) as unknown as [Buffer, Buffer[]][];
    expect(renumbered.map(([, fields]) => fields)).toEqual(original.map(([, fields]) => fields));
    expect(renumbered.map(([id]) => String(id))).not.toContain('5-1');

    const again = await produce(['-s', 'copy', '--input', 'envelope', '--keep-ids'], stdout);
    expect(again).toMatchObject({code: 65, stdout: ''});
    expect(again.stderr).toContain('read 3, added 0, rejected 3');
  });

  it('come from a file, from - or from a pipe alike', async () => {
    writeFileSync(path('events.ndjson'), '{"a":1}\n{"a":2}\n');
    await produce(['-s', 'sources', '--file', path('events.ndjson')]);
    await produce(['-s', 'sources', '--file', '-'], '{"a":3}\n');
    await shell(`streamlog produce -s sources < ${path('events.ndjson')}`, {server});
    expect((await contents('sources')).map(([, value]) => value)).toEqual(['1', '2', '3', '1', '2']);
  });

  it('none at all in empty input, in blank lines', async () => {
    const nothing = {code: 0, stdout: '', stderr: 'streamlog: read 0, added 0, rejected 0, unconfirmed 0\n'};
    expect(await produce(['-s', 'nothing'])).toMatchObject(nothing);
    expect(await produce(['-s', 'nothing'], '\n\n \n')).toMatchObject(nothing);
    expect(await server.redis.exists('nothing')).toBe(0);
  });

  it('print no IDs with --quiet, and no notes either', async () => {
    expect(await produce(['-s', 'quiet', '-q'], '{"a":1}\n')).toMatchObject({code: 0, stdout: '', stderr: ''});
    expect(await server.redis.xlen('quiet')).toBe(1);
  });
});

describe('streams that are kept short', () => {
  it('by length, exactly or by whole nodes', async () => {
    const input = '{"a":1}\n'.repeat(1_000);
    await produce(['-s', 'maxlen', '-q', '--maxlen', '10'], input);
    expect(await server.redis.xlen('maxlen')).toBe(10);
    await produce(['-s', 'approx', '-q', '--maxlen', '10', '--approx'], input);
    const left = await server.redis.xlen('approx');
    expect(left).toBeGreaterThan(10);
    expect(left).toBeLessThan(1_000);
  });

  it('by ID, time or age', async () => {
    const {redis} = server;
    for (const stream of ['minid', 'mintime', 'age'])
      for (const id of ['1-0', '2000-0']) await redis.xadd(stream, id, 'a', '1');
    await produce(['-s', 'minid', '--minid', '2000', 'a=2']);
    await produce(['-s', 'mintime', '--minid', '@1970-01-01T00:00:02Z', 'a=2']);
    expect(await idsOf('minid')).toHaveLength(2);
    expect((await idsOf('mintime'))[0]).toBe('2000-0');
    await redis.xadd('age', `${Date.now() - 30_000}-0`, 'a', '1');
    await produce(['-s', 'age', '--max-age', '1h', 'a=2']);
    expect(await idsOf('age')).toHaveLength(2);
  });

  it('by age are refused where the IDs are not times, unless --force is given: 2', async () => {
    const {redis} = server;
    for (const id of ['1-0', '2000-0']) await redis.xadd('counted', id, 'a', '1');
    const refused = await produce(['-s', 'counted', '--max-age', '1h', 'a=2']);
    expect(refused).toMatchObject({code: 2, stdout: ''});
    expect(refused.stderr).toContain('the IDs of stream "counted" are not times (1-0 to 2000-0)');
    expect(await redis.xlen('counted')).toBe(2);
    expect((await produce(['-s', 'counted', '--max-age', '1h', '--force', 'a=2'])).code).toBe(0);
    expect(await redis.xlen('counted')).toBe(1);
    for (const id of ['5-0', '5-*', '5']) {
      const given = await produce(['-s', 'given', '--max-age', '1h', '--id', id, 'a=2']);
      expect(given).toMatchObject({code: 2, stdout: ''});
      expect(given.stderr).toMatch(/the ID 5\S* is not a time/);
    }
    expect(await redis.exists('given')).toBe(0);
    expect((await produce(['-s', 'given', '--max-age', '1h', 'a=2'])).code).toBe(0);
  });

  it('are not made with --no-create: 66', async () => {
    expect(await produce(['-s', 'absent', '--no-create', 'a=1'])).toMatchObject({code: 66, stdout: ''});
    const {code, stderr} = await produce(['-s', 'absent', '--no-create'], '{"a":1}\n{"a":2}\n');
    expect(code).toBe(66);
    expect(stderr).toMatch(/read 2, added 0, rejected 2, unconfirmed 0\nstreamlog: no stream "absent"\nhint: /);
    expect(await server.redis.exists('absent')).toBe(0);
    await server.redis.xadd('absent', '*', 'a', '1');
    expect((await produce(['-s', 'absent', '--no-create', 'a=1'])).code).toBe(0);
  });
});

describe('real input', () => {
  it('a history of commits, from git log', async () => {
    const subjects = [
      'Add ünïcödé',
      'quote " and \\ backslash',
      "it's -- $(HOME) `x`",
      '   spaces ',
      '{"json":1}',
      '日本語 🙂',
    ];
    const git = (...args: string[]): string =>
      execFileSync(
        'git',
        ['-c', 'user.name=Zoë Ångström', '-c', 'user.email=zoe@example.org', '-C', directory, ...args],
        {encoding: 'utf8'},
      );
    git('init', '-q', 'repository');
    const repository = path('repository');
    for (const subject of subjects)
      git('-C', repository, 'commit', '-q', '--allow-empty', '--cleanup=verbatim', '-m', subject);
    const log = `git -C ${repository} log --reverse`;
    const toJson = `node -e 'for (const line of require("fs").readFileSync(0, "utf8").split("\\n")) if (line) { const [hash, author, ...subject] = line.split("\\t"); console.log(JSON.stringify({hash, author, subject: subject.join("\\t")})); }'`;
    const {code, stderr} = await shell(
      `set -o pipefail
      ${log} --format=%s | streamlog produce -s subjects --input text --field subject
      ${log} --format='%H%x09%an%x09%s' | ${toJson} | streamlog produce -s commits`,
      {server},
    );
    expect({code, stderr}).toEqual({
      code: 0,
      stderr: 'streamlog: read 6, added 6, rejected 0, unconfirmed 0\n'.repeat(2),
    });
    const expected = git('-C', repository, 'log', '--reverse', '--format=%s').split('\n').slice(0, -1);
    expect((await contents('subjects')).map(([, subject]) => subject)).toEqual(expected);
    expect((await contents('commits')).map((fields) => [fields[3], fields[5]])).toEqual(
      expected.map((subject) => ['Zoë Ångström', subject]),
    );
  });

  it('the list of packages of this machine, with the names of people', async () => {
    const list =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of dpkg-query
      "dpkg-query -W -f '${Package} ${Version} ${Maintainer}\\n' || rpm -qa || apk list -I || brew list --versions";
    writeFileSync(
      path('packages'),
      execFileSync('bash', ['-c', `{ ${list}; } 2>/dev/null; echo 'naïve 1.0 Łukasz Ñuñez 山田'`]),
    );
    const {code} = await shell(`streamlog produce -q -s packages --input text < ${path('packages')}`, {server});
    expect(code).toBe(0);
    const lines = linesOf(readFileSync(path('packages'), 'utf8'));
    expect(lines.length).toBeGreaterThan(20);
    expect((await contents('packages')).map(([, line]) => line)).toEqual(lines);
  });

  it('200,000 lines keep their order and are all there', async () => {
    const count = 200_000;
    const lines: string[] = [];
    for (let seq = 0; seq < count; seq++) lines.push(`{"seq":${seq},"type":"login"}\n`);
    writeFileSync(path('many'), lines.join(''));
    const {code, stdout, stderr} = await shell(`streamlog produce -s many < ${path('many')} | tail -1`, {server});
    expect([code, stderr]).toEqual([0, `streamlog: read ${count}, added ${count}, rejected 0, unconfirmed 0\n`]);
    expect(await server.redis.xlen('many')).toBe(count);
    let expected = 0;
    let start = '-';
    while (expected < count) {
      const page = await server.redis.xrange('many', start, '+', 'COUNT', 20_000);
      for (const [, [, seq]] of page) if (Number(seq) !== expected++) expect(seq).toBe(String(expected - 1));
      start = `(${page.at(-1)![0]}`;
    }
    expect(stdout).toBe(`${start.slice(1)}\n`);
    await server.redis.del('many');
  });
});

describe('flat memory', () => {
  /** The most memory that the process ever had, from what the kernel knows of it while it still waits for input. */
  async function peakKilobytes(lines: number): Promise<number> {
    const running = startStreamlog(['produce', '-q', '-s', `memory-${lines}`, '--maxlen', '100', '--approx'], {
      server,
      limitMs: 55_000,
    });
    const {stdin, pid} = running.process;
    const chunk = Buffer.from(`{"user":"u1","payload":"${'x'.repeat(150)}"}\n`.repeat(1_000));
    for (let sent = 0; sent < lines; sent += 1_000) {
      if (!stdin.write(chunk)) await new Promise((resolve) => stdin.once('drain', resolve));
    }
    const entriesAdded = async (): Promise<number> => {
      const info = (await server.redis.xinfo('STREAM', `memory-${lines}`).catch(() => [])) as unknown[];
      return Number(info[info.indexOf('entries-added') + 1]);
    };
    await until(async () => (await entriesAdded()) === lines, 'all lines are in the stream', 55_000);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    stdin.end();
    expect((await running.finished).code).toBe(0);
    return Number(peak);
  }

  it.runIf(process.platform === 'linux')('whatever the length of the input', async () => {
    const small = await peakKilobytes(150_000);
    expect(await peakKilobytes(500_000)).toBeLessThan(small * 1.4);
  });
});

it.each([
  ['ndjson', '{"a":1}\n'],
  ['text', '1\n'],
  ['csv', 'a\n1\n'],
  ['envelope', '{"fields":{"a":"1"}}\n'],
])('the first line of a slow writer is in the stream before it writes the second: %s', async (input, first) => {
  const stream = `slow-${input}`;
  const running = startStreamlog(['produce', '-s', stream, '--input', input], {server});
  running.process.stdin.write(first);
  await until(async () => (await server.redis.xlen(stream)) === 1, 'the first line is in the stream');
  await until(() => running.stdout().endsWith('\n'), 'its ID is printed');
  running.process.stdin.end();
  expect((await running.finished).code).toBe(0);
});

describe('local trouble', () => {
  it('an input that cannot be read: 74, and it is named', async () => {
    expect(await produce(['--file', path('missing')])).toMatchObject({code: 74, stdout: ''});
    expect((await produce(['--file', path('missing')])).stderr).toContain(
      `cannot read ${path('missing')}: no such file`,
    );
    const directoryAsFile = await produce(['-s', 'io', '--file', directory]);
    expect(directoryAsFile.code).toBe(74);
    expect(directoryAsFile.stderr).toContain('it is a directory');
    const directoryAsInput = await shell(`streamlog produce -s io < ${directory}`, {server});
    expect(directoryAsInput.code).toBe(74);
    expect(directoryAsInput.stderr).toContain('cannot read standard input: it is a directory');
    expect((await produce(['-s', 'io', `a=@${path('missing')}`])).code).toBe(74);
  });

  it('an output that takes nothing: 74, and the counts tell what was added nevertheless', async () => {
    const one = await shell('streamlog produce -s full a=1 > /dev/full', {server});
    expect(one).toMatchObject({code: 74, stderr: 'streamlog: cannot write the output: no space is left\n'});
    const many = await shell('streamlog produce -s full > /dev/full', {server, input: '{"a":1}\n'.repeat(5_000)});
    expect(many.code).toBe(74);
    expect(many.stderr).toMatch(/read \d+, added \d+, rejected 0, unconfirmed \d+\nstreamlog: cannot write/);
    const [read, added, , unconfirmed] = many.stderr.match(/\d+/g)!.map(Number);
    expect(await server.redis.xlen('full')).toBe(1 + added!);
    expect(read).toBe(added! + unconfirmed!);
  });

  it('a standard error that takes nothing is told by the exit code, and changes nothing else', async () => {
    const {code, stdout} = await shell('printf \'{"a":1}\\n\' | streamlog produce -s no-stderr 2>/dev/full', {server});
    expect([code, stdout]).toEqual([74, `${(await idsOf('no-stderr'))[0]}\n`]);
  });
});

describe('Redis', () => {
  it('names the lines that it rejects', async () => {
    const envelope = (...ids: string[]): string =>
      ids.map((id) => `${JSON.stringify({id, fields: {a: '1'}})}\n`).join('');
    const args = ['-s', 'rejecting', '--input', 'envelope', '--keep-ids'];
    const {code, stderr} = await produce(
      args,
      envelope('5-1', '5-1', '5-0', '', '5-2', '4-1').replace('{"id":"","fields":{"a":"1"}}', ''),
    );
    expect(code).toBe(65);
    expect(stderr).toContain('lines 2-3, 6: rejected: the ID is not above the last ID on stream "rejecting"');
    expect(stderr).toContain('read 5, added 2, rejected 3, unconfirmed 0');
    expect(await idsOf('rejecting')).toEqual(['5-1', '5-2']);
  });

  it('trims in steps what is too much before the first record, so that it is not held up', async () => {
    const pipeline = server.redis.pipeline();
    for (let n = 0; n < 5_000; n++) pipeline.xadd('long', '*', 'n', n);
    await pipeline.exec();
    await server.redis.config('RESETSTAT');
    expect((await produce(['-s', 'long', '--maxlen', '10', 'n=last'])).code).toBe(0);
    expect(await server.redis.xlen('long')).toBe(10);
    expect(
      Number(/cmdstat_xtrim:calls=(\d+)/.exec(await server.redis.info('commandstats'))?.[1]),
    ).toBeGreaterThanOrEqual(5);
  });

  it('F17 that may drop keys is warned of where runs are told apart by a key', async () => {
    await server.redis.config('SET', 'maxmemory', '1gb');
    await server.redis.config('SET', 'maxmemory-policy', 'volatile-lru');
    try {
      const once = ['-s', 'evicting', '--exactly-once', 'a=1'];
      const {code, stderr} = await produce([...once, '--producer-id', 'p']);
      expect([code, stderr]).toEqual([0, expect.stringContaining('maxmemory-policy volatile-lru')]);
      expect((await produce(once)).stderr).toBe('');
      expect((await produce(['-s', 'evicting', 'a=1'])).stderr).toBe('');
    } finally {
      await server.redis.config('SET', 'maxmemory', '0');
      await server.redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('a key that holds no stream: 65', async () => {
    await server.redis.set('a string', 'x');
    const refused = {code: 65, stdout: ''};
    expect(await produce(['-s', 'a string', 'a=1'])).toMatchObject(refused);
    const {stderr, ...bulk} = await produce(['-s', 'a string'], '{"a":1}\n{"a":2}\n');
    expect(bulk).toMatchObject(refused);
    expect(stderr).toContain('read 2, added 0, rejected 2, unconfirmed 0\nstreamlog: "a string" is not a stream');
    expect(await server.redis.get('a string')).toBe('x');
  });

  it('out of memory: 75, and what it refuses is unconfirmed', async () => {
    const {redis} = server;
    await redis.config('SET', 'maxmemory', '1');
    const {code, stderr} = await produce(['-s', 'oom', '--retry-for', '200ms'], '{"a":1}\n{"a":2}\n');
    await redis.config('SET', 'maxmemory', '0');
    expect(code).toBe(75);
    expect(stderr).toContain('read 2, added 0, rejected 0, unconfirmed 2');
    expect(stderr).toContain('maxmemory');
  });

  it('gone in the middle: 75 with the counts, and no hang while more input comes', async () => {
    const mortal = await startRedis();
    const running = startStreamlog(['produce', '-s', 'gone', '--retry-for', '200ms'], {server: mortal});
    const {stdin} = running.process;
    stdin.write('{"a":1}\n');
    await until(() => running.stdout() !== '', 'the first entry is confirmed');
    await mortal.stop();
    const feeding = setInterval(() => stdin.write('{"a":2}\n'), 10);
    const {code, stderr} = await running.finished;
    clearInterval(feeding);
    expect(code).toBe(75);
    expect(stderr).toMatch(/read (\d+), added 1, rejected 0, unconfirmed \d+\nstreamlog: /);
  });
});

it('a value may begin with a dash, and -- ends the flags', async () => {
  const {code} = await produce(['-s', 'dash', '--', '-n=1', '--json=2']);
  expect(code).toBe(0);
  expect(await contents('dash')).toEqual([['-n', '1', '--json', '2']]);
});

it('a .env in the directory that it runs in has no say', async () => {
  const beside = mkdtempSync(path('elsewhere-'));
  writeFileSync(join(beside, '.env'), 'STREAMLOG_STREAM=from-dotenv\n');
  expect((await streamlog(['produce', 'a=1'], {server, cwd: beside})).code).toBe(0);
  expect(await server.redis.exists('from-dotenv')).toBe(0);
});

it('on a terminal bulk input shows counts in place of IDs', async () => {
  writeFileSync(path('two.ndjson'), '{"a":1}\n{"a":2}\n');
  const args = ['produce', '-s', 'terminal', '--file', path('two.ndjson')];
  const {code, text} = await onTerminal(args, {server, env: {TERM: 'xterm'}});
  expect(code).toBe(0);
  expect(text).toContain('[####################] 100%');
  expect(text).toMatch(/streamlog: added 2 entries to terminal in \d+\.\d+ s\n$/);
  expect(text).not.toContain((await idsOf('terminal'))[0]);
  const one = (await onTerminal(['produce', '-s', 'terminal', 'a=3'], {server})).text;
  expect(one.replace(/\d+\.\d+ s/, 'TIME')).toBe(
    `${(await idsOf('terminal'))[2]}\nstreamlog: added 1 entry to terminal in TIME\n`,
  );
});
