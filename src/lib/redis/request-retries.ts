/**
 * Asking again for a command that is over soon: a failover takes seconds, and a
 * script should not have to know that. Invariant: what may have been executed
 * is not sent again unless it only reads.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {formatDuration} from '../duration.js';
import {StreamlogError} from '../errors.js';
import {pauseMs} from '../retry-policy.js';
import type {CommandConnection} from './command-connection.js';
import {NOT_CONNECTED} from './server-errors.js';

export interface RetryPolicy {
  /** How long, from the first failure; undefined: five seconds where another server may take over, or the same comes back. */
  forMs: number | undefined;
  /** One line, once. */
  onProblem: (line: string) => void;
}

const DEFAULT_MS = 5_000;
const BACKOFF = {firstMs: 100, longestMs: 1_000};
/** Refusals that end with a failover or a moving slot; nothing was executed. */
const PASSING = new Set(['READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK', 'UNBLOCKED']);
const READS = new Set(['xrange', 'xrevrange', 'xread', 'xinfo', 'xlen', 'xpending', 'scan', 'memory', 'type', 'ping']);

/** Opens the connection of a client, and another one where that is of no more use. */
export class RequestRetries {
  readonly #open: () => Promise<CommandConnection>;
  readonly #adopt: (connection: CommandConnection) => void;
  readonly #policy: RetryPolicy;
  readonly #mayFailOver: boolean;
  #connection: Promise<CommandConnection> | undefined;
  #wasConnected = false;
  #hasReported = false;
  /** It was waited for in vain: a command that asks for a thousand streams must not wait a thousand times. */
  #isSpent = false;

  /** `mayFailOver`: whether the target names several servers. `adopt` is told of each connection. */
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

  /** Runs `work`, again where that can help and does no harm. `command` in lower case. Throws its last failure. */
  async run<T>(command: string, work: (connection: CommandConnection) => Promise<T>): Promise<T> {
    const {forMs = DEFAULT_MS} = this.#policy;
    let sinceMs: number | undefined;
    for (let attempt = 0; ; attempt++) {
      let connection: CommandConnection | undefined;
      try {
        connection = await this.#connected();
        return await work(connection);
      } catch (error) {
        if (!(error instanceof StreamlogError) || !this.#mayRepeat(error, connection === undefined, command))
          throw error;
        const ms = pauseMs(attempt, BACKOFF);
        const nowMs = performance.now();
        sinceMs ??= nowMs;
        if (nowMs + ms - sinceMs > forMs) {
          this.#isSpent = true;
          throw error;
        }
        this.#tell(error, forMs);
        if (error.kind === 'unreachable' || error.code !== 'TRYAGAIN') this.#drop(connection);
        await sleep(ms);
      }
    }
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

  /** Several may find the same connection lost; those who come later have another one already. */
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
    if (this.#isSpent) return false;
    const mayFailOver = this.#mayFailOver || this.#policy.forMs !== undefined;
    // A server that is loading will come back, and one that was there may.
    if (code === 'LOADING') return true;
    if (kind === 'temporary') return mayFailOver && code !== undefined && PASSING.has(code);
    if (kind !== 'unreachable') return false;
    if (isConnecting) return mayFailOver || this.#wasConnected;
    return READS.has(command) || code === NOT_CONNECTED;
  }

  #tell({message}: StreamlogError, forMs: number): void {
    if (this.#hasReported) return;
    this.#hasReported = true;
    this.#policy.onProblem(`${message}; trying again for ${formatDuration(forMs)}`);
  }
}
