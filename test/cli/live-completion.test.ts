/** `completion --live`: names that exist, in real shells; and nothing at all where there is no answer. */
import {mkdtempSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {RUNTIMES, shell as run, streamlog} from '../support/run-cli.js';
import {InteractiveShell, type ShellName} from '../support/shells.js';

const server = serverForAll();
const NAMES = ['orders:eu', 'e\u0301te\u0301', 'two words', "it's", 'a$b`c', 'ünï', 'back\\slash'];
/** Not to be offered: they would be flags, change the screen, or mean something else. */
const UNFIT = ['-x', 'line\nfeed', 'esc\u001b[2J', '{"$b64":"AA=="}', Buffer.from([0x6e, 0xff]), 'n'.repeat(10_240)];

beforeAll(async () => {
  for (const stream of [...NAMES, ...UNFIT]) {
    await server.redis.xadd(stream, '15-0', 'n', '1');
    await server.redis.xgroup('CREATE', stream, 'billing', '0');
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'STREAMS', stream, '>');
  }
});

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
});
afterEach(() => rmSync(cache, {recursive: true, force: true}));

/** Where an answer is expected, however busy the machine is. */
const PATIENT = ['--limit', '60000'];

const complete = (words: string[], env: Record<string, string> = {}) =>
  streamlog(['__complete', ...words.slice(0, 1), ...PATIENT, ...words.slice(1)], {
    server,
    env: {XDG_CACHE_HOME: cache, ...env},
  });
const NOTHING = {code: 0, stdout: '', stderr: ''};

describe.each<ShellName>(['bash', 'fish', 'zsh'])('%s', (name) => {
  let shell: InteractiveShell;
  beforeAll(async () => {
    shell = await InteractiveShell.start(name, {STREAMLOG_URL: server.url}, 60_000);
  });
  afterAll(() => shell?.end());

  it.each([
    ['streamlog tail ord', 'streamlog tail orders:eu'],
    ['streamlog tail orders:', 'streamlog tail orders:eu'],
    ['streamlog tail two', 'streamlog tail two\\ words'],
    ["streamlog tail 'two w", "streamlog tail 'two words'"],
    ['streamlog tail it', "streamlog tail it\\'s"],
    ['streamlog tail "it', 'streamlog tail "it\'s"'],
    ['streamlog produce -s ün', 'streamlog produce -s ünï'],
    ['streamlog produce --stream=ord', 'streamlog produce --stream=orders:eu'],
    ['streamlog info orders:eu two', 'streamlog info orders:eu two\\ words'],
    ['streamlog consume -s orders:eu -g b', 'streamlog consume -s orders:eu -g billing'],
    ["streamlog consume 'two words' -g billing --name w", "streamlog consume 'two words' -g billing --name w1"],
    ['streamlog group seek -s two\\ words bil', 'streamlog group seek -s two\\ words billing'],
    ['streamlog ack -s orders:eu -g billing 1', 'streamlog ack -s orders:eu -g billing 15-0'],
    ['streamlog tail nosuch', 'streamlog tail nosuch'],
    ['streamlog tai', 'streamlog tail'],
    // Flags may stand before the command, and before its second word.
    ['streamlog -u redis://h:1 tai', 'streamlog -u redis://h:1 tail'],
    ['streamlog -q --connect-timeout=1s tail ord', 'streamlog -q --connect-timeout=1s tail orders:eu'],
    ['streamlog -s ord', 'streamlog -s orders:eu'],
    ['streamlog --stream=ord', 'streamlog --stream=orders:eu'],
    ['streamlog -s orders:eu group seek bil', 'streamlog -s orders:eu group seek billing'],
    ['streamlog group -s orders:eu see', 'streamlog group -s orders:eu seek'],
    ['streamlog --tra', 'streamlog --trace'],
  ])('%s', async (line, expected) => {
    expect(await shell.completed(line)).toBe(expected);
  });

  it('runs nothing of what was typed', async () => {
    await shell.completed('streamlog tail -s $(touch EVIL) ord');
    expect(readdirSync(cache)).not.toContain('EVIL');
    expect(shell.screen()).not.toMatch(/error|usage/i);
  });

  it('goes on at once where Redis is stopped, or there is none', async () => {
    const stopped = await InteractiveShell.start(name, {STREAMLOG_URL: server.url});
    const none = await InteractiveShell.start(name, {STREAMLOG_URL: `unix://${cache}/none`});
    try {
      server.process.kill('SIGSTOP');
      expect(await stopped.completed('streamlog tail ord')).toBe('streamlog tail ord');
      expect(await none.completed('streamlog tail ord')).toBe('streamlog tail ord');
      expect(stopped.screen() + none.screen()).not.toMatch(/streamlog:|hint:/);
    } finally {
      server.process.kill('SIGCONT');
      await Promise.all([stopped.end(), none.end()]);
    }
  });
});

