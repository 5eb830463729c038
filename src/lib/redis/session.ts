/**
 * What one client has open: a connection for commands, those for adding, and where numbers must be exact another one.
 * With a retry policy commands are sent again while a failover lasts, and the connections are then replaced.
 */

import {StreamlogError} from '../errors.js';
import type {RawRecordBatch} from '../records/raw-record.js';
import {AddConnection} from './add-connection.js';
import {AddConnectionPool} from './add-connection-pool.js';
import {AddRouter} from './add-router.js';
import {CommandConnection, type CommandLine, type Reply} from './command-connection.js';
import {RequestRetries, type RetryPolicy} from './request-retries.js';
import {type CommandContext, notStream} from './server-errors.js';
import type {Target} from './server-target.js';

export class Session {
  readonly target: Target;
  #connection!: CommandConnection;
  #connections!: AddConnectionPool;
  #adding!: AddRouter;
  #retries: RequestRetries | undefined;
  #exact: Promise<CommandConnection> | undefined;
  #isClosed = false;

  private constructor(target: Target, connection: CommandConnection) {
    this.target = target;
    this.#adopt(connection);
  }

  /**
   * Connects and authenticates. `blockMs` is the longest that a command will block. Throws `unreachable` within the
   * connect timeout, or what `retry` gives on top of it, `denied`, or `configuration`.
   */
  static async open(target: Target, {retry, blockMs = 0}: {retry?: RetryPolicy; blockMs?: number}): Promise<Session> {
    const open = (): Promise<CommandConnection> => CommandConnection.open(target, blockMs);
    if (retry === undefined) return new Session(target, await open());
    let session: Session | undefined;
    // The first connection is given to the constructor.
    const adopt = (connection: CommandConnection): void => {
      if (session !== undefined) session.#adopt(connection);
    };
    const retries = new RequestRetries(open, adopt, retry, target.kind === 'sentinel' || target.kind === 'cluster');
    session = new Session(target, await retries.run('ping', async (connection) => connection));
    session.#retries = retries;
    return session;
  }

  #adopt(connection: CommandConnection): void {
    if (this.#isClosed) {
      connection.close();
      return;
    }
    this.#connections?.close();
    const {target} = this;
    const connections = new AddConnectionPool(
      (stream, node, asking) => AddConnection.open(target, stream, node, asking),
      (stream) => connection.nodeOf(stream),
      // All connections of a client end together; only that of a cluster outlives single nodes.
      () => {
        if (connection.inCluster) return;
        connection.close();
        connections.close();
      },
    );
    this.#connection = connection;
    this.#connections = connections;
    this.#adding = new AddRouter(connection, connections);
    void connection.closed.then(() => connections.close());
  }

  get connection(): CommandConnection {
    return this.#connection;
  }

  get adding(): AddRouter {
    return this.#adding;
  }

  /** The connection for adding to where `stream` is. */
  addConnection(stream: string): Promise<AddConnection> {
    return this.#connections.to(stream);
  }

  /** Opens the connection for adding, where it is known which one that is. */
  async readyToAdd(): Promise<void> {
    if (!this.#connection.inCluster) await this.#connections.to('');
  }

  /** Sends one command, or again as the retry policy says. `about` is for the message of a failure. */
  send(line: CommandLine, about: Partial<CommandContext>): Promise<Reply> {
    return this.#named(
      about,
      this.run(line[0], (connection) => connection.send(line, about)),
    );
  }

  /** The same for XRANGE, XREVRANGE and XREAD, whose entries come undecoded where that is possible. */
  sendRead(line: CommandLine, about: Partial<CommandContext>): Promise<RawRecordBatch | Reply> {
    return this.#named(
      about,
      this.run(line[0], (connection) => connection.sendRead(line, about)),
    );
  }

  /** A key that is not a stream is called by its type. */
  async #named<T>(about: Partial<CommandContext>, answered: Promise<T>): Promise<T> {
    try {
      return await answered;
    } catch (error) {
      if (about.stream === undefined || !(error instanceof StreamlogError) || error.code !== 'WRONGTYPE') throw error;
      throw notStream(about.stream, await this.#typeOf(about.stream), error);
    }
  }

  /** TYPE; undefined where the user may not ask. */
  async #typeOf(key: string): Promise<string | undefined> {
    const reply = await this.#connection.send(['type', key]).catch(() => undefined);
    return Buffer.isBuffer(reply) ? reply.toString('latin1') : undefined;
  }

  /** The same with the digits of numbers: a JavaScript number holds 53 bits. */
  async sendExactly(line: CommandLine, about?: Partial<CommandContext>): Promise<Reply> {
    return (await this.#exactly()).send(line, about);
  }

  #exactly(): Promise<CommandConnection> {
    this.#exact ??= CommandConnection.open({...this.target, exactNumbers: true});
    return this.#exact;
  }

  /** MULTI, `lines`, EXEC: commands that only read, as one; `exactly` as `sendExactly`. */
  async transaction(
    lines: readonly CommandLine[],
    about: Partial<CommandContext>,
    {exactly = false} = {},
  ): Promise<Reply[]> {
    if (exactly) return (await this.#exactly()).transaction(lines, about);
    return this.#named(
      about,
      this.run('xinfo', (connection) => connection.transaction(lines, about)),
    );
  }

  /** `command` in lower case is what `work` sends. */
  run<T>(command: string, work: (connection: CommandConnection) => Promise<T>): Promise<T> {
    return this.#retries === undefined ? work(this.#connection) : this.#retries.run(command, work);
  }

  /** Ends the connections at once; calls under way fail as `unreachable`. */
  close(): void {
    this.#isClosed = true;
    this.#retries?.close();
    void this.#exact?.then((connection) => connection.close());
    this.#connection.close();
    this.#connections.close();
  }
}
