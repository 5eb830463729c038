/** Manual pages, as the build writes them and as `streamlog man` prints them. */
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {CommandIndex} from '../../src/lib/cli/command-index.js';
import {manPage} from '../../src/lib/cli/man-page.js';
import {manifest} from '../support/manifest.js';
import {RUNTIMES, shell, streamlog} from '../support/run-cli.js';

const DIRECTORY = join(import.meta.dirname, '../../dist/man');
const commands = Object.entries(manifest.commands).filter(([, {hidden}]) => !hidden);
const pageOf = (words: readonly string[]): string => ['streamlog', ...words].join('-');
const subjects = [
  [],
  ...Object.keys(manifest.pjson.oclif.topics!).map((topic) => [topic]),
  ...commands.map(([id]) => id.split(':')),
];

const env = {PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', MANWIDTH: '200'};
const run = (line: string, file: string): string => execFileSync('sh', ['-c', line, file], {encoding: 'utf8', env});
/** What man(1) shows, and what it complains about. */
function manOf(file: string): {text: string; complaints: string} {
  const {stdout, stderr} = spawnSync('man', ['--warnings', '-l', file], {encoding: 'utf8', env});
  return {text: stdout, complaints: stderr};
}
const lint = (file: string): string => run('mandoc -T lint -W style "$0"; true', file);

it('the build writes one for the program, each topic and each command', () => {
  expect(readdirSync(DIRECTORY).sort()).toEqual(subjects.map((words) => `${pageOf(words)}.1`).sort());
});

it('mandoc finds nothing to say of any', () => {
  for (const name of readdirSync(DIRECTORY)) expect(lint(join(DIRECTORY, name))).toBe('');
});

it.each(commands)(
  'that of %s has its flags, arguments and examples, as man shows it',
  (id, {flags, args, examples = []}) => {
    const file = join(DIRECTORY, `${pageOf(id.split(':'))}.1`);
    const {text, complaints} = manOf(file);
    expect(complaints).toBe('');
    for (const [name, {hidden}] of Object.entries(flags)) if (!hidden) expect(text).toContain(`--${name}`);
    for (const name of Object.keys(args)) expect(text).toContain(name.toUpperCase());
    for (const example of examples)
      if (typeof example !== 'string')
        expect(text).toContain(example.command.replaceAll('<%= config.bin %>', 'streamlog'));
  },
);

it.each(RUNTIMES)('streamlog man prints the same, in %s', async (_, program) => {
  for (const words of [[], ['group'], ['group', 'create'], ['produce']]) {
    const {code, stdout, stderr} = await shell(`${program} man ${words.join(' ')}`);
    expect([code, stderr, stdout]).toEqual([0, '', readFileSync(join(DIRECTORY, `${pageOf(words)}.1`), 'utf8')]);
  }
});

it('of a command that does not exist is a usage error that names the nearest', async () => {
  expect(await streamlog(['man', 'tial'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('did you mean "tail"?'),
  });
});

describe('texts of any kind', () => {
  it('are shown as they are, and are no requests', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'streamlog-test-'));
    const file = join(directory, 'page.1');
    const hostile = fc.array(
      fc.oneof(
        fc.constantFrom('.so /etc/passwd', "'br", '\\fBx', '\\', '-x', '"q"', '`a`', '~/^', '.', "it's", 'é…😀', '\\n'),
        fc.stringMatching(/^[!-~]{1,12}$/),
      ),
      {minLength: 1, maxLength: 6},
    );
    try {
      await fc.assert(
        fc.asyncProperty(hostile, async (words) => {
          const text = words.join(' ');
          const facts = {
            id: 'x',
            summary: `${text}.`,
            description: text,
            args: {},
            flags: {},
            examples: [1, 2].map(() => ({description: text, command: text})),
          };
          const index = {
            ...manifest,
            topics: {},
            commands: {x: {brief: facts, details: async () => ({default: facts})}},
          };
          const page = await manPage(['x'], index as unknown as CommandIndex);
          writeFileSync(file, page!.roff);
          expect(lint(file).replace(/^.*input text line longer than 80 bytes.*\n/gm, '')).toBe('');
          const plain = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=500', file], {encoding: 'utf8', env});
          // Bold and underlined characters are printed over themselves.
          expect(
            plain
              .replace(/.\u0008/gu, '')
              .split('\n')
              .filter((line) => line.trim() === text.trim()).length,
          ).toBeGreaterThanOrEqual(1);
        }),
        {numRuns: 40},
      );
    } finally {
      rmSync(directory, {recursive: true, force: true});
    }
  });
});
