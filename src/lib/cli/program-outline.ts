/** The outline of the command line that completion scripts are made from, as the index of commands has it. */
import type {Command} from '@oclif/core';
import {
  type CommandOutline,
  type FlagOutline,
  firstWords,
  type ProgramOutline,
  type Value,
} from '../completion/outline.js';
import type {CommandIndex} from './command-index.js';

/** All that is not hidden, in the order of names. */
export async function outlineOf({pjson, commands, topics}: CommandIndex): Promise<ProgramOutline> {
  const details = await Promise.all(Object.values(commands).map((command) => command.details()));
  const groups = Object.entries(pjson.oclif.topics ?? {}).map(([word, {description = ''}]) => ({
    word,
    summary: description,
  }));
  const outlines = details
    .map(({default: command}) => command)
    .filter(({hidden}) => !hidden)
    .map(commandOutline)
    .sort((a, b) => (a.words.join(' ') < b.words.join(' ') ? -1 : 1));
  const program = {name: pjson.oclif.bin ?? pjson.name, commands: outlines, topics: groups};
  const subjects = [...firstWords(program).map(({word}) => word), ...Object.keys(topics)];
  for (const outline of outlines)
    if (outline.words[0] === 'help') outline.arguments = [{...taken('SUBJECT', subjects), repeatable: true}];
  return program;
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
