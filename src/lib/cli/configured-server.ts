/**
 * The server of one command, and what goes with it, as flags, variables and configuration say. Invariant: what configuration fills in never
 * counts as typed; and without files, nothing of configuration is loaded.
 */
import type {Interfaces} from '@oclif/core';
import {chooseServer, isProduction, type ServerChoice, type Sources, settingOf} from '../config/settings.js';
import type {ConfiguredDeadLetter} from '../doctor/cluster-slots.js';
import type {ServerWords} from '../doctor/commands.js';
import {StreamlogError} from '../errors.js';
import type {FileReading} from '../input/whole-file.js';
import type {Notes} from '../output/notes.js';
import {urlWithoutPassword} from '../redact.js';
import type {ConnectionSettings} from '../stream-client.js';
import type {CommandIndex} from './command-index.js';
import {type Config, loadConfig} from './configuration.js';
import {
  type ConnectionFlags,
  connectionSettings,
  keptServers,
  sourcesOf,
  type TypedFlags,
} from './connection-settings.js';
import {signals} from './signals.js';

type FlagInput = Interfaces.FlagInput;

/** What oclif's parser returns of interest here (https://github.com/oclif/core/blob/main/src/interfaces/parser.ts). */
interface Parsed {
  flags: Record<string, unknown>;
  raw: readonly {type: string; flag?: string}[];
}

export class ConfiguredServer {
  /** What to say once it is known whether warnings are wanted. */
  readonly warnings: string[] = [];
  readonly #kept = keptServers();
  #config: Config | undefined;
  /** Of a second server, whether flags alone name it. */
  #isSecond = false;

  /** A second server, which only `--to-url` and `--to-context` name: no variable is about it. */
  second(): ConfiguredServer {
    const second = new ConfiguredServer();
    second.#config = this.#config;
    second.#isSecond = true;
    return second;
  }

  /** Reads the configuration; `onWait` is called for a file that has to be waited for. */
  async load(index: CommandIndex, onWait: (text: string) => void): Promise<void> {
    this.#config = await loadConfig(index, {
      stopping: signals.signalled,
      warn: (text) => this.warnings.push(text),
      onWait,
    });
  }

  /** The flags of the command `id`, and `words` to stand before `argv`, with what configuration says where nothing was typed. */
  async input(
    id: string,
    flags: FlagInput,
    parse: (flags: FlagInput) => Promise<Parsed>,
  ): Promise<{flags: FlagInput; words: string[]}> {
    if (this.#config === undefined) return {flags, words: []};
    const {argumentsFor, withoutRules, withSettings} = await import('./configured-flags.js');
    const {raw, flags: typed} = await parse(withoutRules(flags));
    const names = new Set(raw.flatMap(({type, flag}) => (type === 'flag' && flag !== undefined ? [flag] : [])));
    const sources = this.#sources(typed as TypedFlags);
    const choice = chooseServer(sources);
    const changed = await withSettings(flags, (name) => {
      const found = settingOf(name, sources, choice);
      if (found === undefined || found.rank === 'flag' || found.rank === 'variable') return undefined;
      return {value: found.value, winsOverVariable: choice.rank === 'flag'};
    });
    const defaults = this.#config.defaults.get(id) ?? new Map();
    return {flags: changed, words: await argumentsFor(defaults, changed, names)};
  }

  choice(flags: ConnectionFlags): ServerChoice {
    const choice = chooseServer(this.#sources(flags));
    return this.#isSecond && choice.source === '--url' ? {...choice, source: '--to-url'} : choice;
  }

  /** Where its address came from, for people. */
  origin(flags: ConnectionFlags): string {
    const {source, namedBy} = this.choice(flags);
    return namedBy === undefined ? source : `${source}, named by ${namedBy}`;
  }

  /** In commands that are printed. */
  async printed(flags: ConnectionFlags): Promise<ServerWords> {
    const {printedServer} = await import('./printed-server.js');
    return printedServer(flags, this.#sources(flags), this.choice(flags));
  }

  /** What `consume` has from configuration as its dead letter stream, with the streams that configuration gives it. */
  deadLetter(flags: ConnectionFlags): ConfiguredDeadLetter | undefined {
    const defaults = this.#config?.defaults.get('consume');
    const named = defaults?.get('dead-letter');
    if (defaults === undefined || named === undefined) return undefined;
    const sources = this.#sources(flags);
    const streams = defaults.get('stream')?.value ?? settingOf('stream', sources, chooseServer(sources))?.value ?? [];
    return {deadLetter: String(named.value), streams: [streams].flat().map(String), at: named.at};
  }

  async settings(flags: ConnectionFlags, reading: FileReading): Promise<ConnectionSettings> {
    return connectionSettings(flags, this.#sources(flags), this.choice(flags), reading);
  }

  /** Whether another server may replace this one (Sentinel, Cluster). */
  mayFailOver(flags: ConnectionFlags): boolean {
    return /^\w+\+(sentinel|cluster):/i.test(this.choice(flags).url);
  }

  /** Before the command `id` writes: throws `denied` where the context is read-only, and names one of production. */
  guard(id: string, flags: ConnectionFlags & {write?: boolean; 'dry-run'?: boolean}, notes: Notes): void {
    const {context} = this.choice(flags);
    if (context === undefined) return;
    if (context.readonly && !flags.write && !flags['dry-run'])
      throw new StreamlogError(
        'denied',
        `context ${context.name} is read-only, and ${id.replaceAll(':', ' ')} writes`,
        {
          hint: 'if you mean it, add --write',
        },
      );
    if (isProduction(context))
      notes.banner(`production: ${context.name}`, urlWithoutPassword(context.url), context.color);
  }

  #sources(flags: TypedFlags): Sources {
    const sources = sourcesOf(flags, this.#config, this.#kept);
    return this.#isSecond ? {...sources, variables: {}, project: undefined} : sources;
  }
}
