/**
 * From the words of a command line to the flags and arguments of a command, as oclif's parser reads them
 * (https://github.com/oclif/core/blob/main/src/parser/parse.ts). Corrected are its errors, which are put in our words, the
 * variable of a flag that takes a list, and values with a dash; added are flags by position, and what configuration says.
 */
import type {Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import type {Shape} from '../output/shape.js';
import type {CommandIndex} from './command-index.js';
import type {ConfiguredServer} from './configured-server.js';
import {hasDashedValue, prefixed, readingPrefixed, stripPrefixes} from './dashed-values.js';
import {takePositionalFlags} from './positional-flags.js';
import {asUsageError} from './report-error.js';
import {standardNotes} from './standard-notes.js';

type Values = Record<string, unknown>;
export type Input = Interfaces.Input<Values, Values, Values>;

type Parser = (input: Input, argv: string[]) => Promise<Interfaces.ParserOutput>;

export interface ParsingCommand {
  id: string;
  index: CommandIndex;
  server: ConfiguredServer;
  /** oclif's own. */
  parser: Parser;
}

/** Throws a usage error for what the command does not take, and `configuration` for files that cannot be used. */
export async function parseFlags(
  command: ParsingCommand,
  input: Input,
  argv: string[],
): Promise<Interfaces.ParserOutput> {
  const output = await parseConfigured(command, input, argv).catch(async (error: unknown) => {
    throw await asUsageError(error, command.id, {...input, words: argv});
  });
  const values: Values = output.flags;
  for (const [name, value] of Object.entries(values)) {
    const flag = input.flags?.[name];
    if (flag?.type === 'option' && flag.multiple && typeof value === 'string') values[name] = [value];
  }
  takePositionalFlags(output);
  refuseWithoutEffect(output);
  return output;
}

/** What is typed has an effect. A default of the configuration gives way to what is typed. */
function refuseWithoutEffect({flags, raw}: Interfaces.ParserOutput): void {
  const isTyped = raw.some(({type, ...token}) => type === 'flag' && 'flag' in token && token.flag === 'pretty');
  const {output} = flags as {output?: Shape};
  if (isTyped && (output === 'csv' || output === 'tsv'))
    throw usageError(`--pretty has no effect on ${output}`, 'give -o json or -o table with it, or leave it out');
}

/** With what configuration says instead of flags that were not typed, where the command uses a server. */
async function parseConfigured(
  {id, index, server, parser}: ParsingCommand,
  input: Input,
  argv: string[],
): Promise<Interfaces.ParserOutput> {
  const {flags} = input;
  if (flags === undefined || !('context' in flags)) return parseWords(parser, input, argv);
  // What is said of a wait cannot wait for the flags, which configuration has a part in.
  const isQuiet = argv.some((word) => word === '-q' || word === '--quiet');
  await server.load(index, (text) => (isQuiet ? undefined : standardNotes().warn(text)));
  const parsePlain = async (plain: Interfaces.FlagInput, words = argv): Promise<Interfaces.ParserOutput> =>
    parseWords(parser, {...input, flags: plain} as Input, words);
  const {flags: configured, words} = await server.input(id, flags, parsePlain);
  const output = await parsePlain(configured, [...words, ...argv]);
  output.raw.splice(0, words.length);
  if (!output.flags.quiet) for (const text of server.warnings) standardNotes().warn(text);
  return output;
}

/** A value that is attached to its flag may begin with a dash. */
async function parseWords(parse: Parser, input: Input, argv: string[]): Promise<Interfaces.ParserOutput> {
  const flags = input.flags as Interfaces.FlagInput | undefined;
  if (flags === undefined || !hasDashedValue(argv)) return parse(input, argv);
  const output = await parse({...input, flags: readingPrefixed(flags)} as Input, prefixed(argv, flags));
  stripPrefixes(output.raw);
  return output;
}
