/** The completion script for zsh, by its function _arguments (zshcompsys(1)). */
import {
  type CommandOutline,
  type FlagOutline,
  firstWords,
  type Lookup,
  leadingFlags,
  type NextWord,
  type ProgramOutline,
  spellings,
  type Value,
  wordsOfTopic,
} from './outline.js';

export function zshScript(program: ProgramOutline): string {
  const {name, commands, topics, live} = program;
  const topLevel = commands.filter(({words}) => words.length === 1);
  const topLevelCases = [
    ...topLevel.map((command) => commandCase(name, command)),
    ...topics.map(({word}) => `        ${word}) _${name}_${word} ;;`),
  ];
  const leading = leadingFlags(program).flatMap((flag) => flagSpecs(name, flag));
  const topicFunctions = topics.map(({word}) => {
    const inTopic = commands.filter(({words}) => words.length === 2 && words[0] === word);
    return levelFunction(
      `_${name}_${word}`,
      wordsOfTopic(program, word),
      inTopic.map((command) => commandCase(name, command)),
      leading,
    );
  });
  return `#compdef ${name}
# zsh completion for ${name}; made by: ${name} completion zsh

${live === undefined ? '' : liveFunction(name, live)}${topicFunctions.join('\n')}
${levelFunction(`_${name}`, firstWords(program), topLevelCases, ['(- *)--version[show the version]', ...leading], live === undefined ? '' : keepLine(name))}
# Autoloaded from fpath this file is the function itself; sourced, it only defines it.
if [ "$funcstack[1]" = _${name} ]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

/** `_arguments` changes `words`, so the line is kept first. */
const liveFunction = (
  name: string,
  {limitMs}: Lookup,
): string => `# Names that exist and begin as the word does. The last argument is their kind, the others are for compadd.
_${name}_live() {
  local -a names
  names=("\${(@f)$("\${(Q)_${name}_typed[1]}" __complete "\${@[-1]}" --shell zsh --limit ${limitMs} -- "\${(Q)PREFIX}" "\${(@Q)_${name}_typed[2,-1]}" 2>/dev/null)}")
  compadd "\${(@)argv[1,-2]}" -a names
}

`;

/** A function that completes one word, and passes what follows to the function of that word. */
const levelFunction = (
  functionName: string,
  next: readonly NextWord[],
  cases: readonly string[],
  moreSpecs: readonly string[],
  preparation = '',
): string => `${functionName}() {
${preparation}  local context state state_descr line
  local -A opt_args
  local -a candidates
  candidates=(
${next.map(({word, summary}) => `    ${quoted(`${word}:${summary}`)}`).join('\n')}
  )
  _arguments -C -A '-*' ${[HELP, ...moreSpecs, '1: :->word', '*:: :->rest'].map(quoted).join(' ')}
  case "$state" in
    word) _describe -t commands command candidates ;;
    rest)
      case "$words[1]" in
${cases.join('\n')}
      esac
      ;;
  esac
}
`;

const keepLine = (name: string): string => `  local -a _${name}_typed=("\${(@)words[1,CURRENT - 1]}")
`;

const HELP = '(- *)--help[show help]';

function commandCase(program: string, {words, flags, arguments: args}: CommandOutline): string {
  const specs = [
    ...flags.flatMap((flag) => flagSpecs(program, flag)),
    ...args.map((arg, index) => `${arg.repeatable ? '*' : index + 1}:${arg.name}${action(program, arg)}`),
  ];
  return [
    `        ${words.at(-1)})`,
    '          _arguments \\',
    specs.map((spec) => `            ${quoted(spec)}`).join(' \\\n'),
    '          ;;',
  ].join('\n');
}

function flagSpecs(program: string, flag: FlagOutline): string[] {
  const all = spellings(flag);
  const prefix = flag.repeatable ? '*' : `(${all.join(' ')})`;
  const value = flag.value === undefined ? '' : `:${escaped(flag.value.name)}${action(program, flag.value)}`;
  return all.map((spelling) => {
    const attached = flag.value !== undefined && spelling.startsWith('--') ? '=' : '';
    return `${prefix}${spelling}${attached}[${escaped(flag.summary)}]${value}`;
  });
}

function action(program: string, value: Value): string {
  if (value.kind === 'live') return `:_${program}_live ${value.what}`;
  if (value.kind === 'choice') return `:(${value.choices.join(' ')})`;
  return value.kind === 'file' ? ':_files' : ': ';
}

/** Escapes the characters that _arguments interprets. */
const escaped = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
