/**
 * Manual pages, in the man macros of roff (man(7)), from what help is made of. Invariant: no text is taken
 * for a request or an escape sequence, whatever it begins with or holds.
 */
import {EXIT_CODES} from '../exit-codes.js';
import {type CommandIndex, commandTopics, shownCommands} from './command-index.js';
import {type CommandManual, commandManual, type FlagManual} from './command-manual.js';

export interface ManPage {
  /** `streamlog-group-list` */
  name: string;
  roff: string;
}

/** For `words`, a command or a word such as `group`; of the program without words. Undefined if they name neither. */
export async function manPage(words: readonly string[], index: CommandIndex): Promise<ManPage | undefined> {
  if (words.length === 0) return programPage(index);
  const id = words.join(':');
  if (Object.hasOwn(index.commands, id))
    return commandPage(commandManual((await index.commands[id]!.details()).default), index);
  const description = commandTopics(index).get(id);
  return description === undefined ? undefined : topicPage(id, description, index);
}

/** Of the program, and of every command and topic that is not hidden. */
export async function manPages(index: CommandIndex): Promise<ManPage[]> {
  const ids = [...commandTopics(index).keys(), ...shownCommands(index).map(({id}) => id)];
  const pages = await Promise.all([[], ...ids.map((id) => id.split(':'))].map((words) => manPage(words, index)));
  return pages.filter((page) => page !== undefined);
}

function programPage(index: CommandIndex): ManPage {
  const {pjson} = index;
  return page('streamlog', `${pjson.description}.`, index, [
    ...section('SYNOPSIS', plain(['streamlog COMMAND [flags]', 'streamlog help [COMMAND|TOPIC]'])),
    ...section('DESCRIPTION', text(`${pjson.description}.`)),
    ...section(
      'COMMANDS',
      shownCommands(index).flatMap(({name, summary}) => item(bold(`streamlog ${name}`), summary)),
    ),
    ...section(
      'EXIT STATUS',
      Object.values(EXIT_CODES).flatMap(({code, meaning}) => item(bold(String(code)), meaning)),
    ),
    ...seeAlso(shownCommands(index).map(({name}) => name)),
  ]);
}

function topicPage(topic: string, description: string, index: CommandIndex): ManPage {
  const own = shownCommands(index).filter(({id}) => id.startsWith(`${topic}:`));
  return page(`streamlog ${topic}`, description, index, [
    ...section('SYNOPSIS', plain([`streamlog ${topic} COMMAND [flags]`])),
    ...section('DESCRIPTION', text(description)),
    ...section(
      'COMMANDS',
      own.flatMap(({name, summary}) => item(bold(`streamlog ${name}`), summary)),
    ),
    ...seeAlso(['', ...own.map(({name}) => name)]),
  ]);
}

function commandPage(manual: CommandManual, index: CommandIndex): ManPage {
  const {name, summary, description, usage, examples, topics} = manual;
  const [topic] = name.split(' ');
  return page(`streamlog ${name}`, summary, index, [
    ...section('SYNOPSIS', plain(usage)),
    ...section('DESCRIPTION', [...text(summary), ...(description === undefined ? [] : ['.PP', ...text(description)])]),
    ...section(
      'ARGUMENTS',
      manual.arguments.flatMap(([term, meaning]) => item(italic(term), meaning)),
    ),
    ...manual.flags.flatMap(({heading, flags}) =>
      section(
        heading === 'FLAGS' ? 'OPTIONS' : `${heading} OPTIONS`,
        flags.flatMap((flag) => item(flagTerm(flag), flag.text)),
      ),
    ),
    ...section('EXIT STATUS', text('0 if all is done; the others are in streamlog(1).')),
    ...section(
      'EXAMPLES',
      examples.flatMap(([comment, command], at) => [
        ...(at === 0 ? [] : ['.PP']),
        ...text(comment),
        ...literal(command),
      ]),
    ),
    ...section(
      'MORE',
      topics.flatMap((one) => item(bold(`streamlog help ${one}`), index.topics[one]?.summary ?? '')),
    ),
    ...seeAlso(['', ...(name.includes(' ') ? [topic!] : [])]),
  ]);
}

function page(title: string, summary: string, {pjson}: CommandIndex, body: readonly string[]): ManPage {
  const name = title.replaceAll(' ', '-');
  const lines = [
    `.TH ${escaped(name.toUpperCase())} 1 "${pjson.date}" "streamlog ${pjson.version}" "streamlog manual"`,
    '.SH NAME',
    `${escaped(name)} \\-`,
    ...text(summary.replace(/\.$/, '')),
    ...body,
  ];
  return {name, roff: `${lines.join('\n')}\n`};
}

const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`.SH ${heading}`, ...lines];

const item = (term: string, meaning: string): string[] => ['.TP', term, ...text(meaning)];

/** By commands as they are typed; the empty one is the program. */
function seeAlso(commands: readonly string[]): string[] {
  const names = commands.map((command) => ['streamlog', ...command.split(' ').filter(Boolean)].join('-'));
  const lines = names.map((name, at) => `.BR ${escaped(name)} (1)${at === names.length - 1 ? '' : ' ,'}`);
  return section('SEE ALSO', lines);
}

/** Lines that stay as they are. */
const plain = (lines: readonly string[]): string[] => ['.nf', ...lines.map((line) => guarded(escaped(line))), '.fi'];

/** The same, indented: what can be copied into a shell. */
const literal = (command: string): string[] => ['.RS 4', ...plain(command.split('\n')), '.RE'];

/** Short lines, which roff fills itself. */
function text(words: string): string[] {
  const lines: string[] = [];
  for (const word of words.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => guarded(escaped(line)));
}

const WIDTH = 60;

function flagTerm({char, name, value}: FlagManual): string {
  const letter = char === undefined ? '' : `${bold(`-${char}`)}, `;
  return `${letter}${bold(`--${name}`)}${value === '' ? '' : ` ${italic(value)}`}`;
}

const bold = (words: string): string => `\\fB${escaped(words)}\\fP`;
const italic = (words: string): string => `\\fI${escaped(words)}\\fP`;

/** A line that begins so would be a request. */
const guarded = (line: string): string => line.replace(/^(?=[.'])/, '\\&');

const NAMED: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** As the characters that they are (groff_char(7)): a dash could be copied, a quote is no apostrophe. */
const escaped = (words: string): string =>
  words.replace(/[\\'"`^~-]|[^\x20-\x7e]/gu, (char) => NAMED[char] ?? unicode(char));

const unicode = (char: string): string => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
