/** Contexts and configuration: how they are made, which one is used, and what they refuse. In both artefacts where a process is started. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {manifest} from '../support/manifest.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, RUNTIMES, type RunOptions, shell, startShell, streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

const server = serverForAll({tcp: true});
const other = serverForAll({tcp: true, password: 'zQ9x'});
let home: string;
let config: string;

beforeAll(async () => {
  await server.redis.xadd('orders', '1-0', 'a', '1');
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'streamlog-context-'));
  config = join(home, '.config/streamlog/config.toml');
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

function write(text: string, path = config, mode = 0o600): void {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, text);
  chmodSync(path, mode);
}

const run = (args: string, {env, ...options}: RunOptions = {}): Promise<Finished> =>
  shell(`streamlog ${args}`, {...options, env: {HOME: home, ...env}});

const here = (): string => `127.0.0.1:${server.port}`;
const prod = (more = ''): string =>
  `[context.prod]\nurl = "${here()}"\nstream = "orders"\ngroup = "billing"\n${more}\n`;

describe('context add, list, use, show, remove', () => {
  it('go from nothing to a current context and back', async () => {
    expect(await run('context list')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('no contexts'),
    });
    expect(
      JSON.parse((await run(`context add prod -u ${here()} -s orders -g billing --description 'the one'`)).stdout),
    ).toEqual({
      context: 'prod',
      file: config,
      replaced: false,
    });
    expect(statSync(config).mode & 0o777).toBe(0o600);
    await run(`context add dev -u ${here()}`);
    expect(JSON.parse((await run('context use prod')).stdout)).toEqual({context: 'prod', previous: null});
    expect((await run('range')).stdout).toContain('"stream":"orders"');
    expect(JSON.parse((await run('context use dev')).stdout)).toEqual({context: 'dev', previous: 'prod'});
    expect(JSON.parse((await run('context use -')).stdout)).toEqual({context: 'prod', previous: 'dev'});
    const listed = jsonLines((await run('context list')).stdout);
    expect(listed.map(({context, current}) => [context, current])).toEqual([
      ['dev', false],
      ['prod', true],
    ]);
    expect(await run('context remove prod')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('there is none now'),
    });
    expect((await run('context show')).stdout).not.toContain('context prod');
    expect(readFileSync(config, 'utf8')).toBe(`[context.dev]\nurl = "${here()}"\n`);
  });

  it('keep all other lines of the file, and what a link points to', async () => {
    const real = join(home, 'dotfiles.toml');
    const text = `# mine\n[alias]\nx = "ls" # short\n\n# about prod\n${prod()}`;
    write(text, real, 0o640);
    mkdirSync(dirname(config), {recursive: true});
    symlinkSync(real, config);
    await run('context add dev -u :1');
    expect(readFileSync(real, 'utf8')).toBe(`${text.trimEnd()}\n\n[context.dev]\nurl = ":1"\n`);
    await run('context remove prod');
    expect(readFileSync(config, 'utf8')).toBe('# mine\n[alias]\nx = "ls" # short\n\n[context.dev]\nurl = ":1"\n');
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });

  it('lose none of several that are added at once', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => run(`context add ${name} -u :1`)));
    const listed = jsonLines((await run('context list')).stdout);
    expect(listed.map(({context}) => context)).toEqual(names);
  });

  it.each([40, 80, 120])('are tables within %i columns', async (columns) => {
    write(
      `${prod()}description = "${'the one that matters '.repeat(8)}"\ncolor = "red"\n[context.${'long-'.repeat(12)}]\nurl = ":1"\n`,
    );
    await run('context use prod');
    for (const command of ['list', 'show']) {
      const {code, text} = await onTerminal(['context', command], {
        columns,
        env: {HOME: home, TERM: 'xterm', NO_COLOR: '1'},
      });
      expect(code).toBe(0);
      expect(text).toContain('prod');
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  });

  it('refuse a context that exists, a name and a URL that are none, and what is not there', async () => {
    write(prod());
    expect(await run('context add prod -u :1')).toMatchObject({code: 2, stderr: expect.stringContaining('--force')});
    expect(await run('context add prod -u :1 --force')).toMatchObject({code: 0});
    expect(readFileSync(config, 'utf8')).toBe('[context.prod]\nurl = ":1"\n');
    expect(await run("context add 'a b' -u :1")).toMatchObject({code: 2});
    expect(await run('context add x -u 6379')).toMatchObject({code: 78, stderr: expect.stringContaining(':6379')});
    expect(await run('context use prd')).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('did you mean prod?'),
    });
    expect(await run('context use -')).toMatchObject({code: 2});
    expect(await run('context remove none')).toMatchObject({code: 78});
  });

  it('make a file private when it gets a password, and show it nowhere', async () => {
    write('', config, 0o644);
    const added = await run('context add prod -u redis://:zQ9x@h');
    expect(statSync(config).mode & 0o777).toBe(0o600);
    const outputs = [
      added,
      await run('context list'),
      await run('context show prod'),
      await run('context show prod -v'),
    ];
    for (const {stdout, stderr} of outputs) expect(stdout + stderr).not.toContain('zQ9x');
    expect(outputs[2]!.stdout).toContain('in the URL');
  });
});

describe('the server', () => {
  it('is that of the context, of the flag, of the variable; and -v says so', async () => {
    write(`${prod()}[context.dev]\nurl = ":1"\n`);
    await run('context use dev');
    const which = async (args: string, env = {}): Promise<string> =>
      (await run(`ls -v ${args}`, {env})).stderr.split('\n')[0]!;
    expect(await which('')).toBe(
      'streamlog: cannot reach Redis at 127.0.0.1:1 (context dev of ~/.config/streamlog/config.toml): nothing listens there',
    );
    expect(await which('-C prod')).toContain(
      `server ${here()} (context prod of ~/.config/streamlog/config.toml, named by --context)`,
    );
    expect(await which('', {STREAMLOG_CONTEXT: 'prod'})).toContain('named by STREAMLOG_CONTEXT)');
    expect(await which(`-u ${here()} -C dev`)).toContain('(--url)');
    expect(await which('', {STREAMLOG_URL: here(), STREAMLOG_CONTEXT: 'dev'})).toContain('(STREAMLOG_URL)');
    expect(await which('', {REDIS_URL: here()})).toContain('127.0.0.1:1 (context dev');
    expect((await run('context show', {env: {STREAMLOG_URL: here()}})).stderr).toContain(
      'the current context dev is not used: STREAMLOG_URL names the server',
    );
  });

  it('is not the private one while a context is the current one, and local start says so', async () => {
    write(prod());
    await run('context use prod');
    expect((await run('local start')).stderr).toContain('commands use the current context prod, not it');
    expect((await run('range')).stdout).toContain('"1-0"');
    await run('local stop');
  });

  it('is tested by context test', async () => {
    write(prod());
    const {stdout, code} = await run('context test prod');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      context: 'prod',
      address: here(),
      server: expect.stringMatching(/, master$/),
    });
    expect(await run('context test -u :1')).toMatchObject({code: 69});
  });

  it('is another where the current context is gone: never silently', async () => {
    write(prod());
    await run('context use prod');
    rmSync(config);
    expect(await run('ls')).toMatchObject({code: 78, stderr: expect.stringContaining('context use --none')});
    expect(await run('context use --none')).toMatchObject({code: 0});
    expect((await run(`ls`, {env: {REDIS_URL: here()}})).code).toBe(0);
  });
});

describe('a project file', () => {
  it('gives context, stream and group below the root of its repository, and less than a variable', async () => {
    write(prod());
    const below = join(home, 'repo/src/deep');
    mkdirSync(below, {recursive: true});
    mkdirSync(join(home, 'repo/.git'));
    writeFileSync(join(home, 'repo/.streamlog.toml'), 'context = "prod"\nstream = "mine"\n');
    const show = async (cwd: string, env = {}): Promise<string> => (await run('context show', {cwd, env})).stdout;
    expect(await show(below)).toContain('"value":"mine","from":"~/repo/.streamlog.toml"');
    expect(await show(below)).toContain(`"value":"${here()}"`);
    expect(await show(below, {STREAMLOG_STREAM: 'set'})).toContain('"value":"set","from":"STREAMLOG_STREAM"');
    expect(await show(home)).not.toContain('mine');
  });

  it('of a directory that is no repository holds for that directory alone', async () => {
    mkdirSync(join(home, 'a/b'), {recursive: true});
    writeFileSync(join(home, 'a/.streamlog.toml'), 'stream = "mine"\n');
    expect((await run('context show', {cwd: join(home, 'a')})).stdout).toContain('mine');
    expect((await run('context show', {cwd: join(home, 'a/b')})).stdout).not.toContain('mine');
  });

  it('may not choose a server', async () => {
    writeFileSync(join(home, '.streamlog.toml'), 'url = "redis://evil"\n');
    expect(await run('ls', {cwd: home})).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('.streamlog.toml:1: url'),
    });
  });
});

describe('[defaults.COMMAND]', () => {
  beforeEach(() => write(`${prod()}[defaults.trim]\nmaxlen = 7\n[defaults.range]\ncount = 1\nreverse = true\n`));
  const facts = async (args: string, env = {}): Promise<Finished> => run(`${args} -C prod`, {env});

  it('stand in for flags that were not typed, and yield to those that exclude them', async () => {
    await server.redis.xadd('orders', '2-0', 'a', '2');
    expect((await facts('range')).stdout).toContain('"2-0"');
    expect((await facts('range --count 5')).stdout.split('\n')).toHaveLength(3);
    expect(await facts('trim --dry-run')).toMatchObject({code: 0});
    expect(await facts('trim --dry-run --max-age 1d --force')).toMatchObject({code: 0});
    await server.redis.xdel('orders', '2-0');
  });

  it.each([
    ['[defaults.range]\ncuont = 1', '--cuont; did you mean --count?'],
    ['[defaults.range]\ncount = "many"', ':2: --count takes a whole number'],
    ['[defaults.range]\nreverse = 1', '--reverse takes true or false'],
    ['[defaults.range]\nurl = ":1"', '--url has no default'],
  ])('%j is a mistake with a line', async (text, message) => {
    write(text);
    expect(await run(`range -u ${here()}`)).toMatchObject({code: 78, stderr: expect.stringContaining(message)});
  });

  it('never count as typed', async () => {
    write(`${prod()}[defaults.delete]\nstream = "others"\n`);
    // A record of another stream than the one that was typed is refused; this one was not typed.
    const record = '{"stream":"orders","id":"9-9","fields":{}}';
    expect(await run('delete --dry-run -C prod', {input: record})).toMatchObject({code: 66});
    expect(await run('delete --dry-run -C prod -s others', {input: record})).toMatchObject({code: 65});
  });
});

describe('an alias', () => {
  it('stands for a command and its arguments, wherever it is typed', async () => {
    write(
      `${prod()}[alias]\nlast = "range -- -1"\nfirst = ["range", "start", "--count", "1"]\nagain = "last"\nodd = "range '"\n`,
    );
    expect((await run('-C prod last')).stdout).toContain('"1-0"');
    expect((await run('first -C prod --format %o')).stdout).toBe('1-0');
    expect(await run('again')).toMatchObject({code: 78, stderr: expect.stringContaining('not with an alias')});
    expect(await run('odd')).toMatchObject({code: 78, stderr: expect.stringContaining('a quote is open')});
    expect(await run('lost')).toMatchObject({code: 2});
    expect((await run('first --help')).stdout).toBe((await run('range --help')).stdout);
  });
});

describe('a read-only context', () => {
  const writing = Object.entries(manifest.commands).filter(([, {flags}]) => 'write' in flags);

  it('is known to each command that writes, by --write', () => {
    const marked = Object.entries(manifest.commands).filter(
      ([, facts]) => (facts as {writes?: boolean}).writes === true,
    );
    expect(writing.map(([id]) => id)).toEqual(marked.map(([id]) => id));
    expect(writing.length).toBeGreaterThan(12);
  });

  it.each(writing)('refuses %s', async (id, {args: taken, flags}) => {
    write(prod('readonly = true'));
    const words: Record<string, string> = {
      ack: '1-0',
      archive: '--dir /dev/null',
      claim: '1-0 --to w',
      copy: '--to other',
      delete: '1-0',
      import: '/dev/null',
      'dlq:purge': '--force',
      'group:gc': '--idle 1h',
      'group:seek': '--to end',
      nack: '1-0',
      produce: 'a=1',
      serve: '--listen 127.0.0.1:0',
      trim: '--maxlen 1',
    };
    const command = `${id.replace(':', ' ')} ${words[id] ?? ''} -C prod`;
    expect(await run(command), JSON.stringify([taken, Object.keys(flags)])).toMatchObject({
      code: 77,
      stderr: `streamlog: context prod is read-only, and ${id.replace(':', ' ')} writes\nhint: if you mean it, add --write\n`,
    });
  });

  it('may be copied from, and not to', async () => {
    write(`${prod('readonly = true')}[context.copies]\nurl = "redis://${here()}/1"\n`);
    await server.redis.xadd('kept', '1-0', 'n', '1');
    expect(await run('copy kept -C prod --to-context copies')).toMatchObject({code: 0});
    expect(await run('copy kept -C prod --to-context copies --follow')).toMatchObject({code: 77});
    expect(await run('copy kept -C copies --to-context prod --to other')).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('context prod is read-only, and copy writes'),
    });
  });

  it('lets through what only looks, --dry-run and --write', async () => {
    write(prod('readonly = true'));
    expect(await run('range -C prod')).toMatchObject({code: 0});
    expect(await run('trim -C prod --maxlen 5 --dry-run')).toMatchObject({code: 0});
    expect(await run('trim -C prod --maxlen 5 --write')).toMatchObject({code: 0});
  });
});

describe('the banner of a context of production', () => {
  const env = (): Record<string, string> => ({HOME: home, TERM: 'xterm'});
  const BANNER = / production: prod .* 127\.0\.0\.1:\d+/;

  it.each([40, 80, 120])('stands before what a command writes, on a terminal of %i columns', async (columns) => {
    write(prod('production = true\ncolor = "magenta"'));
    const {text} = await onTerminal(['trim', '-C', 'prod', '--maxlen', '5'], {env: env(), columns});
    expect(text.split('\n')[0]).toMatch(BANNER);
    expect(text).toContain('\u001b[35m');
  });

  it('is hidden by nothing, and has no colour where none is wanted', async () => {
    write(prod('production = true'));
    const {text} = await onTerminal(['trim', '-C', 'prod', '--maxlen', '5', '--quiet'], {
      env: {...env(), NO_COLOR: '1'},
    });
    expect(text).toMatch(/^streamlog: {2}production: prod {2}127/);
  });

  it('does not come in a pipe, for what only looks, and for other contexts', async () => {
    write(`${prod('production = true')}[context.dev]\nurl = "${here()}"\nstream = "orders"\n`);
    expect((await run('trim -C prod --maxlen 5')).stderr).not.toContain('production');
    for (const args of [
      ['range', '-C', 'prod'],
      ['trim', '-C', 'dev', '--maxlen', '5'],
    ])
      expect((await onTerminal(args, {env: env()})).text).not.toContain('production');
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['broken', 'url = ', /config\.toml:1: this is no TOML/],
    [
      'with an unknown key',
      '[context.prod]\nurl = ":1"\n\n\ncolour = "red"',
      /config\.toml:5: context\.prod\.colour: unknown key; did you mean color\?/,
    ],
  ])('%s, is named with its line (78)', async (_, text, message) => {
    write(text);
    expect(await run(`ls -u ${here()}`)).toMatchObject({code: 78, stderr: expect.stringMatching(message)});
  });

  it('is said to be unreadable, not UTF-8 or a directory', async () => {
    write('', join(config, 'x'));
    expect(await run('ls')).toMatchObject({code: 78, stderr: expect.stringContaining('it is a directory')});
    rmSync(config, {recursive: true});
    write('# \xff');
    writeFileSync(config, Buffer.from([0x23, 0xff]));
    expect(await run('ls')).toMatchObject({code: 78, stderr: expect.stringContaining('it is not UTF-8')});
    expect(await run('ls', {env: {STREAMLOG_CONFIG: join(home, 'none.toml')}})).toMatchObject({code: 78});
  });

  it.runIf(process.getuid?.() !== 0)('is said to be one that may not be read', async () => {
    write(prod(), config, 0);
    expect(await run('ls')).toMatchObject({code: 78, stderr: expect.stringContaining('permission denied')});
  });

  it('is warned of where it holds a password and everyone can read it', async () => {
    write(`[context.prod]\nurl = "redis://:zQ9x@${here()}"\n`, config, 0o644);
    expect((await run(`ls -u ${here()}`)).stderr).toContain('every user of this machine can read');
    expect((await run(`ls -q -u ${here()}`)).stderr).toBe('');
    write(prod(), config, 0o644);
    expect((await run(`ls -u ${here()}`)).stderr).toBe('');
  });

  it('can still be edited', async () => {
    write('url =');
    const edited = join(home, 'edited.toml');
    writeFileSync(edited, prod());
    expect(await run('context edit', {env: {EDITOR: `cp ${edited}`}})).toMatchObject({code: 0});
    expect(readFileSync(config, 'utf8')).toBe(prod());
    expect(await run('context edit', {env: {EDITOR: 'false'}})).toMatchObject({code: 78});
    writeFileSync(edited, 'url =');
    const {code, stderr} = await run('context edit', {env: {EDITOR: `cp ${edited}`}});
    expect([code, stderr]).toEqual([78, expect.stringContaining('is as it was')]);
    expect(readFileSync(config, 'utf8')).toBe(prod());
  });
});

it('config.d is read too, and one name may be in one file', async () => {
  write(prod(), join(home, '.config/streamlog/config.d/shared.toml'));
  expect((await run('range -C prod')).stdout).toContain('"1-0"');
  write(prod());
  expect(await run('range -C prod')).toMatchObject({code: 78, stderr: expect.stringContaining('has this context too')});
});

it('without a home directory, nothing is looked for', async () => {
  const {code, stderr} = await streamlog(['ls', '-u', here()], {env: {HOME: ''}, cwd: '/'});
  expect([code, stderr]).toEqual([0, '']);
});

describe.each(RUNTIMES)('a password command, in %s', (_, program) => {
  const secret = (command: string): void =>
    write(`[context.safe]\nurl = "127.0.0.1:${other.port}"\npassword_command = ${command}\n`);
  const go = (options: RunOptions = {}): Promise<Finished> =>
    shell(`${program} ls -v --json -C safe`, {...options, env: {HOME: home, ...options.env}});

  it('gives the password, by its first line, without a shell', async () => {
    secret('["printf", "%s\\\\nmore", "zQ9x"]');
    const {code, stdout, stderr} = await go();
    expect([code, stdout + stderr]).toEqual([0, expect.not.stringContaining('zQ9x')]);
    secret('["echo", "$(echo zQ9x)"]');
    expect(await go()).toMatchObject({code: 77});
  });

  it('shows nothing of what it prints, however it fails, and does not read our input', async () => {
    secret('["sh", "-c", "echo zQ9x; echo zQ9x >&2; exit 3"]');
    const failed = await go({env: {DEBUG: '*'}});
    expect(failed).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(
        /^streamlog: the password command sh failed \(exit code 3\)\nhint: run it in a shell to /,
      ),
    });
    expect(failed.stdout + failed.stderr).not.toContain('zQ9x');
    secret('["sh", "-c", "cat"]');
    expect(await go({input: 'zQ9x\n'})).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('printed no password'),
    });
    secret('["no-such-program"]');
    expect(await go()).toMatchObject({code: 78, stderr: expect.stringContaining('does not exist')});
  });

  it('gets no secret of the environment', async () => {
    const seen = join(home, 'seen');
    secret(`["sh", "-c", "env > ${seen}; echo zQ9x"]`);
    await go({env: {STREAMLOG_SENTINEL_PASSWORD: 'hidden'}});
    expect(readFileSync(seen, 'utf8')).not.toContain('hidden');
  });

  it('ends with a signal', async () => {
    const started = join(home, 'started');
    secret(`["sh", "-c", "echo $$ > ${started}; exec sleep 1000"]`);
    const running = startShell(`exec ${program} ls -C safe`, {env: {HOME: home}});
    await until(() => existsSync(started) && readFileSync(started, 'utf8').endsWith('\n'), 'it runs');
    running.process.kill('SIGINT');
    expect((await running.finished).code).toBe(130);
    const pid = Number(readFileSync(started, 'utf8'));
    await until(() => !existsSync(`/proc/${pid}`), 'it has ended');
  });
});
