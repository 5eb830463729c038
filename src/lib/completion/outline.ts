/**
 * The command line as completion scripts need it: words, flags, and the values that flags take.
 * Invariant: names are plain words that need no quotes; summaries are any text and must be quoted.
 */
import type {LookUp} from './live-names.js';

export type Value =
  /** One of these words. */
  | {kind: 'choice'; name: string; choices: readonly string[]}
  | {kind: 'file'; name: string}
  /** Anything; `name` says what. */
  | {kind: 'text'; name: string}
  /** A name that the program can look up: its command __complete is asked for `what`. */
  | {kind: 'live'; name: string; what: LookUp};

export interface FlagOutline {
  /** Without its dashes. */
  name: string;
  char?: string;
  summary: string;
  /** May be given more than once. */
  repeatable: boolean;
  /** Absent for a switch. */
  value?: Value;
}

export interface CommandOutline {
  /** `group list` is two of them. */
  words: readonly string[];
  summary: string;
  flags: readonly FlagOutline[];
  arguments: readonly (Value & {repeatable: boolean})[];
}

/** How names are looked up. */
export interface Lookup {
  /** A look-up ends after this long, without an answer if need be. */
  limitMs: number;
}

export interface ProgramOutline {
  name: string;
  commands: readonly CommandOutline[];
  topics: readonly {word: string; summary: string}[];
  /** Absent where nothing is looked up. */
  live?: Lookup | undefined;
}

/** A word that may follow the words typed so far. */
export interface NextWord {
  word: string;
  summary: string;
}

/** The commands and topics of the first level. */
export const firstWords = ({commands, topics}: ProgramOutline): NextWord[] =>
  [
    ...commands.filter(({words}) => words.length === 1).map(({words, summary}) => ({word: words[0]!, summary})),
    ...topics,
  ].sort((a, b) => (a.word < b.word ? -1 : 1));

/** The commands of a topic. */
export const wordsOfTopic = ({commands}: ProgramOutline, topic: string): NextWord[] =>
  commands
    .filter(({words}) => words.length === 2 && words[0] === topic)
    .map(({words, summary}) => ({word: words[1]!, summary}));

/** Flags that may stand before the command: those that most commands have that use a server, in the form that most have. */
export function leadingFlags({commands}: ProgramOutline): FlagOutline[] {
  const ofServers = commands.filter(({flags}) => flags.some(({name}) => name === 'context'));
  const forms = new Map<string, {flag: FlagOutline; count: number}>();
  for (const flag of ofServers.flatMap(({flags}) => flags)) {
    const form = JSON.stringify([flag.name, flag.char, flag.value]);
    forms.set(form, {flag, count: (forms.get(form)?.count ?? 0) + 1});
  }
  return [...forms.values()].flatMap(({flag, count}) =>
    flag.name === 'help' || count <= ofServers.length / 2 ? [] : [flag],
  );
}

/** `--stream`, `-s`. */
export const spellings = ({name, char}: FlagOutline): string[] =>
  char === undefined ? [`--${name}`] : [`--${name}`, `-${char}`];
