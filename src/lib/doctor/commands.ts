/**
 * Commands that a person may paste. Invariants: each means the same to every POSIX shell, whatever the names in it are; it goes to the server
 * that was looked at; and none has a password.
 */
import type {Name} from '../observe/snapshot.js';
import {isText, nameToJson} from '../records/names.js';
import {bytesWord, flagWords, nameWord, shellWord} from '../shell-word.js';
import type {StreamClient} from '../stream-client.js';

/** Words as a shell takes them, quoted. */
export interface Command {
  words: readonly string[];
  /** When to choose it, where that is not plain. */
  about?: string | undefined;
}

/** How to reach the server that was used, as words of a shell. */
export interface ServerWords {
  /** Flags of streamlog. */
  streamlog: readonly string[];
  redisCli: {
    /** What stands before it: where it finds the password. */
    environment: readonly string[];
    /** What it needs besides the address. */
    flags: readonly string[];
    /** The name of the variable that has the whole URL, with a password, in a form that redis-cli takes. */
    urlVariable: string | undefined;
  };
  /** Whether commands of streamlog need a password that was typed, which is not among them. */
  lacksPassword: boolean;
}

type Server = Pick<StreamClient['server'], 'nodes' | 'redisCli' | 'isCluster'>;

export class Commands {
  readonly #words: ServerWords;
  readonly #server: Server;

  constructor(words: ServerWords, server: Server) {
    this.#words = words;
    this.#server = server;
  }

  /** `words` are quoted already. */
  streamlog(...words: readonly string[]): Command {
    return {words: ['streamlog', ...words, ...this.#words.streamlog]};
  }

  /** The output of one into the other. */
  static piped(from: Command, into: Command): Command {
    return {words: [...from.words, '|', ...into.words]};
  }

  /** To one of `server.nodes`. `words` are quoted already. */
  redisCli(node: string, ...words: readonly string[]): Command {
    return {words: [...this.#redisCli(node), ...words]};
  }

  /** A command of `key`, whatever bytes it has; `after` stands behind it. */
  redisCliOfKey(key: Name, command: readonly string[], ...after: readonly string[]): Command {
    const [node = ''] = this.#server.nodes;
    const cli = [...this.#redisCli(node), ...(this.#server.isCluster ? ['-c'] : [])];
    const printed = bytesWord(key);
    if (printed.isPlain) return {words: [...cli, ...command, printed.word, ...after]};
    // redis-cli reads the key from its input, and puts it last, or where KEY stands.
    const reading = after.length === 0 ? ['-x', ...command] : ['-X', 'KEY', ...command, 'KEY', ...after];
    return {words: ['printf', printed.word, '|', ...cli, ...reading]};
  }

  #redisCli(node: string): string[] {
    const {environment, flags, urlVariable} = this.#words.redisCli;
    if (urlVariable !== undefined && node === '') return ['redis-cli', '-u', `"$${urlVariable}"`, ...flags];
    return [...environment, ...this.#server.redisCli(node).map(shellWord), ...flags];
  }
}

/** `-s orders`, as words of a shell. */
export const streamWords = (stream: Name): string[] => nameWords('stream', stream, 's');

/** `-s orders -g billing`. */
export const groupWords = ({stream, group}: {stream: {stream: Name}; group: {group: Name}}): string[] => [
  ...streamWords(stream.stream),
  ...nameWords('group', group.group, 'g'),
];

/** A flag that takes a name. */
export const nameWords = (flag: string, name: Name, letter?: string): string[] =>
  flagWords(flag, name, letter, nameWord);

/** A name within a sentence: JSON for one that is not text. */
export const printedName = (name: Name): string => (isText(name) ? name : nameToJson(name));

export const textOf = ({words}: Command): string => words.join(' ');
