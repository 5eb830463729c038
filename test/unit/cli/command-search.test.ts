/** Where the command of a command line stands, against a search that tries every reading of every word. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {FlagTable} from '../../../src/lib/cli/command-index.js';
import {findCommand} from '../../../src/lib/cli/command-search.js';

const TABLE: FlagTable = {
  info: {'--url': true, '-u': true, '--stream': true, '-s': true, '--json': false, '-q': false, '--odd': false},
  tail: {'--url': true, '-u': true, '--stream': true, '-s': true, '--count': true, '-n': true, '-q': false},
  'group:list': {'--stream': true, '-s': true, '--json': false, '-q': false},
  'group:seek': {'--to': true, '--odd': true},
  group2: {},
};

describe('finds', () => {
  it.each<[typed: string, found: string | undefined]>([
    ['info orders', 'info orders'],
    ['-u redis://x info orders', 'info -u redis://x orders'],
    ['--url=redis://x info', 'info --url=redis://x'],
    ['--json -q info x', 'info --json -q x'],
    ['-s tail info', 'info -s tail'],
    ['-stail info', 'info -stail'],
    ['-qs tail info', 'info -qs tail'],
    ['-n 5 -s info tail x', 'tail -n 5 -s info x'],
    ['-s x group list y', 'group:list -s x y'],
    ['group -s list list', 'group:list -s list'],
    ['-q group --stream seek list -- -x', 'group:list -q --stream seek -- -x'],
    // A switch of info, and of group seek a flag with a value: the first word that can be the command is it.
    ['--odd info', 'info --odd'],
    ['--odd info group seek', 'info --odd group seek'],
    ['--odd x group seek', 'group:seek --odd x'],
    // A flag that no command has is left to the command that it is probably meant for.
    ['--what info x', 'info --what x'],
    ['--what 5 info x', 'info --what 5 x'],
    ['--what=5 info x', 'info --what=5 x'],
    ['-s -- info', 'info -s --'],
    ['-s info', undefined],
    ['orders info', undefined],
    ['-5 info', undefined],
    ['- info', undefined],
    ['-- info', undefined],
    ['group', undefined],
    ['group x list', undefined],
    ['', undefined],
  ])('%s', (typed, found) => {
    expect(findCommand(typed.split(' '), TABLE)?.join(' ')).toBe(found);
  });
});

const token = fc.constantFrom(
  ...['info', 'tail', 'group', 'list', 'seek', 'x', '-', '--', '-5', '-s', '-q', '-qs', '-sx', '-n', '-Z', '-qZ'],
  ...['--url', '--url=info', '--json', '--odd', '--count', '--what', '--what=x', '--to'],
);

it('reads any words as trying every reading of each does', () => {
  fc.assert(
    fc.property(fc.array(token, {maxLength: 8}), (argv) => {
      expect(findCommand(argv, TABLE)).toEqual(bestReading(argv));
    }),
    {numRuns: 3000},
  );
});

/** A way to read the words up to the last of the command. */
interface Reading {
  id: string;
  at: number[];
  unknown: number;
}

function bestReading(argv: readonly string[]): string[] | undefined {
  const all = Object.keys(TABLE).flatMap((id) => readings(id, argv));
  const [best] = all.sort((a, b) => a.unknown - b.unknown || a.at.at(-1)! - b.at.at(-1)!);
  return best && [best.id, ...argv.filter((_, index) => !best.at.includes(index))];
}

/** All readings of `argv` as the command `id`: each flag is a switch, or has a value behind it. */
function readings(id: string, argv: readonly string[]): Reading[] {
  const words = id.split(':');
  const flags = TABLE[id]!;
  const from = (index: number, at: readonly number[], unknown: number): Reading[] => {
    if (at.length === words.length) return [{id, at: [...at], unknown}];
    const typed = argv[index];
    if (typed === undefined || typed === '--') return [];
    if (typed === '-' || !typed.startsWith('-') || /^-\d/.test(typed))
      return typed === words[at.length] ? from(index + 1, [...at, index], unknown) : [];
    const alone = () => from(index + 1, at, unknown);
    const withValue = () => (index + 1 < argv.length ? from(index + 2, at, unknown) : []);
    const kinds = kindOf(typed, flags);
    if (kinds === 'switch') return alone();
    if (kinds === 'value') return withValue();
    const next = argv[index + 1];
    const isValue = next !== undefined && next !== words[at.length] && (next === '-' || !/^-\D/.test(next));
    return (isValue && !typed.includes('=') ? withValue() : alone()).map((one) => ({...one, unknown: one.unknown + 1}));
  };
  return from(0, [], 0);
}

function kindOf(typed: string, flags: Record<string, boolean>): 'switch' | 'value' | 'unknown' {
  if (typed.startsWith('--')) {
    const name = typed.split('=')[0]!;
    if (!Object.hasOwn(flags, name)) return 'unknown';
    return flags[name] && name === typed ? 'value' : 'switch';
  }
  const [letter, ...more] = typed.slice(1);
  const kind = flags[`-${letter}`];
  if (kind === undefined) return 'unknown';
  if (kind) return more.length === 0 ? 'value' : 'switch';
  return more.length === 0 ? 'switch' : kindOf(`-${more.join('')}`, flags);
}
