/** `produce --resume`: a file is added once from its first line to its last, in as many runs as it takes. */
import {execFileSync} from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {startProxy} from '../faults/support/proxy.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, RUNTIMES, shell, startShell, startStreamlog, streamlog} from '../support/run-cli.js';
import {startListener} from '../support/topologies.js';

const server = serverForAll();
let directory: string;
/** Of the test that runs: no two have a stream or a file in common. */
let stream: string;
let file: string;
let turn = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-resume-'));
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});
beforeEach(() => {
  turn++;
  stream = `s${turn}`;
  file = join(directory, `input${turn}`);
});

const ONCE = ['--exactly-once'];
const resume = (...args: string[]): Promise<Finished> =>
  streamlog(['produce', '-q', '-s', stream, '--file', file, '--resume', ...args], {server});
/** The same, with its notes. */
const resumeLoud = (...args: string[]): Promise<Finished> =>
  streamlog(['produce', '-s', stream, '--file', file, '--resume', ...args], {server});
const lines = (from: number, to: number): string => {
  let text = '';
  for (let n = from; n <= to; n++) text += `{"n":${n}}\n`;
  return text;
};
const valuesIn = async (name = stream): Promise<string[]> =>
  (await server.redis.xrange(name, '-', '+')).map(([, [, value]]) => value!);
const numbers = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => String(from + index));
const checkpoint = (): Record<string, unknown> => JSON.parse(readFileSync(`${file}.checkpoint`, 'utf8'));
const rewrite = (changes: Record<string, unknown>): void =>
  writeFileSync(`${file}.checkpoint`, JSON.stringify({...checkpoint(), ...changes}));
const fences = (): Promise<string[]> => server.redis.keys(`{${stream}}:streamlog:producer:*`);

const ways: [name: string, flags: string[]][] = [
  ['by XADD', []],
  ['--exactly-once', ONCE],
];

