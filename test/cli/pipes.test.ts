import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {idsIn} from '../support/json-lines.js';
import {serverForAll, until} from '../support/redis-server.js';
import {EXECUTABLE, RUNTIMES, shell, startShell, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamlog-pipes-'));
});
afterAll(async () => {
  rmSync(directory, {recursive: true, force: true});
});

const numbered = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => `${from + index}-0`);
const lines = (count: number): string => Array.from({length: count}, (_, index) => `{"n":${index + 1}}\n`).join('');

async function add(stream: string, count: number, value = 'x'): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (const id of numbered(1, count)) pipeline.xadd(stream, id, 'n', value);
  await pipeline.exec();
}

/** None before the group is made. */
const pendingIds = async (stream: string): Promise<string[]> => {
  const rows = await server.redis.xpending(stream, 'streamlog', '-', '+', 100_000).catch(() => []);
  return (rows as [string][]).map(([id]) => id);
};

/** What was delivered to the group and is not pending any more. */
async function acknowledgedIds(stream: string): Promise<string[]> {
  const [group = []] = (await server.redis.xinfo('GROUPS', stream)) as unknown[][];
  const delivered = Number.parseInt(String(group[group.indexOf('last-delivered-id') + 1] ?? 0), 10);
  const pending = new Set(await pendingIds(stream));
  return numbered(1, delivered).filter((id) => !pending.has(id));
}

