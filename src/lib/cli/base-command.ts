/**
 * The base class of all commands: connections that are closed at the end (server-connections.ts), sinks for data and for
 * notes, and the first signal. What oclif does that harms a pipe is undone here and in main.ts
 * (docs/adr/0001). Invariant: a command prints data through `out`, everything else through
 * `notes`, and throws its failure.
 */
import {hostname} from 'node:os';
import {Command, type Config, type Interfaces} from '@oclif/core';
import {StreamlogError} from '../errors.js';
import type {StandardInput} from '../input/standard-input.js';
import type {FileReading} from '../input/whole-file.js';
import type {Display} from '../output/display.js';
import type {Notes} from '../output/notes.js';
import type {RecordStyle, RecordWriter} from '../output/record-writer.js';
import type {Fields, FieldTree} from '../output/report-fields.js';
import type {Shape} from '../output/shape.js';
import type {Sink} from '../output/sink.js';
import type {Adder, AdderOptions, IdempotentProducer, StreamClient} from '../stream-client.js';
import {indexOf} from './command-index.js';
import {CommandOutput, type OutputFlags} from './command-output.js';
import type {ConfiguredServer} from './configured-server.js';
import type {ConnectionFlags} from './connection-settings.js';
import {type Input, parseFlags} from './flag-parsing.js';
import {ServerConnections} from './server-connections.js';
import {signals} from './signals.js';
import {hasFullScreen, standardDisplay} from './standard-display.js';
import {type NoteFlags, standardNotes} from './standard-notes.js';
import {canAsk, standardInput, standardOutput, terminalInput} from './standard-streams.js';

