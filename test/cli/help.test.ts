/** Help and usage errors as people see them: in a terminal of any width, and in a pipe. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {manifest} from '../support/manifest.js';
import {streamlog} from '../support/run-cli.js';
import {onTerminal, unsafeIn} from '../support/terminal.js';

const commands = Object.entries(manifest.commands).filter(([, {hidden}]) => !hidden);
/** The pages for users, as docs/README.md lists them in its first table; `serve` is a command, so its page has another name. */
const pages = [
  ...readFileSync(join(import.meta.dirname, '../../docs/README.md'), 'utf8').matchAll(/^\| \[([a-z-]+)\.md\]/gm),
]
  .map(([, page]) => page!)
  .filter((page) => !['dependencies', 'releasing'].includes(page))
  .map((page) => [page === 'serve' ? 'http' : page, page] as const);
const wordsOf = (id: string): string[] => id.split(':');

describe('the list of commands', () => {
  it('has every command or its topic once, in groups, whichever way it is asked for', async () => {
    const {code, stdout, stderr} = await streamlog([]);
    expect([code, stderr]).toEqual([0, '']);
    for (const args of [['help'], ['--help'], ['-h'], ['--json', '-h']])
      expect((await streamlog(args)).stdout, args.join(' ')).toBe(stdout);
    const listed = [...stdout.split('\nTOPICS\n')[0]!.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, word]) => word!);
    expect(listed.sort()).toEqual([...new Set(commands.map(([id]) => wordsOf(id)[0]!))].sort());
    expect(stdout).toMatch(/^FIRST STEPS$/m);
  });

  it('of a topic has its commands', async () => {
    const {code, stdout} = await streamlog(['group']);
    expect(code).toBe(0);
    for (const [id] of commands.filter(([id]) => id.startsWith('group:')))
      expect(stdout).toContain(`  ${id.replace(':', ' ')} `);
    for (const args of [
      ['group', '--help'],
      ['help', 'group'],
    ])
      expect((await streamlog(args)).stdout).toBe(stdout);
  });
});

describe.each(commands)('the help for %s', (id, {flags, examples = []}) => {
  it('is the same in all three ways, and wherever the flag stands', async () => {
    const {code, stdout, stderr} = await streamlog([...wordsOf(id), '--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const args of [
      ['help', ...wordsOf(id)],
      [...wordsOf(id), 'x=1', '--quiet', '-h'],
    ])
      expect((await streamlog(args)).stdout, args.join(' ')).toBe(stdout);
  });

  it('has its flags in one column, each with its own line', async () => {
    const {stdout} = await streamlog([...wordsOf(id), '--help']);
    for (const [name, {hidden, char}] of Object.entries(flags)) {
      const term = new RegExp(`^ {2}${char === undefined ? ' {4}' : `-${char}, `}--${name}( |$)`, 'm');
      expect(stdout.match(term) !== null, name).toBe(!hidden);
    }
  });

  it('says above each example what it is for', () => {
    for (const example of examples)
      expect(example).toMatchObject({description: expect.stringMatching(/^[A-Z].*[^.]$/)});
  });
});

