/** The catalogue of bad input: for each kind what the user sees, the exit code, and what is in the stream afterwards. */
import {readFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type RedisServer, startRedis, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';

let server: RedisServer;
let streams = 0;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const newStream = (): string => `bad-${++streams}`;
const produce = (args: readonly string[], input?: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input});
const contents = async (stream: string): Promise<string[][]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);

const GOOD = '{"good":1}\n';
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

const LINES: [what: string, line: string | Buffer, message: string][] = [
  ['a trailing comma', '{"a":1,}\n', 'line 2 column 8: expected a key in double quotes, near "}"'],
  ['NaN', '{"a":NaN}\n', 'line 2 column 6: expected a value, near "NaN}"'],
  ['two objects', '{"a":1}{"b":2}\n', 'line 2 column 8: expected the end of the line after the object'],
  ['an array', '[{"a":1}]\n', 'line 2 column 1: a record is a JSON object'],
  ['a string', '"x"\n', 'line 2 column 1: a record is a JSON object'],
  ['a number', '1\n', 'line 2 column 1: a record is a JSON object'],
  ['null', 'null\n', 'line 2 column 1: a record is a JSON object'],
  ['null for a field', '{"a":null}\n', 'line 2 column 6: null cannot be stored; say with --null what to store for it'],
  ['an object without fields', '{}\n', 'line 2 column 1: an entry needs at least one field'],
  ['a key that comes twice', '{"a":1,"a":2}\n', 'line 2 column 8: the same key comes twice'],
  ['a NUL byte', '{"a":"\0"}\n', 'line 2 column 7: a control character in a string must be escaped, near "\\x00"}"'],
  [
    'bytes that are not UTF-8',
    Buffer.from('{"a":"caf\u00e9"}\n', 'latin1'),
    'line 2: it is not valid UTF-8; --input text keeps bytes',
  ],
  ['half a surrogate pair', '{"a":"\\ud800"}\n', 'line 2 column 6: half a surrogate pair cannot be stored as UTF-8'],
  ['a byte order mark in the middle', '\ufeff{"a":1}\n', 'line 2 column 1: a record is a JSON object'],
  ['a line that is cut', '{"a":"x', 'line 2 column 6: a string does not end'],
  [
    'a line that is too long',
    `{"a":"${'x'.repeat(9 * 1024 ** 2)}"}\n`,
    'line 2: 9437192 bytes are more than --max-record-bytes (8388608)',
  ],
  ['nesting without end', `{"a":${'['.repeat(300_000)}\n`, 'line 2 column 261: it is nested more than 256 deep'],
  [
    'escape sequences',
    '\u001b]0;owned\u0007\n',
    'line 2 column 1: a record is a JSON object: {"field":"value"}, near "\\x1b]0;owned\\x07"',
  ],
];