describe.each(ways)('%s', (_, flags) => {
  it('a run that ended well adds nothing when it is run again', async () => {
    writeFileSync(file, lines(1, 1_200));
    expect(await resume(...flags)).toMatchObject({code: 0, stderr: ''});
    const again = await resumeLoud(...flags);
    expect(again).toMatchObject({code: 0, stdout: ''});
    expect(again.stderr).toBe(
      `streamlog: read 0, added 0, rejected 0, unconfirmed 0\nstreamlog: ${file} was added completely before; nothing to do\n`,
    );
    expect(await valuesIn()).toEqual(numbers(1, 1_200));
  });

  it('a file that has grown: only the new lines are added', async () => {
    writeFileSync(file, lines(1, 10));
    await resume(...flags);
    for (const [from, to] of [
      [11, 20],
      [21, 21],
    ] as const) {
      appendFileSync(file, lines(from, to));
      expect((await resumeLoud(...flags)).stderr).toContain(`read ${to - from + 1}, added ${to - from + 1},`);
    }
    expect(await valuesIn()).toEqual(numbers(1, 21));
  });

  it('records that Redis rejected are added once the cause is mended', async () => {
    writeFileSync(file, lines(1, 1_200));
    await server.redis.set(stream, 'no stream');
    const refused = await resumeLoud(...flags);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain(`"${stream}" is not a stream`);
    await server.redis.del(stream);
    expect((await resume(...flags)).code).toBe(0);
    expect(await valuesIn()).toEqual(numbers(1, 1_200));
  });

  it('records that were left unconfirmed come with the next run', async () => {
    writeFileSync(file, lines(1, 5_000));
    const proxy = await startProxy(server);
    try {
      const cut = proxy.cutBefore(flags.length > 0 ? 'evalsha' : 'xadd', flags.length > 0 ? 3 : 700);
      const cutOff = cut.then(() => proxy.refuse());
      const {code, stderr} = await resumeLoud('--batch', '250', '--retry-for', '50ms', '--url', proxy.url, ...flags);
      await cutOff;
      expect(code).toBe(75);
      expect(stderr).toMatch(/read 5000, added \d+, rejected 0, unconfirmed \d+\n(.*\n)*hint: run the same again/);
    } finally {
      await proxy.stop();
    }
    expect((await resume(...flags)).code).toBe(0);
    expect([...new Set(await valuesIn())]).toEqual(numbers(1, 5_000));
    if (flags.length > 0) expect(await server.redis.xlen(stream)).toBe(5_000);
  });

  it('a line that is bad stops the run; mended, it is the first that is added', async () => {
    writeFileSync(file, `${lines(1, 3)}\n{"n":4\n${lines(5, 6)}`);
    expect((await resume(...flags)).code).toBe(65);
    expect(await valuesIn()).toEqual(numbers(1, 3));
    writeFileSync(file, `${lines(1, 3)}\n{"n":4}\n${lines(5, 6)}`);
    expect((await resume(...flags)).code).toBe(0);
    expect(await valuesIn()).toEqual(numbers(1, 6));
  });

  it('lines that were skipped are not met again, at the end of the file neither', async () => {
    writeFileSync(file, `${lines(1, 3)}bad\n\n${lines(4, 5)}worse\n`);
    const first = await resumeLoud('--on-bad-line', 'skip', ...flags);
    expect(first.code).toBe(65);
    expect(first.stderr).toContain('read 7, added 5, rejected 0, unconfirmed 0, bad lines 2');
    appendFileSync(file, lines(6, 6));
    const second = await resumeLoud('--on-bad-line', 'skip', ...flags);
    expect(second.code).toBe(0);
    expect(second.stderr).toBe('streamlog: read 1, added 1, rejected 0, unconfirmed 0\n');
    expect(await valuesIn()).toEqual(numbers(1, 6));
  });

  it.each<[input: string, first: string, more: string, values: string[]]>([
    ['text', 'a\n\nb\n', 'c\n', ['a', 'b', 'c']],
    ['csv', 'name\na\n"b\nb"\n', 'c\n', ['a', 'b\nb', 'c']],
    ['envelope', '{"fields":{"n":"a"}}\n', '{"id":"1-0","pairs":[["n","b"],["n","b"]]}\n', ['a', 'b']],
  ])('%s goes on with what it is', async (input, first, more, values) => {
    writeFileSync(file, first);
    expect((await resume('--input', input, ...flags)).code).toBe(0);
    appendFileSync(file, more);
    expect((await resume('--input', input, ...flags)).code).toBe(0);
    expect(await valuesIn()).toEqual(values);
  });
});

describe('a checkpoint that does not belong', () => {
  it.each<[what: string, change: () => void, said: string]>([
    ['a file that was changed', () => writeFileSync(file, lines(2, 11)), 'it differs where it was added already'],
    ['a file that was cut short', () => truncateSync(file, 20), 'it has 20 bytes, of which 81 were added'],
  ])('%s: 65, and nothing is added', async (_, change, said) => {
    writeFileSync(file, lines(1, 10));
    await resume();
    change();
    const {code, stderr} = await resumeLoud();
    expect(code).toBe(65);
    expect(stderr).toContain(said);
    expect(stderr).toContain('hint: remove its checkpoint to begin anew with line 1');
    expect(await valuesIn()).toEqual(numbers(1, 10));
  });

  it('a last line without newline that went on after it was added: 65', async () => {
    writeFileSync(file, 'one\ntwo');
    expect((await resume('--input', 'text', '--last-line')).code).toBe(0);
    appendFileSync(file, '-and-a-half\n');
    const {code, stderr} = await resumeLoud('--input', 'text');
    expect(code).toBe(65);
    expect(stderr).toContain('line 2 has become longer since it was added');
    writeFileSync(file, 'one\ntwo\nthree');
    expect((await resume('--input', 'text', '--last-line')).code).toBe(0);
    expect(await valuesIn()).toEqual(['one', 'two', 'three']);
  });

  it('another stream: 65, until another checkpoint is named', async () => {
    writeFileSync(file, lines(1, 3));
    await resume();
    const other = ['produce', '-s', `${stream}-other`, '--file', file, '--resume'];
    const {code, stderr} = await streamlog(other, {server});
    expect(code).toBe(65);
    expect(stderr).toContain(`it is about the stream "${stream}"`);
    expect(await server.redis.exists(`${stream}-other`)).toBe(0);
    expect((await streamlog([...other, '--checkpoint', `${file}.other`], {server})).code).toBe(0);
    expect(await valuesIn(`${stream}-other`)).toEqual(numbers(1, 3));
    expect(existsSync(`${file}.other`)).toBe(true);
  });

  it.each(['', '{', '[]', '{"version":2}', '{"version":1,"stream":"x"}', '\xff\xfe'])(
    'one that is broken (%j): 65, and it stays as it is',
    async (text) => {
      writeFileSync(file, lines(1, 3));
      writeFileSync(`${file}.checkpoint`, text);
      const {code, stderr} = await resumeLoud();
      expect(code).toBe(65);
      expect(stderr).toMatch(/it is no checkpoint of streamlog\nhint: name another with --checkpoint, or remove it/);
      expect(readFileSync(`${file}.checkpoint`, 'utf8')).toBe(text);
      expect(await server.redis.exists(stream)).toBe(0);
    },
  );

  it('what is no file and has no end: 65, at once', async () => {
    writeFileSync(file, lines(1, 3));
    const {code, stderr} = await resumeLoud('--checkpoint', '/dev/zero');
    expect(code).toBe(65);
    expect(stderr).toContain('it is no file');
  });

  it('an input that cannot be read twice: 2, and it is not read', async () => {
    expect((await shell(`streamlog produce -s ${stream} --resume --file - <<< '{"n":1}'`, {server})).code).toBe(2);
    expect((await shell(`streamlog produce -s ${stream} --resume --file <(echo '{"n":1}')`, {server})).code).toBe(2);
    expect(await server.redis.exists(stream)).toBe(0);
  });
});

