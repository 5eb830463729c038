/**
 * Flags that can also be given by position: `info orders` is `info --stream orders`. Invariant: a
 * command reads only the flag. Where several values are allowed, both ways add up in the order in
 * which they were typed; where one is allowed, giving it twice is refused.
 */
import {Args, type Command, type Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import {parseName} from './flag-values.js';

/** The arguments that stand for flags, and for which. */
const FLAG_OF = {stream: 'stream', group: 'group', glob: 'match'} as const;

const SERVER_URL = /^(unix|(redis|valkey)s?(\+\w+)?):\/\//i;

const nameArgument = Args.custom<string>({
  ignoreStdin: true,
  parse: async (text, command, {name}) => {
    // It would be a stream of that name, and be shown with its password.
    if (SERVER_URL.test(text))
      throw usageError(`${name.toUpperCase()} takes a name, not a URL`, 'give the URL with --url');
    // As `tail -5` of coreutils.
    if (/^-\d/.test(text)) {
      const count =
        'count' in (command.constructor as typeof Command).flags ? `-n ${text.slice(1)} says how many; ` : '';
      throw usageError(
        `${name.toUpperCase()} takes a name, not ${text}`,
        `${count}a ${name} of this name is given as --${name}=${text}`,
      );
    }
    return parseName(text, name.toUpperCase());
  },
});

export const streamArgument = {stream: nameArgument({description: 'the stream, as with --stream'})};
export const streamsArgument = {
  stream: nameArgument({multiple: true, description: 'streams, as with --stream'}),
};
export const groupArgument = {
  group: nameArgument({description: 'the consumer group (default: the one of --group)'}),
};
export const globArgument = {
  glob: Args.string({ignoreStdin: true, description: 'only names that match, as with --match'}),
};

/** What oclif's parser returns (https://github.com/oclif/core/blob/main/src/interfaces/parser.ts); `raw` has what was typed. */
export type Parsed = Pick<Interfaces.ParserOutput<Values, Values, Values>, 'args' | 'flags' | 'raw'>;
type Values = Record<string, unknown>;

/** Moves the values of these arguments into `flags`. Throws a usage error for the second value of a flag that takes one. */
export function takePositionalFlags({args, flags, raw}: Parsed): void {
  for (const [arg, flag] of Object.entries(FLAG_OF)) {
    const given = args[arg];
    if (given === undefined) continue;
    // A command that has one of these arguments has no other.
    const typed = raw.filter((token) => token.type === 'arg' || token.flag === flag);
    if (Array.isArray(given)) {
      const named = [...given];
      const flagged = typed.length > named.length ? [...(flags[flag] as unknown[])] : [];
      flags[flag] = typed.map(({type}) => (type === 'arg' ? named : flagged).shift());
    } else if (typed.length > 1) {
      throw usageError(`the ${arg} is given twice`, `give ${arg.toUpperCase()} or --${flag}, not both`);
    } else {
      flags[flag] = given;
    }
  }
}
