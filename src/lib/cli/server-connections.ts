/**
 * The connections of one command to its server. Invariants: what is open is closed at the end; a command that writes is let through by
 * the context before anything is connected; and with `--verbose`, the server is named once.
 */
import type {StreamlogError} from '../errors.js';
import type {FileReading} from '../input/whole-file.js';
import type {Notes} from '../output/notes.js';
import type {Adder, AdderOptions, ConnectionSettings, IdempotentProducer, StreamClient} from '../stream-client.js';
import {unlessAborted} from '../waiting.js';
import {ConfiguredServer} from './configured-server.js';
import type {ConnectionFlags} from './connection-settings.js';
import type {NoteFlags} from './standard-notes.js';

/** How long a failure may wait for names that exist. */
const NAMES_MS = 400;

type ServerFlags = ConnectionFlags & Partial<NoteFlags>;

/** What is known of the command. */
export interface ConnectingCommand {
  id: string;
  /** Whether it changes what is on the server, with these flags. */
  writes(flags: object): boolean;
  notes(flags: NoteFlags): Notes;
  fileReading(flags: Partial<NoteFlags>): FileReading;
}

export class ServerConnections {
  readonly configured: ConfiguredServer;
  readonly #command: ConnectingCommand;
  readonly #clients: StreamClient[] = [];
  #settings: Promise<ConnectionSettings> | undefined;
  #isDescribed = false;

  constructor(command: ConnectingCommand, configured = new ConfiguredServer()) {
    this.#command = command;
    this.configured = configured;
  }

  async connect(flags: ServerFlags & {'retry-for'?: number}): Promise<StreamClient> {
    const settings = await this.#readSettings(flags);
    const {quiet = false, verbose = false} = flags;
    const client = await (await streamClient()).connect(settings, {
      forMs: flags['retry-for'],
      onProblem: (line) => this.#command.notes({quiet, verbose}).warn(line),
    });
    this.#clients.push(client);
    await this.#describe(client, flags);
    return client;
  }

  async connector(flags: ServerFlags): Promise<(clientName?: string) => Promise<StreamClient>> {
    const settings = await this.#readSettings(flags);
    return async (clientName) => {
      const client = await (await streamClient()).connect({...settings, clientName});
      await this.#describe(client, flags);
      return client;
    };
  }

  async adderOpener(
    flags: ServerFlags,
    stream: string,
    options: AdderOptions,
  ): Promise<(idempotent?: IdempotentProducer) => Adder> {
    const settings = await this.#readSettings(flags);
    const client = await streamClient();
    // Not over the connection for adding, which takes no other commands; and that one says why there is none.
    if (flags.verbose)
      await (await this.connector(flags))().then(
        (asked) => asked.close(),
        () => {},
      );
    return (idempotent) => client.openAdder(settings, stream, {...options, idempotent});
  }

  /**
   * The failure; about a name that does not exist, or about a word that stands where none is expected, with the names that exist, if
   * the server gives them soon. `flags` are undefined where they could not be read.
   */
  async explain(
    error: StreamlogError,
    {flags, takesStream}: {flags: ConnectionFlags | undefined; takesStream: boolean},
  ): Promise<StreamlogError> {
    const {missing, word} = error;
    if (missing === undefined && (word === undefined || !takesStream)) return error;
    const explained = async (): Promise<StreamlogError> => {
      const client = await this.#latest(flags);
      if (client === undefined) return error;
      const names = await import('../reading/missing-names.js');
      return missing === undefined ? names.withStream(error, word!, client) : names.withNames(error, missing, client);
    };
    return (await unlessAborted(explained(), AbortSignal.timeout(NAMES_MS)).catch(() => undefined)) ?? error;
  }

  close(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }

  /** Throws `configuration` for a --url that names no server, as a command that uses it would. */
  static async checkUrl(url: string): Promise<void> {
    // It connects nothing yet.
    (await streamClient()).openAdder({url, source: '--url', connectTimeoutMs: 0}, '', {});
  }

  /**
   * The client that was made last, or one for a command that closes its own or has refused what was typed; undefined where
   * nothing says how to connect, or only a program that prints a password.
   */
  async #latest(flags: ConnectionFlags | undefined): Promise<StreamClient | undefined> {
    const last = this.#clients.at(-1);
    if (last !== undefined) return last;
    const settings = await (this.#settings ?? this.#quietSettings(flags));
    if (settings === undefined) return undefined;
    const client = await (await streamClient()).connect(settings);
    this.#clients.push(client);
    return client;
  }

  /** With `--verbose`, once: which server it is, and where its address came from. */
  async #describe({server}: StreamClient, flags: ServerFlags): Promise<void> {
    if (!flags.verbose || this.#isDescribed) return;
    this.#isDescribed = true;
    const identity = await server.identity();
    const origin = `${server.address} (${this.configured.origin(flags)})`;
    const facts = [origin, ...(identity === undefined ? [] : [identity])];
    this.#command.notes({quiet: false, verbose: true}).detail(`server ${facts.join(', ')}`);
  }

  #quietSettings(flags: ConnectionFlags | undefined): Promise<ConnectionSettings> | undefined {
    if (flags === undefined || this.configured.choice(flags).context?.password_command !== undefined) return undefined;
    return this.configured.settings(flags, this.#command.fileReading({quiet: true}));
  }

  /** Once: a password may come through a pipe. */
  #readSettings(flags: ServerFlags): Promise<ConnectionSettings> {
    const {id, writes, fileReading} = this.#command;
    const notes = this.#command.notes({quiet: false, verbose: false});
    if (this.#settings === undefined && writes(flags)) this.configured.guard(id, flags, notes);
    this.#settings ??= this.configured
      .settings(flags, fileReading(flags))
      .then((settings) => (flags.trace ? {...settings, trace: (line: string) => notes.trace(line)} : settings));
    return this.#settings;
  }
}

/** Loaded for the first connection: help and usage errors need none. */
const streamClient = async (): Promise<typeof StreamClient> => (await import('../stream-client.js')).StreamClient;