describe.each(ways)('F35: a checkpoint that cannot be kept, %s', (_, flags) => {
  it('a disk that takes no more: 74, nothing is added, and the old one is intact', async () => {
    writeFileSync(file, lines(1, 10));
    await resume(...flags);
    const before = checkpoint();
    appendFileSync(file, lines(11, 20));
    const words = ['produce', '-s', stream, '--file', file, '--resume', ...flags].join(' ');
    const {code, stderr} = await shell(`ulimit -f 0; streamlog ${words}`, {server});
    expect(code).toBe(74);
    expect(stderr).toContain(`cannot keep the checkpoint ${file}.checkpoint: EFBIG`);
    expect(checkpoint()).toEqual(before);
    expect(await valuesIn()).toEqual(numbers(1, 10));
    expect(readdirSync(directory).filter((name) => name.startsWith(`${basename(file)}.`))).toEqual([
      `${basename(file)}.checkpoint`,
    ]);
    expect((await resume(...flags)).code).toBe(0);
    expect(await valuesIn()).toEqual(numbers(1, 20));
  });

  it('a directory that is missing: 74, and nothing is added', async () => {
    writeFileSync(file, lines(1, 10));
    expect((await resume('--checkpoint', join(directory, 'missing', 'checkpoint'), ...flags)).code).toBe(74);
    expect(await server.redis.exists(stream)).toBe(0);
  });
});

describe('a checkpoint in a directory where others make files', () => {
  it.each<[what: string, plant: (path: string) => void]>([
    ['a link to a file', (path) => symlinkSync(join(directory, 'target'), path)],
    ['a link to nowhere', (path) => symlinkSync(join(directory, 'nowhere'), path)],
    ['a FIFO', (path) => execFileSync('mkfifo', [path])],
    ['a directory', (path) => mkdirSync(path)],
    ['a device', (path) => symlinkSync('/dev/zero', path)],
  ])('%s in its place: 65, nothing is added, and nothing is written there', async (_, plant) => {
    writeFileSync(join(directory, 'target'), 'precious');
    writeFileSync(file, lines(1, 3));
    plant(`${file}.checkpoint`);
    const {code, stderr} = await resumeLoud();
    expect([code, stderr]).toEqual([65, expect.stringMatching(/cannot be used: it is (a symbolic link|no file)/)]);
    expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('precious');
    expect(existsSync(join(directory, 'nowhere'))).toBe(false);
    expect(await server.redis.exists(stream)).toBe(0);
  });

  it('is written to no name that anybody could have made before', async () => {
    writeFileSync(join(directory, 'target'), 'precious');
    symlinkSync(join(directory, 'target'), `${file}.checkpoint.new`);
    writeFileSync(file, lines(1, 3));
    expect((await resume()).code).toBe(0);
    expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('precious');
    expect(checkpoint()).toMatchObject({records: 3});
  });

  it('a file in the place of its lock stays as it is: 74', async () => {
    writeFileSync(`${file}.checkpoint.lock`, 'mine');
    writeFileSync(file, lines(1, 3));
    expect((await resume()).code).toBe(74);
    expect(readFileSync(`${file}.checkpoint.lock`, 'utf8')).toBe('mine');
  });
});

