/** The command wherever it stands, and words that are no command, as they are typed by people who know other programs. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {FlagTable} from '../../src/lib/cli/command-index.js';
import {findCommand} from '../../src/lib/cli/command-search.js';
import {ELSEWHERE, OTHERS, REDIS_WORDS} from '../../src/lib/cli/neighbour-words.js';
import {jsonLines} from '../support/json-lines.js';
import {manifest} from '../support/manifest.js';
import {serverForAll} from '../support/redis-server.js';
import {RUNTIMES, shell, streamlog} from '../support/run-cli.js';
import {onTerminal, unsafeIn} from '../support/terminal.js';

/** Of the build, which is no TypeScript. */
const SCRIPT = '../../scripts/command-index.js';
const {flagTable}: {flagTable(commands: {id: string; facts: object}[]): FlagTable} = await import(SCRIPT);

const server = serverForAll();
const table = flagTable(Object.entries(manifest.commands).map(([id, facts]) => ({id, facts})));
const names = Object.keys(manifest.commands).map((id) => id.replaceAll(':', ' '));

describe('flags before the command', () => {
  it('go behind it, whichever they are and whatever their values look like', () => {
    const value = fc.constantFrom(...names.flatMap((name) => name.split(' ')), 'x', '-', '');
    const commandLine = fc.constantFrom(...Object.keys(table)).chain((id) => {
      const flag = fc
        .tuple(fc.constantFrom(...Object.entries(table[id]!), ['--json', false] as const), value, fc.boolean())
        .map(([[name, takesValue], text, attached]) => {
          if (!Object.hasOwn(table[id]!, name) || !takesValue) return Object.hasOwn(table[id]!, name) ? [name] : [];
          return attached && name.startsWith('--') ? [`${name}=${text}`] : [name, text];
        });
      const flags = fc.array(flag, {maxLength: 4}).map((all) => all.flat());
      return fc.tuple(fc.constant(id), flags, flags, fc.array(value, {maxLength: 2}));
    });
    fc.assert(
      fc.property(commandLine, ([id, before, between, rest]) => {
        const [first, second] = id.split(':');
        const argv = [...before, first!, ...(second === undefined ? between : [...between, second]), ...rest];
        expect(findCommand(argv, table)).toEqual([id, ...before, ...between, ...rest]);
      }),
      {numRuns: 2000},
    );
  });

  it.each(RUNTIMES)('run the command as if they stood behind it, in %s', async (_, program) => {
    await server.redis.flushall();
    await server.redis.xadd('tail', '1-0', 'n', '1');
    const {code, stdout, stderr} = await shell(
      `for line in "-u ${server.url} -s tail --json info" "-s tail -u ${server.url} group --json list" "--json -qn1 -s tail tail --no-follow"; do
         ${program} $line || exit; done`,
      {server},
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(jsonLines(stdout).map(({stream}) => stream)).toEqual(['tail', 'tail']);
  });

  it('without a command are a usage error', async () => {
    for (const args of [['-s', 'info'], ['--json'], ['--'], ['--', 'info']])
      expect(await streamlog(args)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('no command is given\n'),
      });
    expect((await streamlog(['-v'])).stderr).toContain('hint: streamlog version prints the version\n');
  });
});

