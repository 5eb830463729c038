/** Compressed and wide input of `produce`, in files and pipes; the executable and the npm package. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import zlib from 'node:zlib';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, RUNTIMES, shell, startShell} from '../support/run-cli.js';

const server = serverForAll();
const RECORDS = 20_000;
const ndjson = Buffer.from(Array.from({length: RECORDS}, (_, n) => `{"n":${n}}\n`).join(''));
const gzip = zlib.gzipSync(ndjson);
let zstd: Buffer;
let directory: string;
let streams = 0;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-compressed-'));
  zstd = execFileSync('zstd', ['-c'], {input: ndjson, maxBuffer: 1e9});
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));

const newStream = (): string => `compressed-${++streams}`;
const EXECUTABLE = RUNTIMES[0]![1];
const hasZstd = (program: string): boolean => program === EXECUTABLE || 'createZstdDecompress' in zlib;

/** From a file, or from a pipe. */
async function produce(
  program: string,
  args: string,
  input: Buffer,
  from: 'file' | 'pipe' | 'redirected',
): Promise<Finished> {
  const path = join(directory, 'input');
  writeFileSync(path, input);
  const command = {
    file: `${program} produce ${args} --file ${path}`,
    pipe: `cat ${path} | ${program} produce ${args}`,
    redirected: `${program} produce ${args} < ${path}`,
  }[from];
  return shell(command, {server});
}

describe.each(RUNTIMES)('%s', (_, program) => {
  it.each(['file', 'pipe', 'redirected'] as const)(
    'reads gzip, whole members one after the other, from a %s',
    async (from) => {
      const stream = newStream();
      const input = Buffer.concat([gzip, zlib.gzipSync('{"n":"last"}'), Buffer.alloc(512)]);
      expect(await produce(program, `-q -s ${stream}`, input, from)).toMatchObject({code: 0, stderr: ''});
      const {redis} = server;
      expect(await redis.xlen(stream)).toBe(RECORDS + 1);
      expect((await redis.xrevrange(stream, '+', '-', 'COUNT', 2)).map(([, fields]) => fields)).toEqual([
        ['n', 'last'],
        ['n', `${RECORDS - 1}`],
      ]);
    },
  );

  it('reads zstd, or says what does', async () => {
    const stream = newStream();
    for (const from of ['file', 'pipe'] as const) {
      const {code, stderr} = await produce(program, `-s ${stream}`, Buffer.concat([zstd, zstd]), from);
      if (hasZstd(program)) {
        expect([code, stderr]).toEqual([
          0,
          `streamlog: read ${2 * RECORDS}, added ${2 * RECORDS}, rejected 0, unconfirmed 0\n`,
        ]);
      } else {
        expect(code).toBe(78);
        expect(stderr).toContain('is compressed with zstd, which this version of Node.js cannot read\nhint: ');
        expect(stderr).toContain(
          `zstd -dc${from === 'file' ? ` ${directory}/input` : ''} | streamlog produce -s ${stream}\n`,
        );
      }
    }
    expect(await server.redis.xlen(stream)).toBe(hasZstd(program) ? 4 * RECORDS : 0);
  });

  it('adds what is whole of gzip that is cut off, and ends with 65', async () => {
    const stream = newStream();
    const {code, stderr} = await produce(program, `-s ${stream}`, gzip.subarray(0, gzip.length >> 1), 'file');
    expect(code).toBe(65);
    const [, added] = /read (\d+), added \1, rejected 0, unconfirmed 0\n/.exec(stderr)!;
    expect(stderr).toMatch(/\nstreamlog: the gzip data of .*\/input is cut off\n$/);
    const entries = await server.redis.xrange(stream, '-', '+');
    expect(entries.map(([, fields]) => fields[1])).toEqual(Array.from({length: Number(added)}, (_, n) => `${n}`));
    expect(entries.length).toBeGreaterThan(RECORDS / 3);
  });

  it('reads UTF-16 by its mark, as NDJSON, CSV and text', async () => {
    const stream = newStream();
    const wide = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
    expect((await produce(program, `-q -s ${stream}`, wide('{"a":"é🙂"}\r\n'), 'pipe')).code).toBe(0);
    expect((await produce(program, `-q -s ${stream} --input csv`, wide('a,b\n1,é\n').swap16(), 'file')).code).toBe(0);
    expect((await produce(program, `-q -s ${stream} --input text`, wide('é\n'), 'redirected')).code).toBe(0);
    expect((await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields)).toEqual([
      ['a', 'é🙂'],
      ['a', '1', 'b', 'é'],
      ['data', 'é'],
    ]);
  });

  it('refuses what holds no lines, and adds nothing', async () => {
    const stream = newStream();
    const zip = Buffer.from('PK\x03\x04\x14\0\0\0', 'latin1');
    const fromFile = await produce(program, `-s ${stream} --on-bad-line skip`, zip, 'file');
    expect(fromFile.code).toBe(65);
    expect(fromFile.stderr).toBe(
      'streamlog: warning: read 0, added 0, rejected 0, unconfirmed 0\n' +
        `streamlog: ${directory}/input is a zip archive, not lines of text\n` +
        `hint: unzip -p ${directory}/input | streamlog produce -s ${stream}\n`,
    );
    const fromPipe = await produce(program, `-s ${stream}`, zip, 'pipe');
    expect(fromPipe.stderr).toContain(`hint: ... | funzip | streamlog produce -s ${stream}\n`);
    expect(await server.redis.exists(stream)).toBe(0);
  });

  it('adds each line of a gzip pipe as it comes, and those that came when a signal ends it', async () => {
    const stream = newStream();
    const running = startShell(`exec ${program} produce -s ${stream}`, {server});
    const compressor = zlib.createGzip();
    compressor.on('data', (chunk) => running.process.stdin.write(chunk));
    compressor.write('{"n":1}\n{"n":2}\n{"n":');
    compressor.flush();
    await expect.poll(() => server.redis.xlen(stream), {timeout: 30_000}).toBe(2);
    process.kill(running.process.pid!, 'SIGINT');
    const {code, stderr} = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('read 2, added 2, rejected 0, unconfirmed 0\n');
  });
});

