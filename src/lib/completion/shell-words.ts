/**
 * Words of a command line as a shell hands them to its completion, and names as it takes them. Invariants: nothing
 * is expanded, so that completing never runs what was typed; what is offered, the shell reads as that name.
 */
import {nameFromText} from '../records/names.js';

export const SHELLS = ['bash', 'fish', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

export interface TypedWord {
  text: string;
  /** The quote that was opened and not closed; empty if none was. */
  quote: string;
}

/** zsh and fish have removed the quotes. Undefined where only the shell knows what the word is: `$HOME/x`. */
export function readWord(shell: Shell, word: string): TypedWord | undefined {
  return shell === 'bash' ? readQuoted(word) : {text: word, quote: ''};
}

function readQuoted(word: string): TypedWord | undefined {
  let text = '';
  let quote = '';
  for (let index = 0; index < word.length; index++) {
    const char = word[index]!;
    if (quote === "'") {
      if (char === "'") quote = '';
      else text += char;
    } else if (char === '$' || char === '`') return undefined;
    else if (char === '\\') {
      const next = word[++index] ?? '';
      text += quote === '"' && !/^["\\$`]?$/.test(next) ? char + next : next;
    } else if (char === '"') quote = quote === '"' ? '' : '"';
    else if (char === "'" && quote === '') quote = "'";
    else text += char;
  }
  return {text, quote};
}

/** Characters that could not be shown or would end the line of a candidate. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
/** What bash gives no meaning to. */
const SPECIAL = /[^\p{L}\p{M}\p{N}_.:/@%+,=-]/gu;

/** Longer ones fill the screen. */
const MOST_CHARACTERS = 256;

/** How the shell is offered `name` for a word in which `quote` is open; undefined if it cannot be. */
export function offered(shell: Shell, name: string, quote: string): string | undefined {
  // What begins with a dash would be a flag; what looks like {"$b64":…} stands for other bytes.
  if (name.length > MOST_CHARACTERS || UNSEEN.test(name) || name.startsWith('-') || nameFromText(name) !== name)
    return undefined;
  if (shell !== 'bash') return name;
  if (quote === '') return name.replace(SPECIAL, '\\$&');
  return (quote === "'" ? /'/ : /["$`\\!]/).test(name) ? undefined : name;
}