describe('the version', () => {
  it('is printed by --version, -V and version', async () => {
    const {version} = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    const {code, stdout} = await streamlog(['--version']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^streamlog/${version} \\S+ \\S+\\n$`))]);
    for (const args of [['-V'], ['version'], ['--json', '--version']])
      expect(await streamlog(args)).toMatchObject({code: 0, stdout});
  });
});

const HELPED: [line: string, subject: string][] = [
  ['-h info', 'info'],
  ['info orders -h', 'info'],
  ['-u redis://x -h info', 'info'],
  ['group list orders --help', 'group list'],
  ['group -h list', 'group list'],
  ['-s x group list -h', 'group list'],
  ['group -h', 'group'],
  ['-h group', 'group'],
  ['help -h', 'help'],
  ['consume --name help -h', 'consume'],
];

describe('-h', () => {
  it.each(HELPED)('streamlog %s', async (line, subject) => {
    const {code, stdout} = await streamlog(line.split(' '));
    expect([code, stdout]).toEqual([0, (await streamlog(['help', ...subject.split(' ')])).stdout]);
  });

  it('with a host, as redis-cli takes it, names the flag that does', async () => {
    expect(await streamlog(['-h', '10.0.0.1', '-p', '6380', 'info'])).toMatchObject({
      code: 2,
      stderr:
        'streamlog: no command "10.0.0.1"\nhint: -h shows help; -u redis://HOST:PORT, or --url, names the server\n',
    });
  });
});

describe('words of other programs', () => {
  it('are no commands of ours, and lead to commands that exist', () => {
    for (const word of [...ELSEWHERE.flatMap(([others]) => others), ...Object.keys(REDIS_WORDS)]) {
      expect(names).not.toContain(word);
      expect(manifest.pjson.oclif.topics).not.toHaveProperty([word]);
    }
    expect(new Set(OTHERS).size).toBe(OTHERS.length);
    const hints = [
      ...ELSEWHERE.map(([, hint]) => hint),
      ...Object.values(REDIS_WORDS).map((name) => `streamlog ${name}`),
    ];
    for (const hint of hints) {
      const meant = [...hint.matchAll(/streamlog ((?:(?:group|dlq|local) )?[a-z]+)/g)].map(([, name]) => name!);
      expect(meant.length).toBeGreaterThan(0);
      for (const name of meant) expect([...names, ...Object.keys(manifest.pjson.oclif.topics!)], hint).toContain(name);
    }
  });

  it.each<[line: string, typed: string, hint: string]>([
    ['xadd events type=x', 'xadd', 'streamlog produce is XADD'],
    ['XINFO GROUPS orders', 'XINFO', 'streamlog group list is XINFO GROUPS'],
    ['xrevrange', 'xrevrange', 'streamlog range --reverse is XREVRANGE'],
    [
      'rm orders',
      'rm',
      'streamlog delete removes entries, streamlog trim the oldest ones, streamlog group remove a group',
    ],
    ['list', 'list', 'streamlog ls lists the streams'],
    ['pubish', 'pubish', 'streamlog produce adds entries'],
    ['stream info orders', 'stream', 'did you mean "info"?'],
    ['topic list', 'topic', 'streamlog ls lists the streams'],
    ['group ls', 'group ls', 'did you mean "group list"?'],
    ['group xyz', 'group xyz', 'see: streamlog group --help'],
    ['dlq retry', 'dlq retry', 'did you mean "dlq redrive"?'],
    ['TAIL', 'TAIL', 'did you mean "tail"?'],
    ['help xadd', 'xadd', 'streamlog produce is XADD'],
    ['delivery', 'delivery', 'did you mean "help delivery"?'],
    ['__proto__', '__proto__', 'see: streamlog --help'],
    ['redis://u:geheim@h info', 'redis://…@h', 'a server is named by -u URL, or --url'],
  ])('streamlog %s', async (line, typed, hint) => {
    const expected = {code: 2, stdout: '', stderr: `streamlog: no command "${typed}"\nhint: ${hint}\n`};
    expect(await streamlog(line.split(' '))).toMatchObject(expected);
    const shown = await onTerminal(line.split(' '));
    expect([shown.text.replace(/\u001b\[\d+m/g, ''), unsafeIn(shown.text)]).toEqual([expected.stderr, []]);
  });

  it.each<[line: string, message: string, hint: string]>([
    ['tail --topic x', 'unknown flag --topic', '-s, or --stream, names the stream'],
    ['consume -G g', 'unknown flag -G', '-g, or --group, names the group'],
    [
      'tail -t x --from-beginning',
      'unknown flags -t, --from-beginning',
      '-s, or --stream, names the stream; --from start begins with the first entry',
    ],
    ['info -p 6379', 'unknown flag -p', '-u redis://HOST:PORT, or --url, names the server'],
    [
      'ls --password=geheim',
      'unknown flag --password=…',
      'a password comes from --password-file or STREAMLOG_PASSWORD',
    ],
    ['dlq show -n 3', 'unknown flag -n', '--limit says how many'],
    ['range --maxlen 3', 'unknown flag --maxlen', 'see: streamlog range --help'],
    ['--strem x tail', 'unknown flag --strem', 'did you mean --stream?'],
    ['info --version', 'unknown flag --version', 'streamlog version prints the version'],
    [
      'ls a.txt b.txt',
      'unexpected argument: b.txt',
      'give one pattern, in quotes: the shell replaces it by names of files',
    ],
  ])('streamlog %s', async (line, message, hint) => {
    expect(await streamlog(line.split(' '))).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `streamlog: ${message}\nhint: ${hint}\n`,
    });
  });
});
