/** The completion script for bash 3.2 (of macOS) and later. It needs no bash-completion package, and the program only for names that it looks up. */
import {
  type CommandOutline,
  type FlagOutline,
  firstWords,
  type Lookup,
  leadingFlags,
  type ProgramOutline,
  spellings,
  type Value,
  wordsOfTopic,
} from './outline.js';

export function bashScript(program: ProgramOutline): string {
  const {name, commands, topics, live} = program;
  const known = [...topics.map(({word}) => word), ...commands.map(({words}) => words.join(' '))];
  const leading = leadingFlags(program);
  const leadingNames = leading.map((flag) => `--${flag.name}`).join(' ');
  return `# bash completion for ${name}; made by: ${name} completion bash

# What the flag $2 of the command $1 takes: "kind" is empty for one that stands alone.
_${name}_value() {
  kind='' choices='' what=''
  case "$1" in
${valueCases(['', ...topics.map(({word}) => word)], leading)}
${commands.map(({words, flags}) => valueCases([words.join(' ')], flags)).join('\n')}
  esac
}

# What may stand behind the command $1: words, flags, and what kind of name.
_${name}_words() {
  words='' flags='--help' argument=''
  case "$1" in
    '')
      words='${list(firstWords(program))}'
      flags='--help --version ${leadingNames}'
      ;;
${topics.map(({word}) => `    '${word}') words='${list(wordsOfTopic(program, word))}' flags='--help ${leadingNames}' ;;`).join('\n')}
${commands.map(wordCase).join('\n')}
  esac
}

# Splits $1 into "typed", with its quotes.
_${name}_split() {
  local rest="$1" word='' open='' char=''
  typed=()
  case "$rest" in
    *[\\"\\'\\\\]*) ;;
    *)
      read -r -a typed <<<"$rest"
      case "$rest" in *[[:space:]]) typed+=('') ;; esac
      return
      ;;
  esac
  while [ -n "$rest" ]; do
    char="\${rest:0:1}" rest="\${rest:1}"
    case "$open$char" in
      [[:space:]])
        if [ -n "$word" ]; then typed+=("$word"); fi
        word=''
        continue
        ;;
      \\\\ | \\"\\\\) word+="$char" char="\${rest:0:1}" rest="\${rest:1}" ;;
      \\" | \\') open="$char" ;;
      \\"\\" | \\'\\') open='' ;;
    esac
    word+="$char"
  done
  typed+=("$word")
}

_${name}() {
  local IFS=$' \\t\\n' line="\${COMP_LINE:0:$COMP_POINT}" command='' previous='' start='' last=''
  local typed word words flags kind choices what argument index
  _${name}_split "$line"
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
    live) ;;
    *)
      case "$last" in
        -*) words="$flags" ;;
        *) if [ -n "$argument" ]; then kind=live what="$argument"; else words="\${words:-$flags}"; fi ;;
      esac
      ;;
  esac
  COMPREPLY=()
${live === undefined ? '' : liveReply(live)}  # Readline replaces only what it takes for the last word, and that may begin behind the "=".
  case "$2" in --*=*) ;; *) start='' ;; esac
  while IFS= read -r word; do
    COMPREPLY+=("$start$word")
  done < <(if [ "$kind" = file ]; then compgen -f -- "$last"; else compgen -W "$words" -- "$last"; fi)
}

complete -F _${name} ${name}
`;
}

const list = (words: readonly {word: string}[]): string => words.map(({word}) => word).join(' ');

/** `behind`: command lines up to the flag, without other flags. */
function valueCases(behind: readonly string[], flags: readonly FlagOutline[]): string {
  const spellingsOf = new Map<string, string[]>();
  for (const flag of flags) {
    if (flag.value === undefined) continue;
    const key = assignments(flag.value);
    spellingsOf.set(key, [...(spellingsOf.get(key) ?? []), ...spellings(flag)]);
  }
  const cases = [...spellingsOf].map(([key, names]) => `        ${names.join(' | ')}) ${key} ;;`);
  return [
    `    ${behind.map((words) => `'${words}'`).join(' | ')})`,
    '      case "$2" in',
    ...cases,
    '      esac',
    '      ;;',
  ].join('\n');
}

function assignments(value: Value): string {
  if (value.kind === 'choice') return `kind=choice choices='${value.choices.join(' ')}'`;
  return value.kind === 'live' ? `kind=live what=${value.what}` : `kind=${value.kind}`;
}

function wordCase({words, flags, arguments: args}: CommandOutline): string {
  const choices = args.flatMap((arg) => (arg.kind === 'choice' ? arg.choices : []));
  const names = flags.map(({name}) => `--${name}`);
  const live = args.find((arg) => arg.kind === 'live');
  return [
    `    '${words.join(' ')}')`,
    `      words='${choices.join(' ')}'`,
    `      flags='${names.join(' ')}'`,
    ...(live === undefined ? [] : [`      argument=${live.what}`]),
    '      ;;',
  ].join('\n');
}

/** Readline replaces what it takes for the last word, which begins behind a ":" or "=" or an open quote. */
const liveReply = ({limitMs}: Lookup): string => `  if [ "$kind" = live ]; then
    local head='' flag=''
    case "$2" in --*=*) flag="$start" ;; esac
    case "$last" in *"$2") head="\${last%"$2"}" ;; esac
    while IFS= read -r word; do
      COMPREPLY+=("$flag\${word#"$head"}")
    done < <("$1" __complete "$what" --shell bash --limit ${limitMs} -- "$last" "\${typed[@]:1:\${#typed[@]} - 2}" 2>/dev/null)
    return
  fi
`;
