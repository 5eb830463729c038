/** The group that a `group` command is about: its argument, else `--group`, never both. */
import {Args} from '@oclif/core';
import {usageError} from '../errors.js';
import {nameFromText} from '../records/names.js';

export const groupArgument = {
  group: Args.custom<string>({
    ignoreStdin: true,
    description: 'the consumer group (default: the one of --group)',
    parse: async (text) => {
      const name = nameFromText(text);
      if (name === undefined) throw usageError('GROUP takes a name; it is empty');
      return name;
    },
  })(),
};

/** The parts of oclif's parser output that show what was typed (https://github.com/oclif/core/blob/main/src/interfaces/parser.ts). */
interface Parsed {
  args: {group?: string | undefined};
  flags: {group: string};
  raw: readonly {type: string; flag?: string}[];
}

/** Throws a usage error if the group is given in both ways: removing the wrong one cannot be undone. */
export function chosenGroup({args, flags, raw}: Parsed): string {
  if (args.group === undefined) return flags.group;
  if (raw.some(({type, flag}) => type === 'flag' && flag === 'group')) {
    throw usageError('the group is given twice', 'give GROUP or --group, not both');
  }
  return args.group;
}
