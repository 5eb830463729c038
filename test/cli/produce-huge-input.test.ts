/** Input of any size: refused or stored, and never kept whole where it need not be. */
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();

const produce = (args: readonly string[], input?: string | Buffer): Promise<Finished> =>
  streamlog(['produce', ...args], {server, input});

const GOOD = '{"good":1}\n';
const MEGABYTE = 1024 ** 2;

interface Flood extends Finished {
  peakMegabytes: number;
}

/** Sends so many megabytes of `filling` as one line, then a good line, and looks how large the process has become. */
async function flood(stream: string, filling: string, megabytes: number, ...args: string[]): Promise<Flood> {
  const running = startStreamlog(['produce', '-s', stream, '-q', '--on-bad-line', 'skip', ...args], {server});
  const {stdin, pid} = running.process;
  const chunk = Buffer.alloc(MEGABYTE, filling);
  for (let sent = 0; sent < megabytes; sent++) {
    if (!stdin.write(chunk)) await new Promise((resolve) => stdin.once('drain', resolve));
  }
  stdin.write(`\n${GOOD}`);
  await until(async () => (await server.redis.xlen(stream)) === 1, 'the next line is in the stream');
  const status = process.platform === 'linux' ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
  const peakMegabytes = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  stdin.end();
  return {...(await running.finished), peakMegabytes};
}

describe('a line over the limit is counted and not kept', () => {
  // 200 MB stand for any number: ten times as many take ten times as long, and no more memory.
  it.each([
    ['an endless line of text', 'x', 'ndjson'],
    ['nesting without end', '{', 'ndjson'],
    ['a string without end', '{"a":"', 'ndjson'],
    ['an endless line of bytes', '\u0000', 'text'],
  ])('%s', async (_, filling, kind) => {
    await server.redis.flushall();
    const {code, stderr, peakMegabytes} = await flood('huge', filling, 200, '--input', kind);
    expect(stderr).toContain(`${200 * MEGABYTE} bytes are more than --max-record-bytes (8388608)`);
    expect(stderr).not.toMatch(/^ +at |bug in streamlog/m);
    expect(code).toBe(65);
    expect(peakMegabytes).toBeLessThan(250);
  });
});

it('nesting without end that may be kept is refused all the same, where it is too deep', async () => {
  const {code, stderr} = await flood('deep', '[', 50, '--max-record-bytes', '100MB');
  expect(code).toBe(65);
  expect(stderr).toMatch(/skipped line 1 column 1: a record is a JSON object: .*, near "\[{24}"\n/);
});

describe('a large record', () => {
  it('of 10 MB is stored where --max-record-bytes allows it, to the last byte', async () => {
    const value = 'x'.repeat(10_000_000);
    const {code} = await produce(['-s', 'large', '-q', '--max-record-bytes', '20MB'], `{"a":"${value}"}\n`);
    expect(code).toBe(0);
    expect((await server.redis.xrange('large', '-', '+'))[0]![1][1] === value).toBe(true);
  });

  it('of 100,000 fields is stored, and printed again', async () => {
    const fields = Object.fromEntries(Array.from({length: 100_000}, (_, index) => [`f${index}`, String(index)]));
    expect((await produce(['-s', 'wide', '-q'], `${JSON.stringify(fields)}\n`)).code).toBe(0);
    const {code, stdout} = await streamlog(['range', '-s', 'wide'], {server});
    expect(code).toBe(0);
    expect(JSON.stringify(JSON.parse(stdout).fields) === JSON.stringify(fields)).toBe(true);
  });

  it('is refused from the byte on that is too much', async () => {
    expect((await produce(['-s', 'limit', '--max-record-bytes', '10'], '{"a":1234}\n')).code).toBe(0);
    expect((await produce(['-s', 'limit', '--max-record-bytes', '10'], '{"a":12345}\n')).code).toBe(65);
    expect(await server.redis.xlen('limit')).toBe(1);
  });
});