describe('names', () => {
  it('are those that begin with the prefix and that a shell can hold', async () => {
    const {stdout} = await complete(['stream', '--', '', 'tail']);
    expect(stdout.split('\n').filter(Boolean).sort()).toEqual([...NAMES].sort());
    expect((await complete(['stream', '--', 't', 'tail'])).stdout).toBe('two words\n');
    expect((await complete(['stream', '--', '*', 'tail'])).stdout).toBe('');
  });

  it.each(RUNTIMES)('are found by %s', async (_, program) => {
    const done = await run(`${program} __complete stream --limit 60000 -- ord tail`, {
      server,
      env: {XDG_CACHE_HOME: cache},
    });
    expect(done).toMatchObject({code: 0, stdout: 'orders:eu\n', stderr: ''});
  });

  it('are quoted for bash so that it reads the same names', async () => {
    const {stdout} = await complete(['stream', '--shell', 'bash', '--', '', 'tail']);
    const read = await run(`printf '%s\\n' ${stdout.split('\n').join(' ')}`);
    expect(read.stdout.split('\n').filter(Boolean).sort()).toEqual([...NAMES].sort());
  });

  it('are of the server, stream and group that the line names, wherever it does', async () => {
    await server.redis.xgroup('CREATE', 'ünï', 'only-here', '0');
    for (const line of [
      ['pending', '-s', 'ünï', '-g'],
      ['-s', 'ünï', 'pending', '-g'],
      ['pending', 'ünï', '-g'],
    ])
      expect((await complete(['group', '--', 'only', ...line])).stdout).toBe('only-here\n');
    const other = ['stream', '--', 'ord', '-u', server.url, 'tail'];
    expect(
      (
        await streamlog(['__complete', ...other.slice(0, 1), ...PATIENT, ...other.slice(1)], {
          env: {STREAMLOG_URL: 'redis://127.0.0.1:1', XDG_CACHE_HOME: cache},
        })
      ).stdout,
    ).toBe('orders:eu\n');
  });

  it('are at most 200 of 100,000, in pages', async () => {
    await server.redis.eval("for i = 1, 100000 do redis.call('XADD', 'many:' .. i, '1-0', 'n', i) end", 0);
    await server.redis.config('RESETSTAT');
    const {stdout} = await complete(['stream', '--', 'many:', 'tail']);
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(200);
    const [, calls] = /cmdstat_scan:calls=(\d+)/.exec(await server.redis.info('commandstats'))!;
    expect(Number(calls)).toBeLessThanOrEqual(200);
    await server.redis.eval("for i = 1, 100000 do redis.call('UNLINK', 'many:' .. i) end", 0);
  });

  it('of a group with very many consumers are not asked for', async () => {
    await server.redis.xgroup('CREATE', 'crowded', 'g', '0', 'MKSTREAM');
    await server.redis.eval(
      "for i = 1, 6000 do redis.call('XGROUP', 'CREATECONSUMER', 'crowded', 'g', 'c' .. i) end",
      0,
    );
    await server.redis.config('RESETSTAT');
    expect(await complete(['consumer', '--', '', 'consume', 'crowded', '-g', 'g', '--name'])).toMatchObject(NOTHING);
    expect(await server.redis.info('commandstats')).not.toContain('xinfo|consumers');
    await server.redis.del('crowded');
  });
});

