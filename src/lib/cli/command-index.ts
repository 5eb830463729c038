/**
 * The index of commands that the build makes (scripts/command-index.js), and the
 * oclif plugin (https://oclif.io/docs/plugin_loading) that is made of it. Invariant: a run loads the one command that
 * it runs, and help reads only what it prints.
 */
import type {Command, Config, Interfaces} from '@oclif/core';

export interface CommandIndex {
  /** Of package.json, what oclif reads; and the date of the build, `2026-12-01`. */
  pjson: Interfaces.PJSON & {date: string};
  /** By ID: `group:list`. */
  commands: Record<string, IndexedCommand>;
  /** Pages of docs/ by topic, in the order of docs/README.md. */
  topics: Record<string, Topic>;
  flags(): Promise<{default: FlagTable}>;
}

/** For each command, by ID, its flags as they are typed (`--stream`, `-s`), and whether they take a value. */
export type FlagTable = Record<string, Record<string, boolean>>;

export interface Topic {
  /** The name of the file. */
  page: string;
  summary: string;
  /** The page as Markdown. */
  load(): Promise<{default: string}>;
}

export interface IndexedCommand {
  /** What every run knows: the summary, aliases and whether it is hidden. */
  brief: Partial<Command.Cached>;
  /** All that help shows: flags, description and examples too. */
  details(): Promise<{default: Command.Cached}>;
  /** The module whose default export is the command's class. */
  load(): Promise<{default: unknown}>;
}

/** What oclif's configuration is made of. It keeps it, and so `indexOf` finds the index there again. */
interface ProgramOptions extends Interfaces.Options {
  index: CommandIndex;
}

export function oclifOptions(index: CommandIndex): ProgramOptions {
  const {pjson, commands} = index;
  const listed = Object.entries(commands).map(([id, {brief, load}]) => ({
    flags: {},
    args: {},
    ...brief,
    id,
    load: async () => Object.assign((await load()).default as Command.Class, {id}),
  }));
  const plugin = {
    _base: '',
    alias: pjson.name,
    name: pjson.name,
    version: pjson.version,
    type: 'core',
    moduleType: 'module',
    isRoot: true,
    valid: true,
    hasManifest: true,
    hooks: {},
    root: '/',
    pjson,
    options: {root: '/'},
    parent: undefined,
    commandsDir: undefined,
    topics: Object.entries(pjson.oclif.topics ?? {}).map(([name, topic]) => ({name, ...topic})),
    commandIDs: Object.keys(commands),
    commands: listed,
    findCommand: (id: string) => listed.find((command) => command.id === id)!.load(),
    load: async () => {},
  };
  return {root: '/', pjson, plugins: new Map([[pjson.name, plugin as unknown as Interfaces.Plugin]]), index};
}

/** The words that are commands only with a second one, such as `group`, and what they are for. */
export const commandTopics = ({pjson}: CommandIndex): ReadonlyMap<string, string> =>
  new Map(Object.entries(pjson.oclif.topics ?? {}).map(([word, {description = ''}]) => [word, description]));

/** All that are not hidden; `name` as it is typed: `group list`. */
export const shownCommands = ({commands}: CommandIndex): {id: string; name: string; summary: string}[] =>
  Object.entries(commands)
    .filter(([, {brief}]) => !brief.hidden)
    .map(([id, {brief}]) => ({id, name: id.replaceAll(':', ' '), summary: brief.summary ?? ''}));

export const indexOf = (config: Config): CommandIndex => (config.options as ProgramOptions).index;
