/**
 * What `--help` and `streamlog help` print: the list of commands, a topic, or a command.
 * Written here and not by oclif, whose lists lose their indent where the first flag has no
 * letter (HelpFormatter.renderList trims the whole text) and whose usage lines name all flags.
 */
import type {Command} from '@oclif/core';
import type {Colors} from '../output/colors.js';
import {termList, wrap} from '../output/text-layout.js';
import type {CommandIndex} from './command-index.js';
import {unknownCommand} from './report-error.js';

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
  ['SERVER', ['local', 'demo']],
  ['MORE', ['completion', 'help']],
];

const FIRST_STEPS: readonly (readonly [step: string, command: string])[] = [
  ['Start a private Redis server', 'streamlog local start'],
  ['Add an entry to the stream "events"', 'streamlog produce type=login user=7'],
  ['Read it as a member of a consumer group', 'streamlog consume --exit'],
];

/** Flags of these groups come last, in this order. */
const LAST_GROUPS = ['OUTPUT', 'CONNECTION'];

/**
 * The help for `words`: a command, with whatever stands behind it, or a topic; the list of
 * commands where there are none. Throws a usage error when they name nothing.
 */
export async function helpText(words: readonly string[], index: CommandIndex, style: HelpStyle): Promise<string> {
  return `${(await helpLines(words, index, style)).join('\n')}\n`;
}

async function helpLines(words: readonly string[], index: CommandIndex, style: HelpStyle): Promise<string[]> {
  if (words.length === 0) return rootHelp(index, style);
  for (let count = words.length; count > 0; count--) {
    const id = words.slice(0, count).join(':');
    if (Object.hasOwn(index.commands, id))
      return commandHelp(id.replaceAll(':', ' '), (await index.commands[id]!.details()).default, style);
  }
  const [topic] = words;
  if (words.length === 1 && Object.hasOwn(index.pjson.oclif.topics ?? {}, topic!))
    return topicHelp(topic!, index, style);
  throw unknownCommand(words.join(' '), index);
}

function rootHelp({pjson, commands}: CommandIndex, {width, colors}: HelpStyle): string[] {
  const topics = pjson.oclif.topics ?? {};
  const summaryOf = (word: string): string => commands[word]?.brief.summary ?? topics[word]?.description ?? '';
  return [
    ...wrap(`${pjson.description}.`, width),
    ...section('USAGE', ['  streamlog COMMAND [flags]'], colors),
    ...section(
      'FIRST STEPS',
      FIRST_STEPS.flatMap(([step, command]) => exampleLines(step, command, colors)),
      colors,
    ),
    ...SECTIONS.flatMap(([heading, words]) =>
      section(
        heading,
        termList(
          words.map((word) => [word, summaryOf(word)] as const),
          width,
        ),
        colors,
      ),
    ),
  ];
}

function topicHelp(topic: string, {pjson, commands}: CommandIndex, {width, colors}: HelpStyle): string[] {
  const own = Object.entries(commands).filter(([id, {brief}]) => id.startsWith(`${topic}:`) && !brief.hidden);
  return [
    ...wrap(pjson.oclif.topics![topic]!.description ?? '', width),
    ...section('USAGE', [`  streamlog ${topic} COMMAND [flags]`], colors),
    ...section(
      'COMMANDS',
      termList(
        own.map(([id, {brief}]) => [id.replaceAll(':', ' '), brief.summary ?? ''] as const),
        width,
      ),
      colors,
    ),
    ...section('LEARN MORE', [`  streamlog ${topic} COMMAND --help`], colors),
  ];
}

function commandHelp(name: string, command: Command.Cached, {width, colors}: HelpStyle): string[] {
  const args = Object.values(command.args).filter(({hidden}) => !hidden);
  const flags = Object.values(command.flags).filter(({hidden}) => !hidden);
  const groups = [...new Set(flags.map(({helpGroup = ''}) => helpGroup))];
  const rank = (group: string): number => LAST_GROUPS.indexOf(group);
  const ordered = [
    ...groups.filter((group) => rank(group) < 0),
    ...LAST_GROUPS.filter((group) => groups.includes(group)),
  ];
  return [
    ...wrap(command.summary ?? '', width),
    ...section('USAGE', usageLines(name, command), colors),
    ...(command.description === undefined ? [] : ['', ...wrap(command.description, width)]),
    ...section(
      'EXAMPLES',
      (command.examples ?? []).flatMap((example) => exampleOf(example, colors)),
      colors,
    ),
    ...section(
      'ARGUMENTS',
      termList(
        args.map((arg) => [argLabel(arg), withDefault(arg.description, arg)] as const),
        width,
      ),
      colors,
    ),
    ...ordered.flatMap((group) =>
      section(
        group === '' ? 'FLAGS' : group,
        termList(
          flags
            .filter(({helpGroup = ''}) => helpGroup === group)
            .map((flag) => [flagLabel(flag), flagText(flag)] as const),
          width,
        ),
        colors,
      ),
    ),
  ];
}

const section = (heading: string, lines: readonly string[], colors: Colors): string[] =>
  lines.length === 0 ? [] : ['', colors.heading(heading), ...lines];

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

const exampleOf = (example: Command.Example, colors: Colors): string[] =>
  typeof example === 'string'
    ? exampleLines('', example, colors)
    : exampleLines(example.description, example.command, colors);

/** Never wrapped, so that it can be copied. */
const exampleLines = (comment: string, command: string, colors: Colors): string[] => [
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
