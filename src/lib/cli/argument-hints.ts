/** What a newcomer probably meant by words that a command does not take. Loaded only for the message. Invariant: a hint names only flags that the command has. */
import type {Interfaces} from '@oclif/core';
import {shellWord} from '../shell-word.js';

export interface Mistake {
  /** As it is typed. */
  command: string;
  /** Ours. */
  message: string;
  /** The words behind the last argument that the command takes. */
  unexpected: string | undefined;
  /** All that was typed. */
  words: readonly string[];
  flags: Interfaces.FlagInput;
  args: object;
}

/** The one thing to do, or undefined where nothing better than the help can be said. */
export function hintAtMistake({command, message, unexpected, words, flags, args}: Mistake): string | undefined {
  if (command === 'tail' && message === '--format needs a value')
    return 'tail follows by itself; -f is short for --format TEMPLATE';
  if (unexpected !== undefined) return hintAtArgument(unexpected, flags, args);
  const needing = /^--(\S+) needs a value$/.exec(message)?.[1];
  return needing === undefined ? undefined : hintAtDash(needing, words, flags);
}

function hintAtArgument(unexpected: string, flags: Interfaces.FlagInput, args: object): string | undefined {
  if ('glob' in args) return 'give one pattern, in quotes: the shell replaces it by names of files';
  if ('stream' in args && 'maxlen' in flags && /^\d+$/.test(unexpected))
    return `--maxlen ${unexpected} keeps the newest ${unexpected}`;
  if ('name' in args) return flags.url?.required ? '--url names the server' : undefined;
  return 'stream' in flags && !('stream' in args) ? '-s, or --stream, names the stream' : undefined;
}

/** A value that looks like a flag: `--file -odd.json`. */
function hintAtDash(flag: string, words: readonly string[], flags: Interfaces.FlagInput): string | undefined {
  const value = words[words.findIndex((word) => word === `--${flag}` || word === `-${flags[flag]?.char}`) + 1];
  const isFlag = Object.entries(flags).some(([name, {char}]) => value === `--${name}` || value === `-${char}`);
  if (value === undefined || isFlag || !value.startsWith('-')) return undefined;
  return `if ${shellWord(value)} is the value: --${flag}=${shellWord(value)}`;
}
