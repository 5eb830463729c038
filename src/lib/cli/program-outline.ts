/** The outline of the command line that completion scripts are made from, as the index of commands has it. */
import type {Command} from '@oclif/core';
import type {LookUp} from '../completion/live-names.js';
import {
  type CommandOutline,
  type FlagOutline,
  firstWords,
  type Lookup,
  type ProgramOutline,
  type Value,
} from '../completion/outline.js';
import {type CommandIndex, commandTopics} from './command-index.js';

/** All that is not hidden, in the order of names; with `live`, also which values are names that can be looked up. */
export async function outlineOf(index: CommandIndex, live?: Lookup): Promise<ProgramOutline> {
  const {pjson, commands, topics} = index;
  const details = await Promise.all(Object.values(commands).map((command) => command.details()));
  const groups = [...commandTopics(index)].map(([word, summary]) => ({word, summary}));
  const outlines = details
    .map(({default: command}) => command)
    .filter(({hidden}) => !hidden)
    .map((command) => commandOutline(command, live === undefined ? {} : namesIn(command.id)))
    .sort((a, b) => (a.words.join(' ') < b.words.join(' ') ? -1 : 1));
  const program = {name: pjson.oclif.bin ?? pjson.name, commands: outlines, topics: groups, live};
  const subjects = [...firstWords(program).map(({word}) => word), ...Object.keys(topics)];
  for (const outline of outlines)
    if (outline.words[0] === 'help') outline.arguments = [{...taken('SUBJECT', subjects), repeatable: true}];
  return program;
}

const help: FlagOutline = {name: 'help', char: 'h', summary: 'show help', repeatable: false};

/** By the name of a flag or an argument. */
type LiveNames = Readonly<Partial<Record<string, LookUp>>>;

const LIVE: LiveNames = {
  stream: 'stream',
  'dead-letter': 'stream',
  group: 'group',
  consumer: 'consumer',
  name: 'consumer',
  ids: 'id',
  context: 'context',
};
function namesIn(id: string): LiveNames {
  // Elsewhere it is a position.
  if (id === 'claim' || id === 'group:gc') return {...LIVE, to: 'consumer'};
  if (id === 'context:add') return {};
  return id.startsWith('context:') ? {...LIVE, name: 'context'} : LIVE;
}

const commandOutline = ({id, summary, flags, args}: Command.Cached, names: LiveNames): CommandOutline => ({
  words: id.split(':'),
  summary: summary ?? '',
  flags: [
    ...Object.values(flags)
      .filter(({hidden}) => !hidden)
      .map((flag) => flagOutline(flag, names[flag.name])),
    help,
  ],
  arguments: Object.values(args).map((arg) => ({
    ...taken(arg.name.toUpperCase(), arg.options, names[arg.name]),
    repeatable: arg.multiple === true,
  })),
});

function flagOutline(flag: Command.Flag.Cached, what: LookUp | undefined): FlagOutline {
  const {name, char, summary = flag.description ?? ''} = flag;
  if (flag.type === 'boolean') return {name, char, summary, repeatable: false};
  const value = taken(flag.helpValue?.toString() ?? name.toUpperCase(), flag.options, what);
  return {name, char, summary, repeatable: flag.multiple === true, value};
}

function taken(name: string, choices: readonly string[] | undefined, what?: LookUp): Value {
  if (choices !== undefined) return {kind: 'choice', name, choices};
  if (what !== undefined) return {kind: 'live', name, what};
  return {kind: name === 'PATH' ? 'file' : 'text', name};
}
