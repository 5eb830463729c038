/**
 * Finds the command of a command line that does not begin with it: `-u redis://h info orders`,
 * `group -s orders list`. Only the flags of a command say whether the word behind a flag is its
 * value. Invariant: the words keep their order, but for the name of the command, which goes first.
 */
import {usageError} from '../errors.js';
import {withAlias} from './alias.js';
import {type CommandIndex, commandTopics, type FlagTable} from './command-index.js';
import {helpHint} from './help-hint.js';
import {unknownCommand} from './unknown-command.js';
import {unknownFlags} from './unknown-flag.js';

type CommandFlags = FlagTable[string];

/** What redis-cli takes behind -h. */
const LIKE_A_HOST = /[.:\d]|^localhost$/;

/** The ID of the command, and what it is given. Throws a usage error if there is none. */
export async function searchCommand(
  argv: readonly string[],
  asksForVersion: (word: string) => boolean,
  index: CommandIndex,
): Promise<string[]> {
  const {default: table} = await index.flags();
  const found = findCommand(argv, table);
  if (found !== undefined) return found;
  const {words, firstAt, flags, unknown} = leadingWords(argv, allFlags(table));
  if (words.length === 0 && flags.some(asksForVersion)) return ['version'];
  if (words.length === 0 && unknown !== undefined) throw unknownFlags([unknown], Object.keys(allFlags(table)));
  if (words.length === 1 && commandTopics(index).has(words[0]!)) return ['help', ...words];
  const meant = words.length === 0 ? undefined : await withAlias(argv, firstAt, index);
  if (meant !== undefined) return findCommand(meant.argv, table) ?? meant.refuse();
  if (words.length > 0) throw unknownCommand(words, index);
  throw usageError('no command is given', flags.includes('-v') ? 'streamlog version prints the version' : helpHint());
}

/** What `streamlog help` is to show for `argv`, which has a help flag. */
export async function subjectOfHelp(
  argv: readonly string[],
  isHelp: (word: string) => boolean,
  index: CommandIndex,
): Promise<string[]> {
  const rest = argv.filter((word) => !isHelp(word));
  const {default: table} = await index.flags();
  const [id] = findCommand(rest, table) ?? [];
  if (id !== undefined) return id.split(':');
  const {words, firstAt} = leadingWords(rest, allFlags(table));
  const meant = firstAt < 0 ? undefined : await withAlias(rest, firstAt, index);
  const [stoodFor] = (meant && findCommand(meant.argv, table)) ?? [];
  if (stoodFor !== undefined) return stoodFor.split(':');
  const [first] = words;
  if (first !== undefined && LIKE_A_HOST.test(first) && argv[argv.indexOf(first) - 1] === '-h')
    throw unknownCommand(words, index, '-h shows help; -u redis://HOST:PORT, or --url, names the server');
  return words;
}

/**
 * As oclif gets it; undefined if no command stands in `argv` behind nothing but flags. Of several, the one
 * with the fewest flags that are not its own, and of these the first.
 */
export function findCommand(argv: readonly string[], table: FlagTable): string[] | undefined {
  let best: {id: string; at: number[]; unknown: number} | undefined;
  for (const [id, flags] of Object.entries(table)) {
    const found = wordsAt(id.split(':'), argv, flags);
    if (found === undefined) continue;
    const order = best === undefined ? -1 : found.unknown - best.unknown || found.at.at(-1)! - best.at.at(-1)!;
    if (order < 0) best = {id, ...found};
  }
  return best && [best.id, ...argv.filter((_, index) => !best.at.includes(index))];
}

/** Where `words` stand in `argv` with nothing but flags before them, and how many of those are not in `flags`. */
function wordsAt(
  words: readonly string[],
  argv: readonly string[],
  flags: CommandFlags,
): {at: number[]; unknown: number} | undefined {
  const at: number[] = [];
  let unknown = 0;
  for (let index = 0; index < argv.length; index++) {
    const typed = argv[index]!;
    if (!isFlag(typed)) {
      if (typed !== words[at.length]) return undefined;
      at.push(index);
      if (at.length === words.length) return {at, unknown};
      continue;
    }
    if (typed === '--') return undefined;
    const next = argv[index + 1];
    const takesNext = takesNextWord(typed, flags);
    if (takesNext === undefined) unknown++;
    // The word behind a flag that is not known is its value, unless it is the one that is looked for.
    if (takesNext ?? (!typed.includes('=') && next !== undefined && !isFlag(next) && next !== words[at.length]))
      index++;
  }
  return undefined;
}

/** The words that stand in `argv` up to `--`, as if all flags were those of one command, and its flags. */
function leadingWords(
  argv: readonly string[],
  all: CommandFlags,
): {words: string[]; firstAt: number; flags: string[]; unknown: string | undefined} {
  const words: string[] = [];
  let firstAt = -1;
  const flags: string[] = [];
  let unknown: string | undefined;
  for (let index = 0; index < argv.length && argv[index] !== '--'; index++) {
    const typed = argv[index]!;
    if (!isFlag(typed)) {
      if (words.length === 0) firstAt = index;
      words.push(typed);
    } else {
      flags.push(typed);
      const takesNext = takesNextWord(typed, all);
      if (takesNext === undefined) unknown ??= typed;
      if (takesNext) index++;
    }
  }
  return {words, firstAt, flags, unknown};
}

/** As oclif's parser sees it (https://github.com/oclif/core/blob/main/src/parser/parse.ts). */
const isFlag = (word: string): boolean => /^-[^\d]/s.test(word);

/** Whether the value of the flag `typed` is the next word; undefined if it is none of `flags`. */
function takesNextWord(typed: string, flags: CommandFlags): boolean | undefined {
  if (typed.startsWith('--')) {
    const equals = typed.indexOf('=');
    const takesValue = flags[equals < 0 ? typed : typed.slice(0, equals)];
    return takesValue && equals < 0;
  }
  // Switches may be joined, and the value may follow the letter: -qn5.
  for (let index = 1; index < typed.length; index++) {
    const takesValue = flags[`-${typed[index]}`];
    if (takesValue === undefined) return undefined;
    if (takesValue) return index === typed.length - 1;
  }
  return false;
}

/** Those of all commands; one that takes a value in some command takes one. */
function allFlags(table: FlagTable): CommandFlags {
  const all: CommandFlags = {};
  for (const flags of Object.values(table))
    for (const [name, takesValue] of Object.entries(flags)) all[name] = takesValue || (all[name] ?? false);
  return all;
}
