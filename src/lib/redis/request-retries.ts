/**
 * Repeats short commands while a failover lasts, so that a script need not know
 * of it. Invariant: a command that may have been executed is not sent again
 * unless it only reads.
 */
import {formatDuration} from '../duration.js';
import {NOT_CONNECTED, StreamlogError} from '../errors.js';
import {Retries} from '../retry-policy.js';
import type {CommandConnection} from './command-connection.js';

export interface RetryPolicy {
  /** How long, from the first failure; undefined: 5 s where another server may take over, or the same one may come back. */
  forMs: number | undefined;
  /** One line, once. */
  onProblem: (line: string) => void;
}

const DEFAULT_MS = 5_000;
const BACKOFF = {firstMs: 100, longestMs: 1_000};
/** Refusals that end with a failover or a moving slot; the command was not executed. */
const PASSING = new Set(['READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK', 'UNBLOCKED']);
const READS = new Set([
  'xrange',
  'xrevrange',
  'xread',
  'xinfo',
  'xlen',
  'xpending',
  'scan',
  'memory',
  'type',
  'ping',
  'time',
  'info',
  'ttl',
]);

/** Opens the connection of a client, and replaces it when it is lost. */
export class RequestRetries {
  readonly #open: () => Promise<CommandConnection>;
  readonly #adopt: (connection: CommandConnection) => void;
  readonly #policy: RetryPolicy;
  readonly #mayFailOver: boolean;
  #connection: Promise<CommandConnection> | undefined;
  #wasConnected = false;
  #hasReported = false;
  /** The time was used up once: a command that asks for a thousand streams must not use it a thousand times. */
  #isSpent = false;
  #isClosed = false;

  /** `mayFailOver`: whether the target names several servers. `adopt` is called with each new connection. */
  constructor(
    open: () => Promise<CommandConnection>,
    adopt: (connection: CommandConnection) => void,
    policy: RetryPolicy,
    mayFailOver: boolean,
  ) {
    this.#open = open;
    this.#adopt = adopt;
    this.#policy = policy;
    this.#mayFailOver = mayFailOver;
  }

  /** Runs `work`, and repeats it where that can help and does no harm. `command` in lower case. Throws the last failure. */
  async run<T>(command: string, work: (connection: CommandConnection) => Promise<T>): Promise<T> {
    let retries: Retries | undefined;
    for (;;) {
      let connection: CommandConnection | undefined;
      try {
        connection = await this.#connected();
        return await work(connection);
      } catch (error) {
        if (!(error instanceof StreamlogError) || !this.#mayRepeat(error, connection === undefined, command))
          throw error;
        retries ??= this.#newRetries();
        if (retries.areOver) {
          this.#isSpent = true;
          throw error;
        }
        if (error.kind === 'unreachable' || error.code !== 'TRYAGAIN') this.#drop(connection);
        await retries.pause(error);
        if (this.#isClosed) throw error;
      }
    }
  }

  /** Nothing is repeated any more: the caller has closed the client. */
  close(): void {
    this.#isClosed = true;
  }

  #newRetries(): Retries {
    const {forMs = DEFAULT_MS, onProblem} = this.#policy;
    return new Retries({
      backoff: BACKOFF,
      retryForMs: forMs,
      next: () => `trying again for ${formatDuration(forMs)}`,
      onProblem: (line) => {
        if (!this.#hasReported) onProblem(line);
        this.#hasReported = true;
      },
    });
  }

  #connected(): Promise<CommandConnection> {
    this.#connection ??= this.#open().then(
      (connection) => {
        this.#wasConnected = true;
        this.#adopt(connection);
        return connection;
      },
      (error) => {
        this.#connection = undefined;
        throw error;
      },
    );
    return this.#connection;
  }

  /** Several commands may find the same connection lost; the later ones find it replaced already. */
  #drop(failed: CommandConnection | undefined): void {
    const current = this.#connection;
    if (failed === undefined || current === undefined) return;
    void current.then((connection) => {
      if (connection !== failed || this.#connection !== current) return;
      this.#connection = undefined;
      connection.close();
    });
  }

  #mayRepeat({kind, code}: StreamlogError, isConnecting: boolean, command: string): boolean {
    if (this.#isSpent || this.#isClosed) return false;
    const mayFailOver = this.#mayFailOver || this.#policy.forMs !== undefined;
    // A server that is loading its data will answer; one that answered before may come back.
    if (code === 'LOADING') return true;
    if (kind === 'temporary') return mayFailOver && code !== undefined && PASSING.has(code);
    if (kind !== 'unreachable') return false;
    if (isConnecting) return mayFailOver || this.#wasConnected;
    return READS.has(command) || code === NOT_CONNECTED;
  }
}
