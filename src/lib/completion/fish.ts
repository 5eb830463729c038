/** The completion script for fish: a line for each word and flag, with the condition under which it is offered. */
import {
  type CommandOutline,
  type FlagOutline,
  firstWords,
  type Lookup,
  leadingFlags,
  type NextWord,
  type ProgramOutline,
  wordsOfTopic,
} from './outline.js';

export function fishScript(program: ProgramOutline): string {
  const {name, commands, topics, live} = program;
  const known = [...topics.map(({word}) => word), ...commands.map(({words}) => words.join(' '))];
  const words = [
    ...firstWords(program).map((next) => wordLine(name, '', next)),
    ...topics.flatMap(({word}) => wordsOfTopic(program, word).map((next) => wordLine(name, word, next))),
  ];
  return `# fish completion for ${name}; made by: ${name} completion fish

# True when the words typed so far are those of the command $argv.
function __${name}_at
    set -l typed (commandline -opc)
    set -l command
    for word in $typed[2..-1]
        set -l longer (string join ' ' -- $command $word)
        if contains -- $longer ${known.map(quoted).join(' ')}
            set command $command $word
        end
    end
    test "$command" = "$argv"
end
${live === undefined ? '' : liveFunction(name, live)}
complete -c ${name} -f
complete -c ${name} -n '__${name}_at ""' -l version -d 'show the version'
complete -c ${name} -n '__${name}_at ""' -s h -l help -d 'show help'
${['', ...topics.map(({word}) => word)].flatMap((words) => leadingFlags(program).map((flag) => flagLine(name, words, flag))).join('\n')}
${words.join('\n')}
${commands.flatMap((command) => commandLines(name, command)).join('\n')}
`;
}

const wordLine = (name: string, topic: string, {word, summary}: NextWord): string =>
  `complete -c ${name} -n ${condition(name, topic)} -a ${word} -d ${quoted(summary)}`;

/** The token that is being typed has its quotes, and perhaps the flag that it is the value of. */
const liveFunction = (name: string, {limitMs}: Lookup): string => `
# Names of the kind $argv[1] that exist and begin as the token does.
function __${name}_live
    set -l typed (commandline -opc)
    set -l token (commandline -ct | string replace -r '^--[a-z-]+=' '' | string unescape)
    command $typed[1] __complete $argv[1] --shell fish --limit ${limitMs} -- "$token" $typed[2..-1] 2>/dev/null
end
`;

function commandLines(name: string, {words, flags, arguments: args}: CommandOutline): string[] {
  const start = `complete -c ${name} -n ${condition(name, words.join(' '))}`;
  const choices = args.flatMap((arg) => (arg.kind === 'choice' ? arg.choices : []));
  const live = args.find((arg) => arg.kind === 'live');
  return [
    ...flags.map((flag) => flagLine(name, words.join(' '), flag)),
    ...(choices.length === 0 ? [] : [`${start} -a ${quoted(choices.join(' '))}`]),
    ...(live === undefined ? [] : [`${start} -a ${liveNames(name, live.what)}`]),
  ];
}

const flagLine = (name: string, words: string, flag: FlagOutline): string =>
  `complete -c ${name} -n ${condition(name, words)} ${flagOptions(name, flag)} -d ${quoted(flag.summary)}`;

function flagOptions(program: string, {name, char, value}: FlagOutline): string {
  const spelled = char === undefined ? `-l ${name}` : `-s ${char} -l ${name}`;
  if (value === undefined) return spelled;
  if (value.kind === 'file') return `${spelled} -r -F`;
  if (value.kind === 'live') return `${spelled} -x -a ${liveNames(program, value.what)}`;
  return value.kind === 'choice' ? `${spelled} -x -a ${quoted(value.choices.join(' '))}` : `${spelled} -x`;
}

const liveNames = (program: string, what: string): string => quoted(`(__${program}_live ${what})`);

const condition = (name: string, words: string): string => quoted(`__${name}_at ${words === '' ? '""' : words}`);

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
