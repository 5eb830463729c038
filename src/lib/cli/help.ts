/**
 * What `--help` and `streamlog help` print: the list of commands, a command, or a page of docs/.
 * Written here and not by oclif, whose lists lose their indent where the first flag has no
 * letter (https://github.com/oclif/core/blob/main/src/help/formatter.ts) and whose usage lines name all flags.
 */
import type {Command} from '@oclif/core';
import type {Colors} from '../output/colors.js';
import {renderMarkdown} from '../output/markdown.js';
import {termList, wrap} from '../output/text-layout.js';
import type {CommandIndex} from './command-index.js';
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
  ['LOOK', ['ls', 'info']],
  ['SERVER', ['context', 'local', 'demo']],
  ['MORE', ['completion', 'help', 'version']],
];

const FIRST_STEPS: readonly (readonly [step: string, command: string])[] = [
  ['Start a private Redis server', 'streamlog local start'],
  ['Add an entry to the stream "events"', 'streamlog produce type=login user=7'],
  ['Read it as a member of a consumer group', 'streamlog consume --exit'],
];

/** Flags of these groups come last, in this order. */
const LAST_GROUPS = ['OUTPUT', 'CONNECTION'];

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
      return commandHelp((await index.commands[id]!.details()).default, index, style);
  }
  const [topic] = words;
  if (words.length === 1 && Object.hasOwn(index.pjson.oclif.topics ?? {}, topic!))
    return commandGroupHelp(topic!, index, style);
  if (words.length === 1 && Object.hasOwn(index.topics, topic!)) return pageOf(topic!, index, style);
  throw unknownCommand(words, index);
}

