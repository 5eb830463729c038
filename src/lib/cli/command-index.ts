/**
 * The index of commands that the build makes (scripts/command-index.js), and the
 * oclif plugin that is made of it. Invariant: a run loads the one command that
 * it runs, and reads the flags of those commands whose help it prints.
 */
import type {Command, Interfaces} from '@oclif/core';

export interface CommandIndex {
  /** Of package.json, what oclif reads. */
  pjson: Interfaces.PJSON;
  /** By ID: `group:list`. */
  commands: Record<string, IndexedCommand>;
}

export interface IndexedCommand {
  /** What every run knows: the summary, aliases, whether it is hidden, and arguments, by which oclif tells where the words of a command end. */
  brief: Partial<Command.Cached>;
  /** All that help says: flags, description and examples too. */
  details(): Promise<{default: Command.Cached}>;
  /** The module whose default export is the command's class. */
  load(): Promise<{default: unknown}>;
}

/** The help flags of package.json, oclif's own, and the word that oclif takes for one. */
const HELP = new Set(['--help', '-h', 'help']);

/**
 * For oclif to make its configuration of: one that is made already it would make
 * anew. Of commands whose help `argv` asks for, the details are read.
 */
export async function oclifOptions({pjson, commands}: CommandIndex, argv: string[]): Promise<Interfaces.LoadOptions> {
  const listed = Object.entries(commands).map(([id, command]) => new ListedCommand(id, command));
  const asked = idsOfHelp(argv);
  await readDetails(listed.filter(({id}) => asked.has(id)));
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
  return {root: '/', pjson, plugins: new Map([[pjson.name, plugin as unknown as Interfaces.Plugin]])};
}

/** As oclif finds it: the words before the first flag, or some of them. Empty where no help is asked for. */
function idsOfHelp(argv: readonly string[]): Set<string> {
  const words = argv.filter((word) => !HELP.has(word));
  if (words.length === argv.length) return new Set();
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  const leading = firstFlag < 0 ? words : words.slice(0, firstFlag);
  return new Set(leading.map((_, index) => leading.slice(0, index + 1).join(':')));
}

/** Reads flags and all else that help says of `commands`: those of oclif's configuration. */
export async function readDetails(commands: Iterable<object>): Promise<void> {
  await Promise.all([...commands].map((command) => command instanceof ListedCommand && command.readDetails()));
}

/** A command as oclif's configuration holds it, without flags until they are read. */
class ListedCommand {
  readonly id: string;
  flags: Command.Cached['flags'] = {};
  args: Command.Cached['args'] = {};
  readonly #indexed: IndexedCommand;

  constructor(id: string, indexed: IndexedCommand) {
    this.id = id;
    this.#indexed = indexed;
    Object.assign(this, indexed.brief);
  }

  async load(): Promise<Command.Class> {
    const command = (await this.#indexed.load()).default as Command.Class;
    command.id = this.id;
    return command;
  }

  async readDetails(): Promise<void> {
    Object.assign(this, (await this.#indexed.details()).default);
  }
}