describe('zstd', () => {
  const compressed = (flags: string[], input: Buffer): Buffer =>
    execFileSync('zstd', ['-c', ...flags], {input, maxBuffer: 1e9});

  it('that is cut off anywhere ends with 65, behind the records that could be read', async () => {
    const [checked, unchecked] = [zstd, compressed(['--no-check'], ndjson)];
    for (const data of [checked, unchecked]) {
      for (const end of [5, data.length >> 1, data.length - 1]) {
        const stream = newStream();
        const {code, stderr} = await produce(EXECUTABLE, `-s ${stream}`, data.subarray(0, end), 'pipe');
        expect(code).toBe(65);
        expect(stderr).toMatch(/\nstreamlog: the zstd data of standard input is cut off\n$/);
        const added = Number(/added (\d+)/.exec(stderr)![1]);
        expect(await server.redis.xlen(stream)).toBe(added);
        if (end > data.length / 2) expect(added).toBeGreaterThan(RECORDS / 2);
      }
    }
  });

  it('that is corrupt or followed by something else ends with 65', async () => {
    const changed = Buffer.from(zstd);
    changed[zstd.length - 2]! ^= 0xff;
    const corrupt = await produce(EXECUTABLE, `-s ${newStream()}`, changed, 'file');
    expect([corrupt.code, corrupt.stderr]).toEqual([65, expect.stringMatching(/the zstd data of .* is corrupt\n$/)]);
    const followed = await produce(EXECUTABLE, `-s ${newStream()}`, Buffer.concat([zstd, ndjson]), 'file');
    expect(followed.stderr).toContain(`read ${RECORDS}, added ${RECORDS}, rejected 0, unconfirmed 0\n`);
    expect(followed.stderr).toMatch(/is followed by something else\n$/);
  });

  it('may have many frames, frames to be skipped, blocks that are stored or repeat a byte, and zeros at its end', async () => {
    const skipped = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const few = Buffer.from('{"n":-1}\n');
    const long = Buffer.from(`{"n":"${'x'.repeat(300_000)}"}\n`);
    const frames = Array.from({length: 20}, () => compressed(['-19'], few));
    const input = Buffer.concat([skipped, ...frames, skipped, compressed(['--long=24'], long), zstd, Buffer.alloc(99)]);
    const stream = newStream();
    for (const from of ['file', 'pipe'] as const)
      expect((await produce(EXECUTABLE, `-q -s ${stream}`, input, from)).code).toBe(0);
    expect(await server.redis.xlen(stream)).toBe(2 * (RECORDS + 21));
  });
});

it('--resume refuses what it cannot continue in the middle of, and leaves no checkpoint', async () => {
  const path = join(directory, 'resumed');
  for (const [input, what] of [
    [gzip, 'gzip'],
    [zstd, 'zstd'],
    [Buffer.from('\ufeff{"a":1}\n', 'utf16le'), 'UTF-16LE'],
  ] as const) {
    writeFileSync(path, input);
    const {code, stderr} = await shell(`${EXECUTABLE} produce --file ${path} --resume`, {server});
    expect([code, stderr]).toEqual([
      2,
      `streamlog: --resume cannot continue in the middle of ${what}\n` +
        'hint: decompress or convert the file first, or use --exactly-once --producer-id ID\n',
    ]);
    expect(() => readFileSync(`${path}.checkpoint`)).toThrow('ENOENT');
  }
});

it('--exactly-once --producer-id adds what is missing of a compressed file', async () => {
  const stream = newStream();
  const args = `-s ${stream} --exactly-once --producer-id nightly`;
  expect((await produce(EXECUTABLE, args, gzip.subarray(0, gzip.length >> 1), 'file')).code).toBe(65);
  expect((await produce(EXECUTABLE, args, gzip, 'file')).code).toBe(0);
  const values = (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => Number(fields[1]));
  expect(values).toEqual(Array.from({length: RECORDS}, (_, n) => n));
});

it('data that grows a thousand times is read in flat memory', async () => {
  const path = join(directory, 'large.gz');
  writeFileSync(path, zlib.gzipSync(Buffer.from(`{"a":"${'x'.repeat(1024 ** 2)}"}\n`.repeat(300))));
  const running = startShell(`exec ${EXECUTABLE} produce -q -s large --maxlen 1 --file ${path}`, {server});
  running.process.stdin.end();
  const peaks: number[] = [];
  let ended = false;
  void running.finished.finally(() => {
    ended = true;
  });
  while (!ended) {
    peaks.push(peakMegabytes(running.process.pid!));
    await new Promise(setImmediate);
  }
  expect((await running.finished).code).toBe(0);
  expect(Math.max(...peaks)).toBeLessThan(250);
});

function peakMegabytes(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