describe.each(pages)('the topic %s', (topic, page) => {
  it(`is listed, and is docs/${page}.md without its markup`, async () => {
    expect((await streamlog([])).stdout).toMatch(new RegExp(`^  ${topic} +\\S`, 'm'));
    const {code, stdout, stderr} = await streamlog(['help', topic]);
    expect([code, stderr]).toEqual([0, '']);
    const text = readFileSync(join(import.meta.dirname, `../../docs/${page}.md`), 'utf8');
    for (const [, heading] of text.matchAll(/^#+ (.*)$/gm))
      expect(stdout.toUpperCase()).toContain(heading!.replaceAll('`', '').toUpperCase());
    expect(stdout).not.toMatch(/\u001b|```|\*\*|\]\(/);
    // What is longer stands in an example or is one word.
    for (const line of stdout.split('\n'))
      if (/^ {2}\S.* /.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
    // Nothing is lost: every word of code in the page is shown.
    const words = (of: string): Set<string> => new Set(of.split(/[\s`]+/));
    const shown = words(stdout);
    for (const [, code] of text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\s|]+)`/g))
      expect(
        [...shown].some((word) => word.includes(code!)),
        code,
      ).toBe(true);
  });
});

it('a mistyped topic is answered with the nearest', async () => {
  expect(await streamlog(['help', 'deliveri'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('hint: did you mean "help delivery"?'),
  });
});

describe.each([60, 80, 120])('in a terminal of %i columns', (columns) => {
  it.each(['', 'produce --help', 'consume --help', 'group --help', 'help permissions'])(
    'streamlog %s fits',
    async (line) => {
      const {code, text} = await onTerminal(line.split(' ').filter(Boolean), {columns});
      expect(code).toBe(0);
      expect(unsafeIn(text)).toEqual([]);
      const plain = text.replace(/\u001b\[\d+m/g, '');
      const wide = plain.split('\n').filter((shown) => shown.length > columns);
      // Examples are not broken, so that they can be copied.
      expect(wide.filter((shown) => !/^ {2}\S|^ {4}[A-Z]/.test(shown))).toEqual([]);
    },
  );
});

const MISTAKES: [line: string, message: string][] = [
  ['produce --maxlne 3', 'unknown flag --maxlne'],
  ['produce --nonsense=geheim', 'unknown flag --nonsense=…'],
  ['produce -Z', 'unknown flag -Z'],
  ['produce -Z --nonsense', 'unknown flags -Z, --nonsense'],
  ['tial', 'no command "tial"'],
  ['group lst', 'no command "group lst"'],
  ['help tial', 'no command "tial"'],
  ['tial --help', 'no command "tial"'],
  ['nothing-like-it', 'no command "nothing-like-it"'],
  ['--nonsense', 'unknown flag --nonsense'],
  ['pending --payload', '--payload needs --details'],
  ['claim 1-0', '--to is required'],
  ['completion', 'missing argument SHELL (bash|fish|zsh)'],
  ['completion tcsh', '"tcsh" is not bash, fish or zsh'],
  ['ls --match', '--match needs a value'],
  ['consume --ack maybe', '--ack takes written or none, not "maybe"'],
  ['tail --format %o --json', 'give --format or --json, not both'],
  ['tail -f orders', '--format takes a template, and "orders" names no part of a record'],
  ['get 1-0 --username a --username b', '--username can be given only once'],
  ['local stop x', 'local stop takes no arguments, but got: x'],
  ['group create a b', 'unexpected argument: b'],
  ['consume --max-deliver 0', '--max-deliver takes a whole number of at least 1, not "0"'],
  ['consume --claim soon', '--claim takes a duration such as 30s or 15m, or off, not "soon"'],
  ['produce redis://u:geheim@h', '"redis://…@h" is not field=value'],
  ['range redis://u:geheim@h', '"redis://…@h" is not a valid position'],
  ['consume --from redis://u:geheim@h', '--from: "redis://…@h" is not a valid position'],
  ['redis://u:geheim@h', 'no command "redis://…@h"'],
  ['ack redis://u:geheim@h', '"redis://…@h" is not a valid entry ID'],
  ['consume --from yesterday', '--from: "yesterday" is not a valid position'],
];

describe('a usage error', () => {
  it.each(MISTAKES)('streamlog %s', async (line, message) => {
    const args = line.split(' ');
    const piped = await streamlog(args);
    expect(piped).toMatchObject({code: 2, stdout: ''});
    expect(piped.stderr.split('\n')[0]).toBe(`streamlog: ${message}`);
    expect(piped.stderr).toMatch(/^streamlog: .*\n(hint: .*\n)?$/);
    const shown = await onTerminal(args);
    expect(shown.code).toBe(2);
    expect(shown.text.replace(/\u001b\[\d+m/g, '')).toBe(piped.stderr);
    expect(unsafeIn(shown.text)).toEqual([]);
    expect(shown.text).not.toContain('\\x1b');
  });
});
