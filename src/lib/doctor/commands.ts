/**
 * Commands that a person may paste. Invariants: each means the same to every POSIX shell, whatever the names in it are; it goes to the server
 * that was looked at; and none has a password.
 */
import type {Name} from '../observe/snapshot.js';
import {isText, nameToJson} from '../records/names.js';
import {bytesWord, nameWord} from '../shell-word.js';

/** Words as a shell takes them, quoted. */
export interface Command {
  words: readonly string[];
  /** When to choose it, where that is not plain. */
  about?: string | undefined;
}

/** How to reach the server, as words of a shell. */
export interface ServerWords {
  /** Flags of streamlog. */
  streamlog: readonly string[];
  /** Up to where the command of Redis begins: `redis-cli`, its flags, and where to find the password. */
  redisCli: readonly string[];
}

export class Commands {
  readonly #server: ServerWords;

  constructor(server: ServerWords) {
    this.#server = server;
  }

  /** `words` are quoted already. */
  streamlog(...words: readonly string[]): Command {
    return {words: ['streamlog', ...words, ...this.#server.streamlog]};
  }

  /** `words` are quoted already. */
  redisCli(...words: readonly string[]): Command {
    return {words: [...this.#server.redisCli, ...words]};
  }

  /** The same with a key behind them, whatever bytes it has. */
  redisCliOfKey(key: Name, ...words: readonly string[]): Command {
    const printed = bytesWord(key);
    if (printed.isPlain) return this.redisCli(...words, printed.word);
    return {words: ['printf', printed.word, '|', ...this.#server.redisCli, '-x', ...words]};
  }
}

/** `--stream orders`, as words of a shell. */
export const streamWords = (stream: Name): string[] => nameWords('stream', stream, 's');
export const groupWords = (group: Name): string[] => nameWords('group', group, 'g');

/** A flag that takes a name; one that begins with a dash would be another flag. */
export const nameWords = (flag: string, name: Name, letter?: string): string[] =>
  name.startsWith('-') || letter === undefined ? [`--${flag}=${nameWord(name)}`] : [`-${letter}`, nameWord(name)];

/** A name within a sentence: JSON for one that is not text. */
export const printedName = (name: Name): string => (isText(name) ? name : nameToJson(name));

export const textOf = ({words}: Command): string => words.join(' ');
