/**
 * Connections that are replaced when they are lost: one for commands and, where
 * reads block, one for those. What has to be checked after a loss is up to the
 * owner, who compares `Connection` values. Invariant: nothing is sent twice
 * here, and the end of an old connection never ends a newer one.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isFailure, isRetryable, StreamlogError} from './errors.js';
import {type Backoff, Retries} from './retry-policy.js';
import type {StreamClient} from './stream-client.js';

export interface ReconnectingOptions {
  connect: () => Promise<StreamClient>;
  /** The longest time that a read on `reader` blocks; undefined where commands and reads share one connection. */
  blockMs?: number;
  /** Whether another server may take over from one that is away: the first connection is then waited for too. */
  mayFailOver?: boolean;
  /** How long to try without a success, the first connection included; undefined: for ever, once there was one. */
  retryForMs?: number | undefined;
  backoff?: Backoff | undefined;
  /** When aborted, ends a pause and what `run` repeats. */
  stopping: AbortSignal;
  /** One line about what is wrong and what happens now; once per cause. */
  onProblem: (line: string) => void;
}

/** What one successful attempt to connect has made. Another attempt makes another value. */
export interface Connection {
  /** For what Redis answers at once. */
  readonly commands: StreamClient;
  /** For reads that block. */
  readonly reader: StreamClient;
}

/** Runs what may be repeated on another connection, with its client for commands. */
export type RunOn = <T>(work: (client: StreamClient) => Promise<T>) => Promise<T>;

/** The longest failover that the first connection waits for. */
const FIRST_CONNECTION_MS = 60_000;

export class ReconnectingClient {
  readonly #startedAtMs = performance.now();
  readonly #options: ReconnectingOptions;
  readonly #retries: Retries;
  #hasConnected = false;
  #current: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #abandon: (failure: StreamlogError) => void = () => {};

  constructor(options: ReconnectingOptions) {
    this.#options = options;
    const {backoff, retryForMs, stopping, onProblem} = options;
    const onRecovered = (): void => onProblem('Redis answers again');
    this.#retries = new Retries({backoff, retryForMs, stopping, onProblem, onRecovered});
  }

  /** Undefined while there is none. */
  get current(): Connection | undefined {
    return this.#current;
  }

  /** Connects where there is no connection, once for all callers. Throws as `connect` does. */
  connection(): Promise<Connection> {
    if (this.#connecting !== undefined) return this.#connecting;
    const connecting = new Promise<Connection>((resolve, reject) => {
      this.#abandon = reject;
      this.#connect(() => this.#connecting === connecting).then(resolve, reject);
    });
    this.#connecting = connecting;
    connecting.catch(() => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    });
    return connecting;
  }

  /**
   * Runs `work`, which may be repeated, until it succeeds. Throws its failure when trying again cannot help, and any
   * after `stopping`.
   */
  async run<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    for (;;) {
      const done = await this.attempt(async (connection) => ({result: await work(connection)}));
      if (done !== undefined) return done.result;
    }
  }

  /** `run`, for work that needs no more than `commands`. */
  readonly runCommands: RunOn = (work) => this.run(({commands}) => work(commands));

  /** Runs `work` once: undefined after a failure that may pass, and the pause behind it. Throws as `run`. */
  async attempt<T>(work: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    let connection: Connection | undefined;
    try {
      connection = await this.connection();
      const result = await work(connection);
      this.resetBackoff();
      return result;
    } catch (error) {
      if (this.#options.stopping.aborted || this.isHopeless(error)) throw error;
      await this.retryAfter(error, connection);
      return undefined;
    }
  }

  /** The results of `run` with `work`, with a pause of `everyMs` behind each, until `stopping`. */
  async *repeat<T>(work: (commands: StreamClient) => Promise<T>, everyMs: number): AsyncGenerator<T, void, void> {
    const {stopping: signal} = this.#options;
    while (!signal.aborted) {
      yield await this.runCommands(work);
      await sleep(everyMs, undefined, {signal}).catch(() => {});
    }
  }

  /** Whether the server is waited for no longer: the time is up, or it never answered. */
  isHopeless(failure: unknown): boolean {
    const {retryForMs, mayFailOver = false} = this.#options;
    if (retryForMs !== undefined) return this.#retries.areOver;
    if (this.#hasConnected || !isFailure(failure, 'unreachable')) return false;
    return !mayFailOver || performance.now() - this.#startedAtMs > FIRST_CONNECTION_MS;
  }

  /**
   * After `failure` of a call on `connection`, undefined where there was none: resolves when the call may be
   * repeated, after a pause that grows. Throws `failure` when that cannot help.
   */
  async retryAfter(failure: unknown, connection: Connection | undefined): Promise<void> {
    if (!isRetryable(failure)) throw failure;
    this.invalidate(failure, connection);
    await this.#retries.pause(failure);
  }

  /** Closes `connection`, unless it was replaced already, when `failure` shows that it is of no more use. */
  invalidate(failure: unknown, connection: Connection | undefined): void {
    if (connection !== undefined && connection === this.#current && isOutdated(failure)) this.close();
  }

  /** A call has succeeded: the next pause is a short one again. */
  resetBackoff(): void {
    this.#retries.succeeded();
  }

  /** Ends a blocked read at once, by closing its connection. What Redis delivers in that instant stays pending. */
  unblock(): void {
    this.#current?.reader.close();
  }

  /** Closes the connections, also those that are being made; the next call makes new ones. */
  close(): void {
    this.#abandon(new StreamlogError('unreachable', 'the connection to Redis was given up'));
    this.#current?.commands.close();
    this.#current?.reader.close();
    this.#connecting = undefined;
    this.#current = undefined;
  }

  async #connect(isWanted: () => boolean): Promise<Connection> {
    const {connect, blockMs} = this.#options;
    const commands = await connect();
    let reader: StreamClient | undefined;
    try {
      reader = blockMs === undefined ? commands : await commands.another(blockMs);
      if (!isWanted()) throw new StreamlogError('unreachable', 'the connection to Redis was given up');
    } catch (error) {
      commands.close();
      reader?.close();
      throw error;
    }
    const connection = {commands, reader};
    // While entries arrive by the reader, nothing else may be sent for a long time.
    void commands.closed.then(() => this.#current === connection && this.close());
    this.#hasConnected = true;
    this.#current = connection;
    return connection;
  }
}

/** Whether a connection was lost, or leads to a server that is no longer the master: it stays a replica until it is asked by its new role. */
export const isOutdated = (error: unknown): boolean =>
  error instanceof StreamlogError &&
  (error.kind === 'unreachable' || error.code === 'READONLY' || error.code === 'MASTERDOWN');
