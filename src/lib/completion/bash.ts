/** The completion script for bash 3.2 (of macOS) and later. It needs neither the program nor the bash-completion package. */
import {type CommandOutline, firstWords, type ProgramOutline, spellings, type Value, wordsOfTopic} from './outline.js';

export function bashScript(program: ProgramOutline): string {
  const {name, commands, topics} = program;
  const known = [...topics.map(({word}) => word), ...commands.map(({words}) => words.join(' '))];
  return `# bash completion for ${name}; made by: ${name} completion bash

# What the flag $2 of the command $1 takes: "kind" is empty for one that stands alone.
_${name}_value() {
  kind='' choices=''
  case "$1" in
${commands.map(valueCases).join('\n')}
  esac
}

# What may stand behind the command $1: words, and flags.
_${name}_words() {
  words='' flags='--help'
  case "$1" in
    '')
      words='${list(firstWords(program))}'
      flags='--help --version'
      ;;
${topics.map(({word}) => `    '${word}') words='${list(wordsOfTopic(program, word))}' ;;`).join('\n')}
${commands.map(wordCase).join('\n')}
  esac
}

_${name}() {
  local IFS=$' \\t\\n' line="\${COMP_LINE:0:$COMP_POINT}" command='' previous='' start='' last=''
  local typed word words flags kind choices index
  read -r -a typed <<<"$line"
  case "$line" in *[[:space:]]) typed+=('') ;; esac
  last="\${typed[\${#typed[@]} - 1]}"

  for ((index = 1; index < \${#typed[@]} - 1; index++)); do
    word="\${typed[index]}"
    _${name}_value "$command" "$previous"
    if [ -n "$kind" ]; then
      previous=''
      continue
    fi
    previous="$word"
    case "\${command:+$command }$word" in
      ${known.map((words) => `'${words}'`).join(' | ')}) command="\${command:+$command }$word" ;;
    esac
  done

  case "$last" in
    --*=*)
      start="\${last%%=*}="
      previous="\${last%%=*}"
      last="\${last#*=}"
      ;;
  esac
  _${name}_value "$command" "$previous"
  _${name}_words "$command"
  case "$kind" in
    choice) words="$choices" ;;
    file)
      compopt -o filenames 2>/dev/null
      words=''
      ;;
    text) words='' ;;
    *) case "$last" in -*) words="$flags" ;; *) words="\${words:-$flags}" ;; esac ;;
  esac
  # Readline replaces only what it takes for the last word, and that may begin behind the "=".
  case "$2" in --*=*) ;; *) start='' ;; esac
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$start$word")
  done < <(if [ "$kind" = file ]; then compgen -f -- "$last"; else compgen -W "$words" -- "$last"; fi)
}

complete -F _${name} ${name}
`;
}

const list = (words: readonly {word: string}[]): string => words.map(({word}) => word).join(' ');

function valueCases({words, flags}: CommandOutline): string {
  const spellingsOf = new Map<string, string[]>();
  for (const flag of flags) {
    if (flag.value === undefined) continue;
    const key = assignments(flag.value);
    spellingsOf.set(key, [...(spellingsOf.get(key) ?? []), ...spellings(flag)]);
  }
  const cases = [...spellingsOf].map(([key, names]) => `        ${names.join(' | ')}) ${key} ;;`);
  return [`    '${words.join(' ')}')`, '      case "$2" in', ...cases, '      esac', '      ;;'].join('\n');
}

const assignments = (value: Value): string =>
  value.kind === 'choice' ? `kind=choice choices='${value.choices.join(' ')}'` : `kind=${value.kind}`;

function wordCase({words, flags, arguments: args}: CommandOutline): string {
  const choices = args.flatMap((arg) => (arg.kind === 'choice' ? arg.choices : []));
  const names = flags.map(({name}) => `--${name}`);
  return [
    `    '${words.join(' ')}')`,
    `      words='${choices.join(' ')}'`,
    `      flags='${names.join(' ')}'`,
    '      ;;',
  ].join('\n');
}