function rootHelp({pjson, commands, topics}: CommandIndex, style: HelpStyle): string[] {
  const groups = pjson.oclif.topics ?? {};
  const summaryOf = (word: string): string => commands[word]?.brief.summary ?? groups[word]?.description ?? '';
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
function commandGroupHelp(word: string, {pjson, commands}: CommandIndex, style: HelpStyle): string[] {
  const own = Object.entries(commands).filter(([id, {brief}]) => id.startsWith(`${word}:`) && !brief.hidden);
  return [
    ...wrap(pjson.oclif.topics![word]!.description ?? '', style.width),
    ...section('USAGE', [`  streamlog ${word} COMMAND [flags]`], style),
    ...listSection(
      'COMMANDS',
      own.map(([id, {brief}]) => [id.replaceAll(':', ' '), brief.summary ?? '']),
      style,
    ),
    ...section('LEARN MORE', [`  streamlog ${word} COMMAND --help`], style),
  ];
}

function commandHelp(command: Command.Cached, {topics}: CommandIndex, style: HelpStyle): string[] {
  const name = command.id.replaceAll(':', ' ');
  const args = Object.values(command.args).filter(({hidden}) => !hidden);
  const flags = Object.values(command.flags).filter(({hidden}) => !hidden);
  const groups = [...new Set(flags.map(({helpGroup = ''}) => helpGroup))];
  const ordered = [
    ...groups.filter((group) => !LAST_GROUPS.includes(group)),
    ...LAST_GROUPS.filter((group) => groups.includes(group)),
  ];
  return [
    ...wrap(command.summary ?? '', style.width),
    ...section('USAGE', usageLines(name, command), style),
    ...(command.description === undefined ? [] : ['', ...wrap(command.description, style.width)]),
    ...section(
      'EXAMPLES',
      (command.examples ?? []).flatMap((example) => exampleOf(example, style)),
      style,
    ),
    ...listSection(
      'ARGUMENTS',
      args.map((arg) => [argLabel(arg), withDefault(arg.description, arg)]),
      style,
    ),
    ...ordered.flatMap((group) => {
      const own = flags.filter(({helpGroup = ''}) => helpGroup === group);
      return listSection(
        group || 'FLAGS',
        own.map((flag) => [flagLabel(flag), flagText(flag)]),
        style,
      );
    }),
    ...listSection(
      'LEARN MORE',
      topicsOf(name, command).map((topic) => [`streamlog help ${topic}`, topics[topic]?.summary ?? '']),
      style,
    ),
  ];
}

/** The pages that a reader of this help may want next. */
function topicsOf(name: string, {flags}: Command.Cached): string[] {
  const [, own] = OWN_TOPICS.find(([commands]) => commands.test(name)) ?? [];
  return [
    ...(own === undefined ? [] : [own]),
    ...('where' in flags ? ['filters'] : []),
    ...('format' in flags || 'from' in flags || 'to' in flags ? ['formats'] : []),
    ...('url' in flags ? ['connecting'] : []),
  ];
}

const OWN_TOPICS: readonly (readonly [commands: RegExp, topic: string])[] = [
  [/^produce/, 'producing'],
  [/^(consume|pending|ack|nack|claim|dlq)/, 'delivery'],
  [/^serve/, 'http'],
  [/^context/, 'contexts'],
];

const section = (heading: string, lines: readonly string[], {colors}: HelpStyle): string[] =>
  lines.length === 0 ? [] : ['', colors.heading(heading), ...lines];

const listSection = (
  heading: string,
  rows: readonly (readonly [term: string, text: string])[],
  style: HelpStyle,
): string[] => section(heading, termList(rows, style.width), style);

/** Written by hand in the command's `usage`, or made of what it must be given. */
function usageLines(name: string, {usage, args, flags}: Command.Cached): string[] {
  if (usage !== undefined) return [usage].flat().map((line) => `  streamlog ${line}`);
  const required = Object.values(flags).filter((flag) => flag.required);
  const words = [
    ...Object.values(args).map((arg) => (arg.required ? argLabel(arg) : `[${argLabel(arg)}]`)),
    ...required.map((flag) => `--${flag.name} ${valueName(flag)}`),
    ...(Object.keys(flags).length > required.length ? ['[flags]'] : []),
  ];
  return [`  streamlog ${[name, ...words].join(' ')}`];
}

const exampleOf = (example: Command.Example, style: HelpStyle): string[] =>
  typeof example === 'string'
    ? exampleLines('', example, style)
    : exampleLines(example.description, example.command, style);

/** Never wrapped, so that it can be copied. */
const exampleLines = (comment: string, command: string, {colors}: HelpStyle): string[] => [
  ...(comment === '' ? [] : [`  ${colors.dim(`# ${comment}`)}`]),
  `  ${command.replaceAll('<%= config.bin %>', 'streamlog')}`,
];

const argLabel = ({name, multiple}: Command.Arg.Cached): string => `${name.toUpperCase()}${multiple ? '...' : ''}`;

/** `-s, --stream NAME`; flags without a letter stand below the long names of those that have one. */
function flagLabel(flag: Command.Flag.Cached): string {
  const value = flag.type === 'boolean' ? '' : ` ${valueName(flag)}`;
  return `${flag.char === undefined ? '    ' : `-${flag.char}, `}--${flag.name}${value}`;
}

const valueName = (flag: Command.Flag.Cached): string =>
  flag.type === 'boolean' ? '' : (flag.options?.join('|') ?? String(flag.helpValue ?? 'VALUE'));

function flagText(flag: Command.Flag.Cached): string {
  const text = withDefault(flag.summary ?? flag.description, flag.type === 'boolean' ? {} : flag);
  return flag.required ? `${text} (required)` : text;
}

function withDefault(text = '', {default: value, env}: {default?: unknown; env?: string | undefined}): string {
  const facts = [
    ...(value === undefined ? [] : [`default: ${shown(value)}`]),
    ...(env === undefined ? [] : [`env: ${env}`]),
  ];
  return facts.length === 0 ? text : `${text} (${facts.join('; ')})`;
}

const shown = (value: unknown): string =>
  Array.isArray(value) ? (value.length === 0 ? 'none' : value.join(', ')) : String(value);
