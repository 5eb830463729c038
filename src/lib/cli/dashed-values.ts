/**
 * Values that begin with a dash and are attached to their flag: `--file=-odd.json`, `-s-x`. oclif takes such a value for a
 * flag where there is one of its name (https://github.com/oclif/core/blob/main/src/parser/parse.ts), so they get a prefix on the
 * way through its parser. Invariant: no value that leaves it has the prefix, which no argument can hold.
 */
import type {Interfaces} from '@oclif/core';

type FlagInput = Interfaces.FlagInput;
type Flag = FlagInput[string];

const PREFIX = '\0';

/** Whether `prefixed` changes any of `argv`, but for what stands behind `--`. */
export const hasDashedValue = (argv: readonly string[]): boolean =>
  argv.some((word) => /^-[^=]*=-|^-[^-].*-/s.test(word));

/** `argv` with a prefix before values that begin with a dash. */
export function prefixed(argv: readonly string[], flags: FlagInput): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, index) => {
    if (!word.startsWith('-') || (end >= 0 && index >= end)) return word;
    const at = valueAt(word, flags);
    return at !== undefined && word[at] === '-' ? word.slice(0, at) + PREFIX + word.slice(at) : word;
  });
}

/** Where the value begins that is attached to a flag with a free value in `word`. */
function valueAt(word: string, flags: FlagInput): number | undefined {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    return equals > 0 && takesAny(flags[word.slice(2, equals)]) ? equals + 1 : undefined;
  }
  const byLetter = (letter: string): Flag | undefined => Object.values(flags).find(({char}) => char === letter);
  for (let index = 1; index < word.length; index++) {
    const flag = byLetter(word[index]!);
    if (flag?.type !== 'boolean') return takesAny(flag) ? index + (word[index + 1] === '=' ? 2 : 1) : undefined;
  }
  return undefined;
}

const takesAny = (flag: Flag | undefined): boolean => flag?.type === 'option' && flag.options === undefined;

/** The flags, which read values without their prefixes. */
export const readingPrefixed = (flags: FlagInput): FlagInput =>
  Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      if (!takesAny(flag)) return [name, flag];
      // biome-ignore lint/suspicious/noExplicitAny: oclif types the context of a parser as a whole command
      const parse = flag.parse as any;
      return [
        name,
        {...flag, parse: (text: string, ...rest: unknown[]) => parse(withoutPrefix(text), ...rest)} as Flag,
      ];
    }),
  );

/** Takes the prefixes out of what was typed, as oclif reports it. */
export function stripPrefixes(raw: Interfaces.ParserOutput['raw']): void {
  for (const token of raw) token.input = withoutPrefix(token.input);
}

const withoutPrefix = (text: string): string => (text.startsWith(PREFIX) ? text.slice(1) : text);
