/**
 * Words of the configuration that stand for a command and some of its arguments. Invariant: an alias is expanded once, into arguments of
 * streamlog and never by a shell, and no command has its name.
 */
import {StreamlogError} from '../errors.js';
import {wordsOf} from '../shell-word.js';
import type {CommandIndex} from './command-index.js';
import {loadConfig} from './configuration.js';
import {signals} from './signals.js';

/** `argv` with what the alias stands for that is its word number `at`; undefined if that is no alias. */
export async function withAlias(
  argv: readonly string[],
  at: number,
  index: CommandIndex,
): Promise<{argv: string[]; refuse(): never} | undefined> {
  // The command warns of what is to be warned of.
  const config = await loadConfig(index, {stopping: signals.signalled, warn: () => {}});
  const word = argv[at]!;
  const alias = config?.aliases.get(word);
  if (alias === undefined) return undefined;
  const refuse = (reason = 'it stands for no command; it has to begin with one, and not with an alias'): never => {
    throw new StreamlogError('configuration', `${alias.at}: alias ${word}: ${reason}`);
  };
  const words = typeof alias.value === 'string' ? wordsOf(alias.value) : alias.value;
  if (words === undefined) return refuse('a quote is open');
  return {argv: [...argv.slice(0, at), ...words, ...argv.slice(at + 1)], refuse};
}