describe('a reader that goes away', () => {
  it('does not stop produce: every record is added', async () => {
    writeFileSync(path('lines'), lines(20_000));
    const result = await shell(`set -o pipefail; streamlog produce -s ids < ${path('lines')} | head -n 1`, {server});
    expect(result.code).toBe(0);
    expect(result.stdout.split('\n')).toHaveLength(2);
    expect(result.stderr).toBe('streamlog: read 20000, added 20000, rejected 0, unconfirmed 0\n');
    expect(await server.redis.xlen('ids')).toBe(20_000);
  });

  it('ends consume quietly; what was not written is pending or unread, and comes again', async () => {
    await add('head', 5_000, 'x'.repeat(200));
    const {code, stdout, stderr} = await shell('set -o pipefail; streamlog consume -s head --name w1 | head -n 5', {
      server,
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(idsIn(stdout)).toEqual(numbered(1, 5));
    // A pipe holds some more than its reader reads; nothing beyond that may count as taken.
    const acknowledged = await acknowledgedIds('head');
    expect(acknowledged.length).toBeLessThan(1_000);
    const rest = await streamlog(['consume', '-s', 'head', '--name', 'w1', '--exit'], {server});
    expect(new Set([...acknowledged, ...idsIn(rest.stdout)])).toEqual(new Set(numbered(1, 5_000)));
  });

  it('ends consume on a stream that stays idle', async () => {
    await add('idle', 1);
    const {code, stdout} = await shell(
      'streamlog consume -s idle --name w1 | { read -r line; echo "$line"; exec <&-; }; wait',
      {
        server,
      },
    );
    expect([code, idsIn(stdout)]).toEqual([0, ['1-0']]);

    const running = startStreamlog(['consume', '-s', 'idle', '--name', 'w1'], {server});
    await until(async () => (await server.redis.info('clients')).includes('blocked_clients:1'), 'it waits for entries');
    running.process.stdout.destroy();
    expect(await running.finished).toMatchObject({code: 0, stderr: ''});
  });

  it('ends consume with entries in hand: they stay pending', async () => {
    await add('in hand', 3, 'x'.repeat(1_000_000));
    const running = startStreamlog(['consume', '-s', 'in hand', '--name', 'w1'], {server});
    running.process.stdout.pause();
    await until(async () => (await pendingIds('in hand')).length > 0, 'the first entry is delivered');
    running.process.stdout.destroy();
    expect(await running.finished).toMatchObject({code: 0, stderr: ''});
    expect(await acknowledgedIds('in hand')).toEqual([]);
  });
});

describe('a reader that is slow', () => {
  /** Starts consume with a real pipe to `cat`, and gives the process IDs of both. */
  async function intoCat(stream: string, ...args: string[]) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is bash
    const script = 'mkfifo "$1"; cat < "$1" > "$2" & echo "$!" > "$3"; exec "${@:4}" > "$1"';
    const name = path(stream);
    const command = [EXECUTABLE, 'consume', '-s', stream, '--name', 'w1', ...args];
    const child = spawn('bash', ['-c', script, 'bash', `${name}.pipe`, `${name}.out`, `${name}.pid`, ...command], {
      env: {PATH: process.env.PATH, STREAMLOG_URL: server.url},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    // Its output is created once the pipe is open at both ends; stopped before that, it would hold up the start of consume.
    await until(() => readable(`${name}.pid`).endsWith('\n') && existsSync(`${name}.out`), 'cat reads');
    const catPid = Number(readable(`${name}.pid`));
    return {child, ended, catPid, printed: () => readable(`${name}.out`)};
  }

  const isRunning = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  const readable = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };

  /** Of consume to the server; one of them is for reads that block. */
  const connections = async (): Promise<number> =>
    String(await server.redis.client('LIST'))
      .split('\n')
      .filter((line) => / name=streamlog[ :]/.test(line)).length;

  /** Waits until the group has been given nothing new for some reads in a row. */
  async function untilStalled(stream: string): Promise<number> {
    const delivered = async (): Promise<number> =>
      (await acknowledgedIds(stream)).length + (await pendingIds(stream)).length;
    let seen = [-1];
    await until(async () => {
      seen = [...seen.slice(-20), await delivered()];
      return seen.length > 20 && seen.every((count) => count === seen[0] && count > 0);
    }, 'no more is delivered');
    return seen[0]!;
  }

  it('holds consume back: reads stop, and a signal leaves all that it has not taken pending', async () => {
    await add('stopped', 20_000, 'x'.repeat(100));
    const {child, ended, catPid, printed} = await intoCat('stopped', '--drain', '300ms');
    process.kill(catPid, 'SIGSTOP');
    const delivered = await untilStalled('stopped');
    expect(delivered).toBeLessThan(20_000);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    const acknowledged = await acknowledgedIds('stopped');
    process.kill(catPid, 'SIGCONT');
    await until(() => !isRunning(catPid), 'cat has read all and ended');
    const lines = printed().split('\n');
    // The last line may be cut, where the pipe was full; its entry is pending.
    const complete = idsIn(lines.slice(0, -1).join('\n'));
    for (const id of acknowledged) expect(complete).toContain(id);
    expect(await pendingIds('stopped')).not.toEqual([]);
  });

  it.each(RUNTIMES)('ends at once at the second signal, %s', async (name, program) => {
    const stream = `second ${name}`;
    await add(stream, 20_000, 'x'.repeat(100));
    // A shell says 130 whether the process ended with that code or by the signal.
    const consume = `${program} consume -s '${stream}' --name w1 --drain 1h & echo $! >&2; wait $!; echo "code $?" >&2`;
    const running = startShell(consume, {server});
    running.process.stdout.pause();
    await until(() => running.stderr().includes('\n'), 'it has begun');
    const pid = Number(running.stderr());
    await untilStalled(stream);
    process.kill(pid, 'SIGTERM');
    await until(async () => (await connections()) === 1, 'it has let go of its blocking connection');
    process.kill(pid, 'SIGTERM');
    await until(() => running.stderr().includes('code'), 'it has ended');
    running.process.stdout.resume();
    expect((await running.finished).stderr).toContain('code 143\n');
    expect(await pendingIds(stream)).not.toEqual([]);
  });

  it('costs no memory, however much there is to read', async () => {
    await add('flat', 30_000, 'x'.repeat(1_000));
    const {child, catPid} = await intoCat('flat');
    process.kill(catPid, 'SIGSTOP');
    await untilStalled('flat');
    if (process.platform === 'linux') {
      const peakKb = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
      expect(peakKb).toBeLessThan(120 * 1024);
    }
    child.kill('SIGKILL');
    process.kill(catPid, 'SIGKILL');
  });
});

it.runIf(process.platform === 'linux')(
  '500,000 bad lines, and a slow reader of what is said of them, cost no memory',
  async () => {
    writeFileSync(path('bad'), 'bad\n'.repeat(500_000));
    const running = startStreamlog(['produce', '-s', 'bad', '--file', path('bad'), '--on-bad-line', 'skip'], {server});
    let peakKb = 0;
    let turns = 0;
    await until(() => {
      // Now it is read, and now it is not.
      if (turns++ % 10 === 0) running.process.stderr.pause();
      else if (turns % 10 === 5) running.process.stderr.resume();
      try {
        peakKb = Number(
          /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${running.process.pid}/status`, 'utf8'))?.[1] ?? peakKb,
        );
      } catch {}
      return running.process.exitCode !== null;
    }, 'it has ended');
    running.process.stderr.resume();
    const {stderr} = await running.finished;
    expect(stderr.split('\n')).toHaveLength(500_004);
    expect(stderr).toContain('bad lines 500000\n');
    expect(stderr).toMatch(/\nhint: this looks like text: .*\n$/);
    expect(peakKb).toBeLessThan(120 * 1024);
  },
);

describe('standard output', () => {
  it('holds data and nothing else, without colours', async () => {
    await add('pure', 3);
    const consumed = await streamlog(['consume', '-s', 'pure', '--exit', '-v'], {server});
    expect(consumed.stdout).toMatch(/^(\{[^\u001b]*\}\n){3}$/);
    const produced = await streamlog(['produce', '-s', 'pure', '-v'], {server, input: '{"a":1}\noops\n'});
    expect(produced.stdout).toMatch(/^\d+-\d+\n$/);
    const info = await streamlog(['info', '-s', 'pure'], {server});
    expect(JSON.parse(info.stdout)).toMatchObject({stream: 'pure', length: 4});
    expect(info.stderr).toBe('');
  });

  it('is complete, however much it is and however late its reader begins', async () => {
    await add('much', 3_000, 'x'.repeat(1_000));
    const running = startStreamlog(['consume', '-s', 'much', '--exit'], {server});
    running.process.stdout.pause();
    await until(async () => (await acknowledgedIds('much')).length > 10, 'it has written some');
    running.process.stdout.resume();
    expect(idsIn((await running.finished).stdout)).toEqual(numbered(1, 3_000));
  });
});

describe('pipelines', () => {
  it('copy a stream with its IDs from consume to produce', async () => {
    await add('original', 2_000);
    const line =
      'set -o pipefail; streamlog consume -s original --exit | streamlog produce -s copy --input envelope --keep-ids -q';
    expect((await shell(line, {server})).code).toBe(0);
    expect(await server.redis.xrange('copy', '-', '+')).toEqual(await server.redis.xrange('original', '-', '+'));
  });

  it('fail as a whole when one part fails', async () => {
    const {code} = await shell('set -o pipefail; echo oops | streamlog produce -s failing | cat', {server});
    expect(code).toBe(65);
  });
});
