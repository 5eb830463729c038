/**
 * From the words that were typed to the ID of a command and what follows it. What asks for help or
 * for the version becomes that command. Invariant: a run whose first words are its command loads
 * nothing for this.
 */
import type {CommandIndex} from './command-index.js';

const isHelp = (word: string): boolean => word === '--help' || word === '-h';
const asksForVersion = (word: string): boolean => word === '--version' || word === '-V';

/** What the scripts of `completion --live` run, in the middle of a line that is being typed: nothing is said of a failure. */
export const isSilent = ([command]: readonly string[]): boolean => command === '__complete';

/** Throws a usage error if no command is named. */
export async function commandLine(argv: readonly string[], index: CommandIndex): Promise<string[]> {
  if (argv.length === 0) return ['help'];
  const end = argv.indexOf('--');
  const before = end < 0 ? argv : argv.slice(0, end);
  if (before.some(isHelp)) {
    const {subjectOfHelp} = await import('./command-search.js');
    return ['help', ...(await subjectOfHelp(before, isHelp, index))];
  }
  const [first, second, ...rest] = argv;
  if (argv.length === 1 && asksForVersion(first!)) return ['version'];
  if (Object.hasOwn(index.commands, first!)) return [...argv];
  if (Object.hasOwn(index.commands, `${first}:${second}`)) return [`${first}:${second}`, ...rest];
  const {searchCommand} = await import('./command-search.js');
  return searchCommand(argv, asksForVersion, index);
}
