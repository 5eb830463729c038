/** What there is to say of a command, in the order in which help and man pages say it: one source for both. */
import type {Command} from '@oclif/core';

export interface FlagManual {
  /** `s`, without its dash. */
  char: string | undefined;
  name: string;
  /** What it takes; empty for a switch. */
  value: string;
  text: string;
}

export interface CommandManual {
  /** `group list` */
  name: string;
  summary: string;
  description: string | undefined;
  /** Lines that begin with the name of the program. */
  usage: readonly string[];
  /** The comment may be empty. */
  examples: readonly (readonly [comment: string, command: string])[];
  arguments: readonly (readonly [term: string, text: string])[];
  flags: readonly {heading: string; flags: readonly FlagManual[]}[];
  /** The pages of docs/ that a reader may want next. */
  topics: readonly string[];
}

/** Flags of these groups come last, in this order. */
const LAST_GROUPS = ['OUTPUT', 'CONNECTION'];

export function commandManual(command: Command.Cached): CommandManual {
  const name = command.id.replaceAll(':', ' ');
  const args = Object.values(command.args).filter(({hidden}) => !hidden);
  return {
    name,
    summary: command.summary ?? '',
    description: command.description,
    usage: usageLines(name, command),
    examples: (command.examples ?? []).map((example) =>
      typeof example === 'string' ? ['', shownCommand(example)] : [example.description, shownCommand(example.command)],
    ),
    arguments: args.map((arg) => [argLabel(arg), withDefault(arg.description, arg)]),
    flags: flagGroups(Object.values(command.flags).filter(({hidden}) => !hidden)),
    topics: topicsOf(name, command),
  };
}

const shownCommand = (command: string): string => command.replaceAll('<%= config.bin %>', 'streamlog');

function flagGroups(flags: readonly Command.Flag.Cached[]): CommandManual['flags'] {
  const groups = [...new Set(flags.map(({helpGroup = ''}) => helpGroup))];
  const ordered = [
    ...groups.filter((group) => !LAST_GROUPS.includes(group)),
    ...LAST_GROUPS.filter((group) => groups.includes(group)),
  ];
  return ordered.map((group) => ({
    heading: group || 'FLAGS',
    flags: flags.filter(({helpGroup = ''}) => helpGroup === group).map(flagManual),
  }));
}

const flagManual = (flag: Command.Flag.Cached): FlagManual => ({
  char: flag.char,
  name: flag.name,
  value: valueName(flag),
  text: flagText(flag),
});

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

/** Written by hand in the command's `usage`, or made of what it must be given. */
function usageLines(name: string, {usage, args, flags}: Command.Cached): string[] {
  if (usage !== undefined) return [usage].flat().map((line) => `streamlog ${line}`);
  const required = Object.values(flags).filter((flag) => flag.required);
  const words = [
    ...Object.values(args).map((arg) => (arg.required ? argLabel(arg) : `[${argLabel(arg)}]`)),
    ...required.map((flag) => `--${flag.name} ${valueName(flag)}`),
    ...(Object.keys(flags).length > required.length ? ['[flags]'] : []),
  ];
  return [`streamlog ${[name, ...words].join(' ')}`];
}

const argLabel = ({name, multiple}: Command.Arg.Cached): string => `${name.toUpperCase()}${multiple ? '...' : ''}`;

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