describe('a line that is no record', () => {
  it.each(LINES)(
    '%s: 65, with line and column; what is in front of it was added, nothing behind it',
    async (_, line, message) => {
      const stream = newStream();
      const input = Buffer.concat([Buffer.from(GOOD), Buffer.from(line), Buffer.from(`\n${GOOD}`)]);
      const cut = typeof line === 'string' && !line.endsWith('\n');
      const {code, stderr} = await produce(['-s', stream, '-q'], cut ? `${GOOD}${line}` : input);
      expect(code).toBe(65);
      expect(stderr).toContain('streamlog: warning: read 2, added 1, rejected 0, unconfirmed 0, bad lines 1\n');
      expect(stderr).toContain(`streamlog: ${message}`);
      expect(stderr).toContain('hint: everything before it was added; --on-bad-line skip goes on past bad lines\n');
      expect(stderr.length).toBeLessThan(600);
      expect(await contents(stream)).toEqual([['good', '1']]);
    },
  );

  it.each(LINES)(
    '%s: with --on-bad-line skip a warning, all good lines, and 65 in the end',
    async (_, line, message) => {
      const stream = newStream();
      const end = Buffer.from(line).at(-1) === 0x0a ? '' : '\n';
      const input = Buffer.concat([Buffer.from(GOOD), Buffer.from(line), Buffer.from(end + GOOD)]);
      const {code, stderr} = await produce(['-s', stream, '-q', '--on-bad-line', 'skip'], input);
      expect(code).toBe(65);
      expect(stderr).toContain(`streamlog: warning: skipped ${message}`);
      expect(stderr).toMatch(
        /read 3, added 2, rejected 0, unconfirmed 0, bad lines 1\nstreamlog: 1 of 3 lines were skipped\n$/,
      );
      expect(await contents(stream)).toEqual([
        ['good', '1'],
        ['good', '1'],
      ]);
    },
  );

  it('UTF-16 says so, in either order of bytes, as NDJSON and as CSV', async () => {
    for (const input of [utf16(GOOD), utf16(GOOD).swap16()]) {
      for (const kind of ['ndjson', 'csv']) {
        const {code, stderr} = await produce(['-s', 'utf16', '--input', kind], input);
        expect(code).toBe(65);
        expect(stderr).toContain('this looks like UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)');
      }
    }
    expect(await server.redis.exists('utf16')).toBe(0);
  });

  it('exactly the lines before it are added, over many batches', async () => {
    const stream = newStream();
    const lines = Array.from({length: 5_000}, (_, index) => (index === 3_210 ? 'oops\n' : `{"n":${index}}\n`));
    const {code, stdout, stderr} = await produce(['-s', stream, '--batch', '7'], lines.join(''));
    expect(code).toBe(65);
    expect(stderr).toContain('read 3211, added 3210, rejected 0, unconfirmed 0, bad lines 1');
    expect(stdout.split('\n')).toHaveLength(3_211);
    const found = await contents(stream);
    expect(found).toHaveLength(3_210);
    expect(found.at(-1)).toEqual(['n', '3209']);
  });

  it('all the good lines are added around many bad ones', async () => {
    const stream = newStream();
    const lines = Array.from({length: 1_000}, (_, index) => (index % 3 === 0 ? `{"n":${index}\n` : `{"n":${index}}\n`));
    const {code, stderr} = await produce(['-s', stream, '-q', '--on-bad-line', 'skip'], lines.join(''));
    expect(code).toBe(65);
    expect(stderr.match(/skipped line \d+ column/g)).toHaveLength(334);
    expect(stderr).toContain('read 1000, added 666, rejected 0, unconfirmed 0, bad lines 334');
    expect((await contents(stream)).map(([, n]) => Number(n))).toEqual(
      Array.from({length: 1_000}, (_, index) => index).filter((index) => index % 3 !== 0),
    );
  });

  it('a bad row of CSV is skipped in its place', async () => {
    const stream = newStream();
    const {code, stderr} = await produce(
      ['-s', stream, '-q', '--input', 'csv', '--on-bad-line', 'skip'],
      'a,b\n1,2\n3\n"x"y,5\n6,7\n',
    );
    expect(code).toBe(65);
    expect(stderr).toContain('warning: skipped line 3: 1 values for 2 columns\n');
    expect(stderr).toContain('warning: skipped line 4: a quote inside a value in quotes must be doubled\n');
    expect(await contents(stream)).toEqual([
      ['a', '1', 'b', '2'],
      ['a', '6', 'b', '7'],
    ]);
  });

  it('an endless line is refused without being kept', async () => {
    const running = startStreamlog(['produce', '-s', 'endless', '--on-bad-line', 'skip'], {server});
    const {stdin, pid} = running.process;
    const chunk = Buffer.alloc(1024 ** 2, 'x');
    for (let sent = 0; sent < 300; sent++) {
      if (!stdin.write(chunk)) await new Promise((resolve) => stdin.once('drain', resolve));
    }
    stdin.write(`\n${GOOD}`);
    await until(async () => (await server.redis.xlen('endless')) === 1, 'the next line is in the stream');
    if (process.platform === 'linux') {
      const peakKb = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      expect(peakKb).toBeLessThan(250 * 1024);
    }
    stdin.end();
    const {code, stderr} = await running.finished;
    expect(code).toBe(65);
    expect(stderr).toContain('skipped line 1: 314572800 bytes are more than --max-record-bytes (8388608)');
  });

  it('the limit of a line can be set', async () => {
    expect((await produce(['-s', 'limit', '--max-record-bytes', '10'], '{"a":1234}\n')).code).toBe(0);
    expect((await produce(['-s', 'limit', '--max-record-bytes', '10'], '{"a":12345}\n')).code).toBe(65);
    expect(
      (await produce(['-s', 'limit', '--max-record-bytes', '20MB', '-q'], `{"a":"${'x'.repeat(10_000_000)}"}\n`)).code,
    ).toBe(0);
  });
});