describe.each(RUNTIMES)('two runs on one checkpoint, %s', (_, command) => {
  it('the second one ends with 75 while the first one runs, and goes on when that was killed', async () => {
    writeFileSync(file, lines(1, 50));
    const silent = await startListener();
    const words = ['produce', '-s', stream, '--file', file, '--resume', ...ONCE].join(' ');
    const waiting = `--url redis://127.0.0.1:${silent.port} --connect-timeout 1h`;
    const first = startShell(`exec ${command} ${words} ${waiting}`, {server});
    await until(() => existsSync(`${file}.checkpoint.lock`), 'the first run has the checkpoint');
    const second = await shell(`${command} ${words}`, {server});
    expect([second.code, second.stderr]).toEqual([
      75,
      expect.stringContaining(`another run is using the checkpoint ${file}.checkpoint\nhint: `),
    ]);
    first.process.kill('SIGSTOP');
    expect((await shell(`${command} ${words}`, {server})).code).toBe(75);
    first.process.kill('SIGKILL');
    await first.finished;
    await silent.stop();
    expect(existsSync(`${file}.checkpoint.lock`)).toBe(true);
    expect((await shell(`${command} ${words} -q`, {server})).code).toBe(0);
    expect(await valuesIn()).toEqual(numbers(1, 50));
    expect(existsSync(`${file}.checkpoint.lock`)).toBe(false);
  });
});

describe('a file that is being written', () => {
  it.each<[input: string, written: string, rest: string, first: string[], then: string[]]>([
    ['text', 'one\ntwo\nthr', 'ee\nfour\n', ['one', 'two'], ['three', 'four']],
    ['ndjson', '{"n":"1"}\n{"n":"', '2"}\n', ['1'], ['2']],
    ['ndjson', '{"n":"1"}\n{"n":"2"}', '\n', ['1'], ['2']],
    ['csv', 'name\n"a\nb"\n"c\n', 'd"\ne\n', ['a\nb'], ['c\nd', 'e']],
    ['csv', 'name\nann', 'a\n', [], ['anna']],
  ])('an unfinished last line of %s (%j) waits for the next run', async (input, written, rest, first, then) => {
    writeFileSync(file, written);
    const before = await resumeLoud('--input', input, ...ONCE);
    expect([before.code, before.stderr]).toEqual([
      0,
      expect.stringContaining(`the last line of ${file} has no newline yet; it waits for the next run`),
    ]);
    expect(await valuesIn()).toEqual(first);
    appendFileSync(file, rest);
    const after = await resumeLoud('--input', input, ...ONCE);
    expect([after.code, after.stderr]).toEqual([0, expect.not.stringContaining('no newline')]);
    expect(await valuesIn()).toEqual([...first, ...then]);
  });

  it('--last-line takes it', async () => {
    writeFileSync(file, 'one\ntwo');
    expect((await resume('--input', 'text', '--last-line')).code).toBe(0);
    expect(await valuesIn()).toEqual(['one', 'two']);
  });

  it('one that is cut to nothing and written anew, as copytruncate does it: 65, however long it is by then', async () => {
    writeFileSync(file, lines(1, 10));
    await resume(...ONCE);
    for (const written of [lines(11, 12), lines(11, 40)]) {
      truncateSync(file);
      appendFileSync(file, written);
      expect((await resumeLoud(...ONCE)).code).toBe(65);
    }
    expect(await valuesIn()).toEqual(numbers(1, 10));
  });

  it('one whose name another file gets meanwhile is added to its end', async () => {
    writeFileSync(file, lines(1, 50));
    await server.redis.call('CLIENT', 'PAUSE', '100000', 'WRITE');
    const running = startStreamlog(['produce', '-q', '-s', stream, '--file', file, '--resume', ...ONCE], {server});
    await until(() => existsSync(`${file}.checkpoint.lock`), 'it has opened the file');
    renameSync(file, `${file}.1`);
    writeFileSync(file, lines(51, 52));
    appendFileSync(`${file}.1`, lines(53, 55));
    await server.redis.call('CLIENT', 'UNPAUSE');
    expect((await running.finished).code).toBe(0);
    expect((await valuesIn()).slice(0, 50)).toEqual(numbers(1, 50));
    expect(await valuesIn()).not.toContain('51');
    const after = ['produce', '-q', '-s', stream, '--file', `${file}.1`, '--checkpoint', `${file}.checkpoint`];
    expect((await streamlog([...after, '--resume', ...ONCE], {server})).code).toBe(0);
    expect(await valuesIn()).toEqual([...numbers(1, 50), '53', '54', '55']);
  });
});

