/**
 * What `--help` and `streamlog help` print: the list of commands, a command, or a page of docs/.
 * Written here and not by oclif, whose lists lose their indent where the first flag has no
 * letter (https://github.com/oclif/core/blob/main/src/help/formatter.ts) and whose usage lines name all flags.
 */
import type {Colors} from '../output/colors.js';
import {renderMarkdown} from '../output/markdown.js';
import {termList, wrap} from '../output/text-layout.js';
import {type CommandIndex, commandTopics, shownCommands} from './command-index.js';
import {type CommandManual, commandManual, type FlagManual} from './command-manual.js';
import {unknownCommand} from './unknown-command.js';

interface HelpStyle {
  /** In columns. */
  width: number;
  colors: Colors;
}

/** The commands and topics of the first level, in the order in which the root help shows them. */
const SECTIONS: readonly (readonly [heading: string, words: readonly string[]])[] = [
  ['WRITE', ['produce', 'serve']],
  ['READ', ['consume', 'tail', 'range', 'get']],
  ['GROUPS', ['group', 'pending', 'ack', 'nack', 'claim']],
  ['REPAIR', ['dlq', 'trim', 'delete']],
  ['MOVE', ['export', 'import', 'copy', 'archive']],
  ['LOOK', ['ls', 'info', 'top', 'check', 'doctor', 'metrics']],
  ['SERVER', ['context', 'local', 'demo']],
  ['MORE', ['completion', 'help', 'man', 'version']],
];

const FIRST_STEPS: readonly (readonly [step: string, command: string])[] = [
  ['Start a private Redis server', 'streamlog local start'],
  ['Add an entry to the stream "events"', 'streamlog produce type=login user=7'],
  ['Read it as a member of a consumer group', 'streamlog consume --exit'],
];

/**
 * The help for `words`: a command, with or without arguments behind it, or a topic; without words,
 * the list of commands. A command wins over a topic of its name. Throws a usage error if they name neither.
 */
export async function helpText(words: readonly string[], index: CommandIndex, style: HelpStyle): Promise<string> {
  return `${(await helpLines(words, index, style)).join('\n')}\n`;
}

async function helpLines(words: readonly string[], index: CommandIndex, style: HelpStyle): Promise<string[]> {
  if (words.length === 0) return rootHelp(index, style);
  for (let count = words.length; count > 0; count--) {
    const id = words.slice(0, count).join(':');
    if (Object.hasOwn(index.commands, id))
      return commandHelp(commandManual((await index.commands[id]!.details()).default), index, style);
  }
  const [topic] = words;
  if (words.length === 1 && commandTopics(index).has(topic!)) return commandGroupHelp(topic!, index, style);
  if (words.length === 1 && Object.hasOwn(index.topics, topic!)) return pageOf(topic!, index, style);
  throw unknownCommand(words, index);
}

function rootHelp(index: CommandIndex, style: HelpStyle): string[] {
  const {pjson, commands, topics} = index;
  const groups = commandTopics(index);
  const summaryOf = (word: string): string => commands[word]?.brief.summary ?? groups.get(word) ?? '';
  return [
    ...wrap(`${pjson.description}.`, style.width),
    ...section('USAGE', ['  streamlog COMMAND [flags]'], style),
    ...section(
      'FIRST STEPS',
      FIRST_STEPS.flatMap(([step, command]) => exampleLines(step, command, style)),
      style,
    ),
    ...SECTIONS.flatMap(([heading, words]) =>
      listSection(
        heading,
        words.map((word) => [word, summaryOf(word)]),
        style,
      ),
    ),
    ...listSection(
      'TOPICS',
      Object.entries(topics).map(([topic, {summary}]) => [topic, summary]),
      style,
    ),
    ...section('LEARN MORE', ['  streamlog COMMAND --help', '  streamlog help TOPIC'], style),
  ];
}

async function pageOf(topic: string, {topics}: CommandIndex, style: HelpStyle): Promise<string[]> {
  const reference = (file: string): string | undefined => {
    const [name] = Object.entries(topics).find(([, {page}]) => page === file) ?? [];
    return name === undefined ? undefined : `streamlog help ${name}`;
  };
  return renderMarkdown((await topics[topic]!.load()).default, {...style, reference});
}

/** The help for a word such as `group`, which is none without a second one. */
function commandGroupHelp(word: string, index: CommandIndex, style: HelpStyle): string[] {
  const own = shownCommands(index).filter(({id}) => id.startsWith(`${word}:`));
  return [
    ...wrap(commandTopics(index).get(word)!, style.width),
    ...section('USAGE', [`  streamlog ${word} COMMAND [flags]`], style),
    ...listSection(
      'COMMANDS',
      own.map(({name, summary}) => [name, summary]),
      style,
    ),
    ...section('LEARN MORE', [`  streamlog ${word} COMMAND --help`], style),
  ];
}

function commandHelp(manual: CommandManual, {topics}: CommandIndex, style: HelpStyle): string[] {
  const {description} = manual;
  return [
    ...wrap(manual.summary, style.width),
    ...section(
      'USAGE',
      manual.usage.map((line) => `  ${line}`),
      style,
    ),
    ...(description === undefined ? [] : ['', ...wrap(description, style.width)]),
    ...section(
      'EXAMPLES',
      manual.examples.flatMap(([comment, command]) => exampleLines(comment, command, style)),
      style,
    ),
    ...listSection('ARGUMENTS', manual.arguments, style),
    ...manual.flags.flatMap(({heading, flags}) =>
      listSection(
        heading,
        flags.map((flag) => [flagLabel(flag), flag.text]),
        style,
      ),
    ),
    ...listSection(
      'LEARN MORE',
      manual.topics.map((topic) => [`streamlog help ${topic}`, topics[topic]?.summary ?? '']),
      style,
    ),
  ];
}

const section = (heading: string, lines: readonly string[], {colors}: HelpStyle): string[] =>
  lines.length === 0 ? [] : ['', colors.heading(heading), ...lines];

const listSection = (
  heading: string,
  rows: readonly (readonly [term: string, text: string])[],
  style: HelpStyle,
): string[] => section(heading, termList(rows, style.width), style);

/** Never wrapped, so that it can be copied. */
const exampleLines = (comment: string, command: string, {colors}: HelpStyle): string[] => [
  ...(comment === '' ? [] : [`  ${colors.dim(`# ${comment}`)}`]),
  `  ${command}`,
];

/** `-s, --stream NAME`; flags without a letter stand below the long names of those that have one. */
const flagLabel = ({char, name, value}: FlagManual): string =>
  `${char === undefined ? '    ' : `-${char}, `}--${name}${value === '' ? '' : ` ${value}`}`;
