/** The outline of the command line that completion scripts are made from, as the index of commands has it. */
import type {Command, Config} from '@oclif/core';
import type {CommandOutline, FlagOutline, ProgramOutline, Value} from '../completion/outline.js';
import {indexOf} from './command-index.js';

/** All that is not hidden, in the order of names. */
export async function outlineOf(config: Config): Promise<ProgramOutline> {
  const details = await Promise.all(Object.values(indexOf(config).commands).map((command) => command.details()));
  const commands = details
    .map(({default: command}) => command)
    .filter(({hidden}) => !hidden)
    .map(commandOutline)
    .sort((a, b) => (a.words.join(' ') < b.words.join(' ') ? -1 : 1));
  // To oclif every command is a topic too.
  const withCommands = new Set(commands.filter(({words}) => words.length > 1).map(({words}) => words[0]!));
  return {
    name: config.bin,
    commands,
    topics: config.topics
      .filter(({name}) => withCommands.has(name))
      .map(({name, description}) => ({word: name, summary: description ?? ''})),
  };
}

const help: FlagOutline = {name: 'help', char: 'h', summary: 'show help', repeatable: false};

const commandOutline = ({id, summary, flags, args}: Command.Cached): CommandOutline => ({
  words: id.split(':'),
  summary: summary ?? '',
  flags: [
    ...Object.values(flags)
      .filter(({hidden}) => !hidden)
      .map(flagOutline),
    help,
  ],
  arguments: Object.values(args).map((arg) => ({
    ...taken(arg.name.toUpperCase(), arg.options),
    repeatable: arg.multiple === true,
  })),
});

function flagOutline(flag: Command.Flag.Cached): FlagOutline {
  const {name, char, summary = flag.description ?? ''} = flag;
  if (flag.type === 'boolean') return {name, char, summary, repeatable: false};
  const value = taken(flag.helpValue?.toString() ?? name.toUpperCase(), flag.options);
  return {name, char, summary, repeatable: flag.multiple === true, value};
}

function taken(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return {kind: 'choice', name, choices};
  return {kind: name === 'PATH' ? 'file' : 'text', name};
}
