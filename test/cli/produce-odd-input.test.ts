/** What looks wrong and is right: odd input that is stored as it is, and comes out again as it was. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, shell, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
let streams = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-odd-'));
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});

const newStream = (): string => `odd-${++streams}`;
const produce = (args: readonly string[], input?: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input});
const range = async (stream: string): Promise<string[]> =>
  (await streamlog(['range', '-s', stream], {server})).stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\{"stream":"[^"]*","id":"[^"]*",/, '{'));

describe('a line of NDJSON', () => {
  it.each([
    ['a byte order mark in front', '\ufeff{"a":1}\n', [['a', '1']]],
    ['a byte order mark in a value', '{"a":"\ufeff"}\n', [['a', '\ufeff']]],
    ['CRLF', '{"a":1}\r\n{"b":2}\r\n', [['a', '1'], ['b', '2']]], // biome-ignore format: a row
    ['CR between tokens', '{\r"a"\r:1}\r\n', [['a', '1']]],
    ['no newline at the end', '{"a":1}\n{"b":2}', [['a', '1'], ['b', '2']]], // biome-ignore format: a row
    ['blank lines, and lines of space', '\n \t\n{"a":1}\n\r\n\n', [['a', '1']]],
    ['NUL, escaped', '{"a\\u0000":"\\u0000"}\n', [['a\0', '\0']]],
    ['a surrogate pair, escaped', '{"a":"\\ud83d\\ude42"}\n', [['a', '🙂']]],
    ['half a surrogate pair in a nested value', '{"a":{"\\ud800": ["\\udc00"]}}\n', [['a', '{"\\ud800":["\\udc00"]}']]],
    ['__proto__ and its like', '{"__proto__":"1","constructor":"2","toString":{"__proto__":3}}\n', [
      ['__proto__', '1', 'constructor', '2', 'toString', '{"__proto__":3}'],
    ]], // biome-ignore format: a row
    ['empty names and values', '{"":""}\n', [['', '']]],
    ['numbers, as they are written', '{"a":12345678901234567890,"b":1e400,"c":-0,"d":1.0,"e":1E+2}\n', [
      ['a', '12345678901234567890', 'b', '1e400', 'c', '-0', 'd', '1.0', 'e', '1E+2'],
    ]], // biome-ignore format: a row
    ['the same key in a nested value twice', '{"a":{"b":1,"b":2}}\n', [['a', '{"b":1,"b":2}']]],
    ['control characters of eight bits', '{"a":"\u0085\u009b\u2028\u007f"}\n', [['a', '\u0085\u009b\u2028\u007f']]],
  ] as [string, string, string[][]][])('%s', async (_, input, expected) => {
    const stream = newStream();
    const {code, stderr} = await produce(['-s', stream, '-q'], input);
    expect([code, stderr]).toEqual([0, '']);
    expect((await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields)).toEqual(expected);
  });
});

describe('a line of text', () => {
  it.each([
    ['CR, lone and in front of the newline', 'a\rb\r\n', Buffer.from('a\rb\r')],
    ['NUL', 'a\0b\n', Buffer.from('a\0b')],
    ['bytes that are not UTF-8', Buffer.from([0xfe, 0xfd, 0x00, 0x0a]), Buffer.from([0xfe, 0xfd, 0x00])],
    ['a byte order mark in the second line', 'x\n\ufeffb\n', Buffer.from('\ufeffb')],
    ['space alone', ' \n', Buffer.from(' ')],
  ])('%s is kept as it is', async (_, input, expected) => {
    const stream = newStream();
    expect((await produce(['-s', stream, '-q', '--input', 'text'], input)).code).toBe(0);
    const entries = (await server.redis.xrangeBuffer(stream, '-', '+')) as unknown as [Buffer, Buffer[]][];
    expect(entries.at(-1)![1][1]).toEqual(expected);
  });
});

describe('what others put into a stream comes out as it is', () => {
  it.each([
    ['bytes that are not UTF-8', ['a', Buffer.from([0xff])], '{"fields":{"a":{"$b64":"/w=="}}}'],
    ['a name that is not UTF-8', [Buffer.from([0xff]), 'a'], '{"pairs":[[{"$b64":"/w=="},"a"]]}'],
    ['a name that comes twice', ['a', '1', 'a', '2'], '{"pairs":[["a","1"],["a","2"]]}'],
    [
      '__proto__ and its like',
      ['__proto__', 'x', 'constructor', 'y'],
      '{"fields":{"__proto__":"x","constructor":"y"}}',
    ],
    ['empty names and values', ['', ''], '{"fields":{"":""}}'],
    ['NUL and newlines', ['a\0', 'b\nc'], '{"fields":{"a\\u0000":"b\\nc"}}'],
    ['half a surrogate pair in bytes', ['a', Buffer.from([0xed, 0xa0, 0x80])], '{"fields":{"a":{"$b64":"7aCA"}}}'],
  ] as [string, (string | Buffer)[], string][])('%s, and back again', async (_, fields, printed) => {
    const {redis} = server;
    const [stream, copy] = [newStream(), newStream()];
    await redis.xadd(stream, '1-1', ...fields);
    expect(await range(stream)).toEqual([printed]);
    const {stdout} = await streamlog(['range', '-s', stream], {server});
    expect((await produce(['-s', copy, '-q', '--input', 'envelope', '--keep-ids'], stdout)).code).toBe(0);
    expect(await redis.xrangeBuffer(copy, '-', '+')).toEqual(await redis.xrangeBuffer(stream, '-', '+'));
  });
});

describe('standard input', () => {
  const nothing = {code: 0, stdout: '', stderr: 'streamlog: read 0, added 0, rejected 0, unconfirmed 0\n'};

  it('that is nothing is empty', async () => {
    expect(await shell('streamlog produce -s closed </dev/null', {server})).toMatchObject(nothing);
  });

  it('that is a directory cannot be read: 74', async () => {
    const {code, stderr} = await shell(`streamlog produce -s directory < ${directory}`, {server});
    expect(code).toBe(74);
    expect(stderr).toContain('streamlog: cannot read standard input: it is a directory\n');
  });
});
