/** CSV and text as programs write them: other delimiters, short rows, other separators. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, RUNTIMES, shell, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
let streams = 0;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-tables-'));
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));

const newStream = (): string => `table-${++streams}`;
const produce = (args: readonly string[], input: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input, cwd: directory});
const contents = async (stream: string): Promise<string[][]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);

/** As /usr/share/distro-info/debian.csv begins and ends. */
const DISTRO_INFO =
  'version,codename,series,created,release,eol,eol-lts,eol-elts\n' +
  '1.1,Buzz,buzz,1993-08-16,1996-06-17,1997-06-05\n' +
  '12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30\n' +
  ',Sid,sid,1993-08-16\n';

describe('CSV', () => {
  it.each([
    ['a semicolon', 'id;name\r\n1;"bob; al"\r\n', []],
    ['a tab', 'id\tname\n1\tbob; al\n', []],
    ['a bar', 'id|name\n1|bob; al\n', []],
    ['what its first line says', 'sep=^\nid^name\n1^bob; al\n', []],
    ['what was typed', 'id;x,name\n1,bob; al\n', ['--delimiter', ',']],
    ['a tab that was typed', 'id\tname,x\n1\tbob; al\n', ['--delimiter', '\\t']],
    ['a byte that was typed', 'id\u0001name,x\n1\u0001bob; al\n', ['--delimiter', '\\x01']],
  ])('is divided by %s', async (_, input, flags) => {
    const stream = newStream();
    const {code, stderr} = await produce(['-s', stream, '-q', '--input', 'csv', ...flags], input);
    expect([code, stderr]).toEqual([0, '']);
    const [[, id, , name]] = (await contents(stream)) as [string[]];
    expect([id, name]).toEqual(['1', 'bob; al']);
  });

  it('with short rows is refused at the first of them, or filled', async () => {
    const stream = newStream();
    const refused = await produce(['-s', stream, '--input', 'csv'], DISTRO_INFO);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toBe(
      'streamlog: warning: read 1, added 0, rejected 0, unconfirmed 0, bad lines 1\n' +
        'streamlog: line 2: 6 values for 8 columns\n' +
        'hint: --short-rows fill adds rows that end before the last column, with empty values there\n',
    );
    expect((await produce(['-s', stream, '-q', '--input', 'csv', '--short-rows', 'fill'], DISTRO_INFO)).code).toBe(0);
    const rows = await contents(stream);
    expect(rows.map((row) => row.filter((_, index) => index % 2 === 1))).toEqual(
      DISTRO_INFO.trimEnd()
        .split('\n')
        .slice(1)
        .map((row) => [...row.split(','), '', '', '', ''].slice(0, 8)),
    );
  });

  it('with another delimiter is resumed under the same names', async () => {
    const [stream, path] = [newStream(), join(directory, 'grows.csv')];
    const args = `-s ${stream} -q --input csv --file ${path} --resume`;
    writeFileSync(path, 'sep=;\na;b,c\n1;2\n');
    expect((await shell(`streamlog produce ${args}`, {server})).code).toBe(0);
    writeFileSync(path, 'sep=;\na;b,c\n1;2\n3;4,5\n');
    expect((await shell(`streamlog produce ${args}`, {server})).code).toBe(0);
    expect(await contents(stream)).toEqual([
      ['a', '1', 'b,c', '2'],
      ['a', '3', 'b,c', '4,5'],
    ]);
  });
});

describe('text', () => {
  it.each(RUNTIMES)('takes names of files from find -print0 (%s)', async (_, program) => {
    const [stream, files] = [newStream(), mkdtempSync(join(directory, 'files-'))];
    mkdirSync(join(files, 'two\nlines'));
    writeFileSync(join(files, 'one'), '');
    const find = `find . -mindepth 1 -print0 | sort -z`;
    const {code} = await shell(
      `cd ${files} && ${find} | ${program} produce -q -s ${stream} --input text --separator '\\0' --field path`,
      {server},
    );
    expect(code).toBe(0);
    expect(await contents(stream)).toEqual([
      ['path', './one'],
      ['path', './two\nlines'],
    ]);
  });

  it('takes any separator, with escapes', async () => {
    const stream = newStream();
    const flags = ['-s', stream, '-q', '--input', 'text', '--separator'];
    expect((await produce([...flags, '\\r\\n--\\x41'], 'one\r\n--Atwo\nlines\r\n--A')).code).toBe(0);
    expect((await produce([...flags, '\\n'], 'three\n\nfour')).code).toBe(0);
    expect(await contents(stream)).toEqual(['one', 'two\nlines', 'three', 'four'].map((text) => ['data', text]));
  });
});

describe('flags that say nothing about the input', () => {
  it.each([
    [['--delimiter', ';'], '--delimiter goes with --input csv'],
    [['--short-rows', 'fill'], '--short-rows goes with --input csv'],
    [['--separator', '\\0'], '--separator goes with --input text'],
    [['--input', 'csv', '--delimiter', ';;'], '--delimiter takes one ASCII character, such as ; or \\t, not ";;"'],
    [['--input', 'csv', '--delimiter', ''], '--delimiter takes one ASCII character'],
    [['--input', 'csv', '--delimiter', '"'], '--delimiter takes one ASCII character'],
    [['--input', 'csv', '--delimiter', '\\n'], '--delimiter takes one ASCII character'],
    [['--input', 'csv', '--delimiter', 'é'], '--delimiter takes one ASCII character'],
    [['--input', 'text', '--separator', ''], '--separator takes a text'],
    [['--input', 'text', '--separator', '\\q'], '--separator takes a text'],
    [
      ['--input', 'text', '--separator', '\\0', '--resume', '--file', 'x'],
      '--resume continues behind a line; it does not go with --separator',
    ],
    [
      ['--input', 'text', '--separator', '\\0', '--follow', 'x'],
      '--follow continues behind a line; it does not go with --separator',
    ],
  ])('%j is refused', async (args, message) => {
    const {code, stderr} = await produce(args, '{"a":1}\n');
    expect(code).toBe(2);
    expect(stderr).toContain(`streamlog: ${message}`);
  });
});
