/** What people try first, and what they are to type instead: input of another format, files as arguments, JSON as an argument. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, RUNTIMES, shell, streamlog} from '../support/run-cli.js';
import {onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
let directory: string;
let streams = 0;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-mistakes-'));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(directory, name), content);
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));

const newStream = (): string => `mistake-${++streams}`;
const produce = (args: readonly string[], input?: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input, cwd: directory});
const contents = async (stream: string): Promise<string[][]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields);

const FILES: Record<string, string | Buffer> = {
  'users.csv': 'id,name\n1,bob\n2,al\n',
  'app.log': '2024-01-01 10:00:00,123 INFO started\n2024-01-01 10:00:01,001 INFO a, b\n',
  'array.json': '[{"a":1},{"a":2}]\n',
  'pretty.json': '{\n  "a": 1\n}\n{\n  "a": 2\n}\n',
  'pretty array.json': '[\n  {\n    "a": 1\n  }\n]\n',
  'events.ndjson': '{"a":1}\n{"a":2}\n',
  '-data.json': '[{"a":3}]\n',
  'random.bin': Buffer.from(Array.from({length: 400}, (_, index) => (index * 149 + 7) % 256)),
};

describe('an input of another format ends with 65 at its first line', () => {
  it.each([
    ['users.csv', 'this looks like CSV: add --input csv'],
    ['app.log', 'this looks like text: add --input text to store each line in a field'],
    ['array.json', "this looks like a JSON array: {jq -c '.[]'}"],
    ['pretty.json', 'this looks like JSON over several lines: {jq -c .}'],
    ['pretty array.json', "this looks like a JSON array: {jq -c '.[]'}"],
  ])('%s, as a file and in a pipe, and the hint says what to do', async (file, hint) => {
    const stream = newStream();
    const named = file.includes(' ') ? `'${file}'` : file;
    const fromFile = await produce(['-s', stream, '--file', file]);
    const fromPipe = await produce(['-s', stream], FILES[file]);
    const jq = (before: string, argument: string) =>
      hint.replace(/\{(.*)\}/, (_, command) => `${before}${command}${argument} | streamlog produce -s ${stream}`);
    for (const [{code, stdout, stderr}, expected] of [
      [fromFile, jq('', ` ${named}`)],
      [fromPipe, jq('... | ', '')],
    ] as const) {
      expect([code, stdout]).toEqual([65, '']);
      expect(stderr).toMatch(
        /^streamlog: warning: read 1, added 0, rejected 0, unconfirmed 0, bad lines 1\nstreamlog: line 1 /,
      );
      expect(stderr).toMatch(new RegExp(`\nhint: ${expected.replace(/[.[\]|]/g, '\\$&')}\n$`));
      expect(stderr.split('\n')).toHaveLength(4);
    }
    expect(await server.redis.exists(stream)).toBe(0);
  });

  it('what the hint says does work', async () => {
    const stream = newStream();
    const run = (command: string): Promise<Finished> => shell(command, {server, cwd: directory});
    await run('gzip -c array.json > array.gz; iconv -t UTF-16 array.json | gzip -c > wide.gz');
    for (const file of ['array.json', 'pretty.json', "'pretty array.json'", 'array.gz', 'wide.gz', '-data.json']) {
      const {stderr} = await run(`streamlog produce -s ${stream} --file=${file}`);
      expect(await run(/^hint: .*: (.*jq .*)$/m.exec(stderr)![1]!)).toMatchObject({code: 0});
    }
    expect(await contents(stream)).toEqual([1, 2, 1, 2, 1, 1, 2, 1, 2, 3].map((value) => ['a', `${value}`]));
  });

  it('with --on-bad-line skip the hint comes at the end, and each line is still named', async () => {
    const {code, stderr} = await produce(['--on-bad-line', 'skip'], FILES['users.csv']);
    expect(code).toBe(65);
    expect(stderr.match(/skipped line \d/g)).toEqual(['skipped line 1', 'skipped line 2', 'skipped line 3']);
    expect(stderr).toMatch(/\nstreamlog: 3 of 3 lines were skipped\nhint: this looks like CSV: add --input csv\n$/);
  });

  it('binary data is called that, and none of it is printed', async () => {
    const {code, stderr} = await produce([], FILES['random.bin']);
    expect(code).toBe(65);
    expect(stderr).toContain('\nstreamlog: line 1: this is binary data, not lines of text\nhint: ');
    expect(stderr).not.toMatch(/\\x|near/);
  });

  it('NDJSON that is read as CSV is called that', async () => {
    const {code, stderr} = await produce(['--input', 'csv'], FILES['events.ndjson']);
    expect(code).toBe(65);
    expect(stderr).toContain('\nhint: this looks like NDJSON: leave out --input csv\n');
    const array = await produce(['-s', 'x', '--input', 'csv', '--file', 'array.json']);
    expect(array.stderr).toContain(
      "hint: this looks like a JSON array: jq -c '.[]' array.json | streamlog produce -s x\n",
    );
  });

  it('a bad line behind a record gets the usual hint', async () => {
    const {code, stderr} = await produce(['-s', newStream(), '-q'], '{"a":1}\n[{"a":1}]\n');
    expect(code).toBe(65);
    expect(stderr).toContain('hint: everything before it was added; --on-bad-line skip goes on past bad lines\n');
  });

  it.each([40, 80, 120])('and on a terminal of %i columns the hint is one line that can be copied', async (columns) => {
    const shown = await onTerminal(['produce', '--file', join(directory, 'array.json')], {
      server,
      columns,
      env: {NO_COLOR: '1'},
    });
    expect(shown.code).toBe(65);
    expect(shown.text).toContain(
      `\nhint: this looks like a JSON array: jq -c '.[]' ${directory}/array.json | streamlog produce\n`,
    );
    expect(unsafeIn(shown.text)).toEqual([]);
  });
});

describe('a file as an argument', () => {
  it.each([
    [['events.ndjson'], 'to read it: streamlog produce -s x --file events.ndjson'],
    [['users.csv'], 'to read it: streamlog produce -s x --input csv --file users.csv'],
    [['app.log'], 'to read it: streamlog produce -s x --input text --file app.log'],
    [['pretty array.json'], "to read it: jq -c '.[]' 'pretty array.json' | streamlog produce -s x"],
    [['events.ndjson', 'array.json'], 'to read the files: cat events.ndjson array.json | streamlog produce -s x'],
  ])('%j is refused, with what reads it', async (args, hint) => {
    const {code, stdout, stderr} = await produce(['-s', 'x', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`streamlog: "${args[0]}" is a file, not field=value\nhint: ${hint}\n`);
  });

  it('among fields is refused', async () => {
    const {code, stderr} = await produce(['type=login', 'events.ndjson']);
    expect([code, stderr]).toEqual([
      2,
      'streamlog: "events.ndjson" is a file, not field=value\nhint: give field=value arguments or --file, not both\n',
    ]);
  });

  it('that does not exist is no field', async () => {
    const {code, stderr} = await produce(['missing.ndjson']);
    expect(code).toBe(2);
    expect(stderr).toContain('"missing.ndjson" is not field=value\nhint: write streamlog produce type=login');
  });
});

describe('a JSON object as an argument', () => {
  it.each(RUNTIMES)('is one record (%s)', async (_, program) => {
    const stream = newStream();
    const {code, stdout} = await shell(`${program} produce -s ${stream} '{"a":1,"b":{"c": [2]},"d":"x=y"}'`, {server});
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+-\d+\n$/);
    expect(await contents(stream)).toEqual([['a', '1', 'b', '{"c":[2]}', 'd', 'x=y']]);
  });

  it('goes with --count, --id, --null and --input envelope', async () => {
    const stream = newStream();
    const json = '{"id":"1-1","fields":{"a":null,"b":{"$b64":"/w=="}}}';
    expect((await produce(['-s', stream, '--count', '2', '{"a":1}'])).code).toBe(0);
    expect((await produce([`--stream=${stream}-id`, '--id', '7-7', '{"a":1}'])).stdout).toBe('7-7\n');
    expect((await produce(['-s', stream, '--input', 'envelope', '--null', 'none', json])).code).toBe(0);
    expect(await contents(stream)).toEqual([
      ['a', '1'],
      ['a', '1'],
      ['a', 'none', 'b', expect.anything()],
    ]);
  });

  it.each([
    [['{"a":1}', 'b=2'], 'give one JSON object or field=value arguments, not both'],
    [['{"a":1}', '{"a":2}'], 'give one JSON object as an argument'],
    [['{"a":1'], 'the argument is not a record: column 7: expected , or }, but the line ends'],
    [['{}'], 'the argument is not a record: column 1: an entry needs at least one field'],
    [['{"a":null}'], 'the argument is not a record: column 6: null cannot be stored; say with --null what to store'],
  ])('%j is refused', async (args, message) => {
    const {code, stderr} = await produce(args);
    expect(code).toBe(2);
    expect(stderr).toContain(`streamlog: ${message}`);
  });

  it('is not a field whose name begins with a brace', async () => {
    const stream = newStream();
    expect((await produce(['-s', stream, '{name}=1'])).code).toBe(0);
    expect(await contents(stream)).toEqual([['{name}', '1']]);
  });
});