describe('the cache', () => {
  it('is for its user alone, and answers without the server', async () => {
    await complete(['stream', '--', 'o', 'tail']);
    const directory = join(cache, 'streamlog');
    const [file] = readdirSync(directory);
    expect([statSync(directory).mode & 0o777, statSync(join(directory, file!)).mode & 0o777]).toEqual([0o700, 0o600]);
    server.process.kill('SIGSTOP');
    try {
      for (const prefix of ['o', 'ord'])
        expect((await complete(['stream', '--', prefix, 'tail'])).stdout).toBe('orders:eu\n');
      expect(
        await streamlog(['__complete', 'stream', '--', 't', 'tail'], {server, env: {XDG_CACHE_HOME: cache}}),
      ).toMatchObject(NOTHING);
    } finally {
      server.process.kill('SIGCONT');
    }
    writeFileSync(join(directory, file!), '[{"atMs":1');
    expect((await complete(['stream', '--', 'o', 'tail'])).stdout).toBe('orders:eu\n');
  });

  it('is left out where it cannot be written', async () => {
    writeFileSync(join(cache, 'streamlog'), '');
    expect((await complete(['stream', '--', 'o', 'tail'])).stdout).toBe('orders:eu\n');
  });
});

describe('nothing is printed, and the exit code is 0,', () => {
  const FAILURES: [what: string, words: string[], env?: Record<string, string>][] = [
    ['without words', []],
    ['for a kind that is unknown', ['planet', '--', '']],
    ['for a shell that is unknown', ['stream', '--shell', 'csh', '--', '']],
    ['for a flag that is unknown', ['--planet', 'stream', '--', '']],
    ['without a prefix', ['stream', '--']],
    ['for a word that only the shell could expand', ['stream', '--shell', 'bash', '--', 'o', 'tail', '-s', '$x']],
    ['for an address that is none', ['stream', '--', 'o', 'tail'], {STREAMLOG_URL: 'nonsense://x'}],
    ['for a password file that waits for its writer', ['stream', '--', 'o', 'tail', '--password-file', '/dev/stdin']],
    ['where the user has no home', ['stream', '--', 'x', 'tail'], {XDG_CACHE_HOME: '', HOME: '/nonexistent'}],
    ['for a stream that does not exist', ['group', '--', '', 'info', 'nosuch', '-g']],
    ['for a key that is no stream', ['id', '--', '', 'get', '-s', 'text']],
  ];
  it.each(FAILURES)('%s', async (_, words, env) => {
    await server.redis.set('text', 'x');
    expect(await complete(words, env)).toMatchObject(NOTHING);
  });

  it.each(RUNTIMES)('for a prefix that is not UTF-8, in %s', async (_, program) => {
    const done = await run(`${program} __complete stream -- $'\\xff' tail`, {server, env: {XDG_CACHE_HOME: cache}});
    expect(done).toMatchObject(NOTHING);
  });

  it.each(RUNTIMES)('where the server accepts and says nothing, or wants a password, in %s', async (_, program) => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const {port} = silent.address() as {port: number};
    await server.redis.config('SET', 'requirepass', 'geheim');
    try {
      for (const url of [`redis://127.0.0.1:${port}`, server.url])
        expect(
          await run(`${program} __complete stream -- o tail </dev/null`, {
            env: {STREAMLOG_URL: url, XDG_CACHE_HOME: cache},
          }),
        ).toMatchObject(NOTHING);
    } finally {
      await server.redis.config('SET', 'requirepass', '');
      silent.close();
    }
  });
});

describe('contexts', () => {
  beforeEach(() => {
    const config = (text: string) => writeFileSync(join(cache, 'config.toml'), text);
    config(`[context.local]\nurl = "${server.url}"\nstream = "ünï"\ngroup = "billing"\n
[context.asks]\nurl = "${server.url}"\npassword_command = ["touch", "${cache}/ASKED"]\n`);
  });
  const within = (words: string[], env: Record<string, string> = {}) =>
    complete(words, {STREAMLOG_URL: '', STREAMLOG_CONFIG: join(cache, 'config.toml'), ...env});

  it('complete from the configuration alone', async () => {
    expect((await within(['context', '--', '', 'context', 'use'])).stdout).toBe('asks\nlocal\n');
    expect((await within(['context', '--', 'l', 'tail', '-C'])).stdout).toBe('local\n');
  });

  it('say which server, stream and group is meant', async () => {
    expect((await within(['stream', '--', 'ord', 'tail', '-C', 'local'])).stdout).toBe('orders:eu\n');
    expect((await within(['consumer', '--', '', 'consume', '--name'], {STREAMLOG_CONTEXT: 'local'})).stdout).toBe(
      'w1\n',
    );
  });

  it('with a command that prints the password have no names: it is not run', async () => {
    expect(await within(['stream', '--', 'o', '-C', 'asks', 'tail'])).toMatchObject(NOTHING);
    expect(readdirSync(cache)).not.toContain('ASKED');
  });
});