export abstract class BaseCommand extends Command {
  /** Whether it changes what is in Redis: a context that is read-only refuses it, and one of production names itself. */
  static writes = false;
  readonly #connecting = {
    id: this.id ?? '',
    notes: (flags: NoteFlags) => this.notes(flags),
    fileReading: (flags: Partial<NoteFlags>) => this.fileReading(flags),
  };
  readonly #server = new ServerConnections({...this.#connecting, writes: (flags) => this.changesServer(flags)});
  readonly #output = new CommandOutput();
  #flags: ConnectionFlags | undefined;

  /** As oclif's own (https://github.com/oclif/core/blob/main/src/command.ts), which would load the configuration a second time. */
  static override async run<T extends Command>(
    this: new (
      argv: string[],
      config: Config,
    ) => T,
    argv: string[] = [],
    config?: Interfaces.LoadOptions,
  ): Promise<ReturnType<T['run']>> {
    const command = new this(argv, config as Config) as T & {_run: () => Promise<ReturnType<T['run']>>};
    return command._run();
  }

  /** The one stream client of this command; more come from `client.another`. Closed when the command ends. */
  protected connect(flags: ConnectionFlags & Partial<NoteFlags> & {'retry-for'?: number}): Promise<StreamClient> {
    return this.#server.connect(flags);
  }

  /** How to connect, for work that outlives a connection and closes its clients itself; `clientName` is for CLIENT LIST. */
  protected connector(
    flags: ConnectionFlags & Partial<NoteFlags>,
  ): Promise<(clientName?: string) => Promise<StreamClient>> {
    return this.#server.connector(flags);
  }

  /** The same for a second server, which is written to and which `flags` name; and whether another may replace it. */
  protected async secondConnector(
    flags: ConnectionFlags & Partial<NoteFlags>,
  ): Promise<{connect: (clientName?: string) => Promise<StreamClient>; mayFailOver: boolean}> {
    const configured = this.#server.configured.second();
    const server = new ServerConnections({...this.#connecting, writes: () => true}, configured);
    return {
      connect: await server.connector(flags),
      mayFailOver: configured.mayFailOver(flags),
    };
  }

  /** Whether these flags have it change what is on its server. */
  protected changesServer(_flags: object): boolean {
    return (this.ctor as typeof BaseCommand).writes;
  }

  /** Opens what adds to `stream`, over a connection of its own that is made later; `idempotent` adds each record once. */
  protected adderOpener(
    flags: ConnectionFlags & Partial<NoteFlags>,
    stream: string,
    options: AdderOptions,
  ): Promise<(idempotent?: IdempotentProducer) => Adder> {
    return this.#server.adderOpener(flags, stream, options);
  }

  /** The context that is used, and whether it is read-only; undefined where something else names the server. */
  protected contextUsed(flags: ConnectionFlags): {name: string; isReadonly: boolean} | undefined {
    const {context} = this.#server.configured.choice(flags);
    return context && {name: context.name, isReadonly: context.readonly ?? false};
  }

  /** The server as flags, variables and configuration name it. */
  protected get configured(): ConfiguredServer {
    return this.#server.configured;
  }

  /** Whether another server may replace this one (Sentinel, Cluster). */
  protected mayFailOver(flags: ConnectionFlags): boolean {
    return this.#server.configured.mayFailOver(flags);
  }

  /** How files that flags name are read: warns of a wait and of a secret that every user can read, unless `--quiet`. */
  protected fileReading({quiet = false, verbose = false}: Partial<NoteFlags>): FileReading {
    const notes = this.notes({quiet, verbose});
    return {stopping: signals.signalled, warn: (text) => (quiet ? undefined : notes.warn(text))};
  }

  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. A command that reads it has to end soon after. */
  protected get stopping(): AbortSignal {
    return signals.stopping;
  }

  /** Whether to ask before something is destroyed: not with `--force` or `--dry-run`, and only a person. */
  protected asks({force = false, 'dry-run': dryRun = false}: {force?: boolean; 'dry-run'?: boolean}): boolean {
    return !force && !dryRun && canAsk();
  }

  /**
   * Asks about `streams`, and resolves to a new client when the answer is yes: meanwhile there is no connection, which would
   * be held, or lost, for as long as a person thinks. Throws a usage error, which says `nothing`, when it is no, and
   * `temporary` where a stream was replaced meanwhile.
   */
  protected async confirm(
    flags: ConnectionFlags & NoteFlags & {'retry-for'?: number},
    client: StreamClient,
    {question, streams, nothing}: {question: string; streams: readonly string[]; nothing: string},
  ): Promise<StreamClient> {
    const {AskedAbout} = await import('../reading/asked-about.js');
    const asked = await AskedAbout.of(client, streams);
    this.#server.close();
    const {confirm} = await import('./confirmation.js');
    await confirm(question, {notes: this.notes(flags), stopping: this.stopping, nothing});
    const connected = await this.connect(flags);
    await asked.check(connected, nothing);
    return connected;
  }

  /** At the first signal, says what is being finished; `what` gives nothing where that is nothing. */
  protected sayFinishing(notes: Notes, what: () => string | undefined): void {
    const say = (): void => {
      const unfinished = what();
      if (unfinished !== undefined) notes.status(`finishing ${unfinished}; ${signals.again} leaves now`);
    };
    this.stopping.addEventListener('abort', say, {once: true});
  }

  /** Limits what a command may take to end after the first signal (default: 30 s). */
  protected drainWithin(limitMs: number): void {
    signals.limitTo(limitMs);
  }

  /** For a command that a signal ends as intended: the exit code is 0. */
  protected endAsIntended(): void {
    signals.resetExitCode();
  }

  /** Standard output, for data. Throws `io` when it is closed. */
  protected get out(): Sink {
    return this.#output.sink;
  }

  /** The same, for commands that may print nothing for long: `check` notices that the reader has gone. */
  protected watchedOut(): Promise<Sink> {
    return this.#output.watchedSink();
  }

  protected notes(flags: NoteFlags): Notes {
    return standardNotes(flags);
  }

  /** Whether a person reads standard output. */
  protected get outputIsTerminal(): boolean {
    return standardOutput.isTTY;
  }

  /** Whether a view takes the whole terminal: not where a trace goes to the same one. */
  protected takesScreen(flags: OutputFlags & {trace: boolean}): boolean {
    return hasFullScreen() && this.shapeOf(flags) === 'table' && !flags.trace;
  }

  /** In which shape facts and records are printed. */
  protected shapeOf(flags: OutputFlags): Shape {
    return this.#output.shapeOf(flags);
  }

  /** How records are printed: as the flags and the terminal ask. */
  protected recordStyle(flags: OutputFlags): RecordStyle {
    return this.#output.recordStyle(flags);
  }

  protected recordWriter(flags: OutputFlags, sink = this.out, style: Partial<RecordStyle> = {}): Promise<RecordWriter> {
    return this.#output.recordWriter(flags, sink, style);
  }

  /** Prints reports, in the shape that the flags and the terminal ask for; `render` makes a table of them. All of a run have the same `fields`. */
  protected report<Report extends object>(
    flags: OutputFlags,
    fields: Fields<Report>,
    reports: readonly Report[],
    render: (display: Display) => string,
  ): Promise<void> {
    return this.#output.report(flags, fields, reports, render);
  }

  /** For a command that may have nothing to report: prints the headings of CSV and TSV. */
  protected beginReport(flags: OutputFlags, fields: FieldTree): Promise<void> {
    return this.#output.beginReport(flags, fields);
  }

  /** The default name of a consumer: host and process ID. */
  protected get processName(): string {
    return `${hostname()}-${process.pid}`;
  }

  protected get display(): Display {
    return standardDisplay();
  }

  /** Standard input if it is a pipe or a file; undefined on a terminal. */
  protected get pipedInput(): StandardInput | undefined {
    return standardInput();
  }

  /** Standard input that is a terminal, for a command that reads what is typed there. */
  protected get terminalInput(): StandardInput {
    return terminalInput();
  }

  /** As oclif's own, with flags by position and configuration. */
  protected override async parse<
    Flags extends Record<string, unknown>,
    BaseFlags extends Record<string, unknown>,
    Args extends Record<string, unknown>,
  >(
    options: Interfaces.Input<Flags, BaseFlags, Args> = {},
    argv = this.argv,
  ): Promise<Interfaces.ParserOutput<Flags, BaseFlags, Args>> {
    const command = {
      id: this.id ?? '',
      index: indexOf(this.config),
      server: this.#server.configured,
      parser: (input: Input, words: string[]) => super.parse(input, words),
    };
    const output = await parseFlags(command, options as Input, argv);
    if ('context' in (options.flags ?? {})) this.#flags = output.flags;
    return output;
  }

  protected override async finally(): Promise<void> {
    this.#server.close();
  }

  /** main.ts prints failures: oclif wraps their lines (https://github.com/oclif/core/blob/main/src/errors/handle.ts). */
  protected override async catch(error: Error): Promise<void> {
    throw await this.withNames(error);
  }

  /** A failure about a name that does not exist, or about a word that stands where none is expected, with the names that exist, if the server gives them soon. */
  protected async withNames<Failure extends Error>(error: Failure): Promise<Failure | StreamlogError> {
    if (!(error instanceof StreamlogError) || signals.signalled.aborted) return error;
    return this.#server.explain(error, {flags: this.#flags, takesStream: 'stream' in (this.ctor.flags ?? {})});
  }
}