it('a directory in which nobody can make a file: 74, and nothing is added', async () => {
  writeFileSync(file, lines(1, 3));
  expect((await resume('--checkpoint', '/proc/checkpoint')).code).toBe(74);
  expect(await server.redis.exists(stream)).toBe(0);
});

describe('a checkpoint and its fence', () => {
  /** As after a kill between the last batch and its checkpoint. */
  async function confirmedToHere(records: number, ...flags: string[]): Promise<void> {
    const all = readFileSync(file);
    writeFileSync(file, lines(1, records));
    await resume(...flags);
    writeFileSync(file, all);
  }

  it('records that were added and not yet confirmed are not added again', async () => {
    writeFileSync(file, lines(1, 10));
    await confirmedToHere(4, ...ONCE);
    const kept = readFileSync(`${file}.checkpoint`);
    await resume(...ONCE);
    writeFileSync(`${file}.checkpoint`, kept);
    const {code, stdout, stderr} = await resumeLoud(...ONCE);
    expect({code, stdout}).toEqual({code: 0, stdout: ''});
    expect(stderr).toBe('streamlog: read 6, added 0, already there 6, rejected 0, unconfirmed 0\n');
    expect(await valuesIn()).toEqual(numbers(1, 10));
    // And that is known from now on.
    expect(checkpoint()).toMatchObject({records: 10, line: 10});
  });

  it('a stream that has gone back gets what is missing', async () => {
    writeFileSync(file, lines(1, 10));
    await resume(...ONCE);
    // What a failover to a replica that lagged leaves: neither the last entries nor the mark that goes with them.
    const last = (await server.redis.xrevrange(stream, '+', '-', 'COUNT', 3)).map(([id]) => id);
    await server.redis.xdel(stream, ...last);
    await server.redis.hset((await fences())[0]!, 'mark', 7);
    appendFileSync(file, lines(11, 12));
    const {code, stderr} = await resumeLoud(...ONCE);
    expect(code).toBe(0);
    expect(stderr).toContain('read 12, added 5, already there 7,');
    expect(await valuesIn()).toEqual(numbers(1, 12));
    expect((await resumeLoud(...ONCE)).stderr).toContain('read 0,');
  });

  it('a server that has lost everything gets everything', async () => {
    writeFileSync(file, lines(1, 10));
    await resume(...ONCE);
    await server.redis.del(stream, ...(await fences()));
    expect((await resume(...ONCE)).code).toBe(0);
    expect(await valuesIn()).toEqual(numbers(1, 10));
  });

  it('a fence that has expired is no reason to add anything again', async () => {
    writeFileSync(file, lines(1, 10));
    await resume(...ONCE);
    await server.redis.del(...(await fences()));
    rewrite({at: Date.now() - 8 * 86_400_000});
    appendFileSync(file, lines(11, 12));
    expect((await resumeLoud(...ONCE)).stderr).toContain('read 2, added 2,');
    appendFileSync(file, lines(13, 13));
    expect((await resumeLoud(...ONCE)).stderr).toContain('read 1, added 1,');
    expect(await valuesIn()).toEqual(numbers(1, 13));
  });

  it('a fence that Redis has dropped, while the stream has its records, is no reason either, and is said', async () => {
    writeFileSync(file, lines(1, 200));
    expect((await resume(...ONCE)).code).toBe(0);
    await server.redis.del(await server.redis.keys(`{${stream}}:streamlog:producer:*`));
    appendFileSync(file, lines(201, 300));
    const {code, stderr} = await resumeLoud(...ONCE);
    expect(code).toBe(0);
    expect(stderr).toContain('Redis has forgotten this producer, though the stream has what it added');
    expect(await valuesIn()).toEqual(numbers(1, 300));
    // And what was trimmed was added, too.
    await server.redis.del(await server.redis.keys(`{${stream}}:streamlog:producer:*`));
    await server.redis.xtrim(stream, 'MAXLEN', 0);
    appendFileSync(file, lines(301, 310));
    expect((await resume(...ONCE)).code).toBe(0);
    expect(await valuesIn()).toEqual(numbers(301, 310));
  });

  it('to be used keeps a fence alive, also when there was nothing to add', async () => {
    writeFileSync(file, lines(1, 3));
    await resume(...ONCE);
    const [state] = await fences();
    await server.redis.expire(state!, 100);
    await resume(...ONCE);
    expect(await server.redis.ttl(state!)).toBeGreaterThan(6 * 86_400);
  });

  it('keeps no IDs for those who ask no more', async () => {
    writeFileSync(file, lines(1, 30));
    await resume('--batch', '1', ...ONCE);
    const [fence] = await fences();
    await server.redis.hset(fence!, 'ids:17', '1-1');
    await streamlog(['produce', '-s', stream, '--file', file, '--resume', '--batch', '1', ...ONCE], {server});
    expect(await server.redis.hkeys(fence!)).toEqual(expect.not.arrayContaining([expect.stringMatching('ids')]));
    appendFileSync(file, lines(31, 60));
    const {stdout} = await resumeLoud('--batch', '1', ...ONCE);
    expect(stdout.split('\n')).toHaveLength(31);
    expect(await server.redis.hkeys(fence!)).toEqual(expect.not.arrayContaining([expect.stringMatching('ids')]));
  });

  it('may be had later, and may be left out later: nothing is added twice', async () => {
    writeFileSync(file, lines(1, 3));
    for (const [to, flags] of [
      [3, []],
      [6, ONCE],
      [9, []],
      [12, ONCE],
      [15, [...ONCE, '--producer-id', `p${turn}`]],
      [18, [...ONCE, '--producer-id', `p${turn}`]],
    ] as const) {
      writeFileSync(file, lines(1, to));
      const {code, stderr} = await resumeLoud(...flags);
      expect([code, stderr]).toEqual([0, 'streamlog: read 3, added 3, rejected 0, unconfirmed 0\n']);
    }
    expect(await valuesIn()).toEqual(numbers(1, 18));
  });
});

it('IDs that are kept need --exactly-once, since Redis refuses them a second time', async () => {
  const envelope = (from: number, to: number): string =>
    numbers(from, to)
      .map((n) => `{"id":"${n}-1","fields":{"n":"${n}"}}\n`)
      .join('');
  writeFileSync(file, envelope(1, 5));
  const keeping = ['--input', 'envelope', '--keep-ids'];
  expect((await resume(...keeping)).code).toBe(2);
  expect((await resume(...keeping, ...ONCE)).code).toBe(0);
  // As after a kill before the first checkpoint.
  rewrite({bytes: 0, line: 0, records: 0});
  writeFileSync(file, envelope(1, 9));
  expect((await resume(...keeping, ...ONCE)).code).toBe(0);
  expect(await valuesIn()).toEqual(numbers(1, 9));
});

it('--resume needs --file, and --checkpoint needs --resume: 2', async () => {
  for (const args of [['--resume'], ['--checkpoint', 'x'], ['--resume', 'a=1']])
    expect((await streamlog(['produce', '-s', stream, ...args], {server, input: lines(1, 1)})).code).toBe(2);
  expect(await server.redis.exists(stream)).toBe(0);
});