describe('an ID', () => {
  it.each(['1-2-3', '-1', ' 1-1', '1e3', '', 'x', '1-', '-', '18446744073709551616-0', '99999999999999999999-*'])(
    '"%s" is none: 2, and Redis is not asked',
    async (id) => {
      const {code, stderr} = await streamlog(['produce', 'a=1', `--id=${id}`, '-u', 'redis://127.0.0.1:1']);
      expect(code).toBe(2);
      expect(stderr).toBe(`streamlog: --id takes an ID such as 1526919030474-55 or 1526919030474-*, not "${id}"\n`);
    },
  );

  it('0-0 is the one that no entry can have: 2', async () => {
    expect(await produce(['-s', 'zero', '--id', '0-0', 'a=1'])).toMatchObject({
      code: 2,
      stderr: 'streamlog: an entry cannot have the ID 0-0\n',
    });
  });

  it('not above the last one: 65, and what to do', async () => {
    await produce(['-s', 'smaller', '--id', '5-5', 'a=1']);
    for (const id of ['5-5', '5-4', '4-*']) {
      expect(await produce(['-s', 'smaller', '--id', id, 'a=2'])).toMatchObject({
        code: 65,
        stdout: '',
        stderr:
          'streamlog: the ID is not above the last ID on stream "smaller"\n' +
          'hint: IDs of a stream only grow; leave --id out, or see: streamlog info\n',
      });
    }
    expect(await contents('smaller')).toHaveLength(1);
  });

  it('the last one there is takes the stream to its end: 65', async () => {
    const last = '18446744073709551615-18446744073709551615';
    expect((await produce(['-s', 'last', '--id', last, 'a=1'])).stdout).toBe(`${last}\n`);
    const {code, stderr} = await produce(['-s', 'last', 'a=2']);
    expect(code).toBe(65);
    expect(stderr).toContain('stream "last" has had the last ID that there is');
  });
});

describe('flags', () => {
  const NUMBERS = ['-1', '1e9', '0x10', '10k', '', 'NaN', '1.5', ' 1', '٣', '99999999999999999999'];

  it.each([
    ['--count', NUMBERS],
    ['--batch', [...NUMBERS, '0']],
    ['--maxlen', NUMBERS],
    ['--rate', ['-1', '0', '1e9', '0x10', '10k', '', 'NaN']],
    ['--max-age', ['-1', '10', '1x', '', '1e3s', 'NaN']],
    ['--max-record-bytes', ['-1', '1TB', '', '0x10']],
    ['--minid', ['x', '', '1-2-3', '@yesterday']],
  ])('%s takes nothing that it does not mean: 2, and the message names it', async (flag, values) => {
    for (const value of values) {
      const {code, stdout, stderr} = await streamlog([
        'produce',
        'a=1',
        `${flag}=${value}`,
        '-u',
        'redis://127.0.0.1:1',
      ]);
      expect([code, stdout], `${flag}=${value}`).toEqual([2, '']);
      expect(stderr, `${flag}=${value}`).toMatch(new RegExp(`^streamlog: ${flag}\\b`));
      expect(stderr).toContain(`"${value}"`);
    }
  });

  it.each([
    [['a=1', '--maxlen', '1', '--minid', '1'], 'streamlog: --minid cannot also be provided when using --maxlen\n'],
    [['a=1', '--approx'], 'streamlog: --approx says how to trim, but not to what\n'],
    [['a=1', '--minid', 'end'], 'streamlog: --minid takes an ID or @TIME here\n'],
    [['a=1', '--keep-ids'], 'streamlog: --keep-ids goes with --input envelope\n'],
    [['a=1', '--file', 'x'], 'streamlog: give field=value arguments or --file, not both\n'],
    [['--count', '2'], 'streamlog: --count goes with an entry given as field=value arguments\n'],
    [['--id', '1-1'], 'streamlog: --id goes with an entry given as field=value arguments\n'],
    [['--rate', '2'], 'streamlog: --rate goes with an entry given as field=value arguments\n'],
    [['oops'], 'streamlog: "oops" is no field=value\n'],
    [['--input', 'xml'], 'streamlog: Expected --input=xml to be one of: ndjson, text, csv, envelope\n'],
    [['--nonsense'], 'streamlog: Nonexistent flag: --nonsense\n'],
  ])('%j: 2', async (args, message) => {
    const {code, stdout, stderr} = await streamlog(['produce', ...args, '-u', 'redis://127.0.0.1:1'], {input: GOOD});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(message), stderr).toBe(true);
  });
});
