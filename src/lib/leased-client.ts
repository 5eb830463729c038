/**
 * A stream client for programs that outlive a connection. While Redis is away,
 * work fails at once, and the client reconnects in the background. Invariant:
 * nothing is sent twice and nothing waits in a queue; work runs on a living
 * connection or fails before it began.
 */
import {isFailure, notConnected, StreamlogError} from './errors.js';
import {isOutdated} from './reconnecting-client.js';
import {Retries} from './retry-policy.js';
import type {StreamClient} from './stream-client.js';

export interface LeasedClientOptions {
  connect: () => Promise<StreamClient>;
  /** Connected, for the first time or again. */
  onConnected: (address: string) => void;
  /** One line about a connection that was lost or cannot be made; once per cause. */
  onLost: (line: string) => void;
}

/** A client and how many calls of `use` work with it. */
interface Lease {
  readonly client: StreamClient;
  users: number;
  retired: boolean;
}

const BACKOFF = {firstMs: 100, longestMs: 2_000};

export class LeasedClient {
  readonly #options: LeasedClientOptions;
  readonly #closed = new AbortController();
  readonly #retries: Retries;
  #lease: Lease | undefined;
  #isConnecting = false;
  #connectedAtMs = 0;

  private constructor(options: LeasedClientOptions) {
    this.#options = options;
    this.#retries = new Retries({backoff: BACKOFF, ended: this.#closed.signal, onProblem: options.onLost});
  }

  /**
   * Tries to connect once. A server that is away or not ready is waited for in the background. Throws what trying
   * again cannot mend, such as `configuration` and `denied`.
   */
  static async start(options: LeasedClientOptions): Promise<LeasedClient> {
    const leased = new LeasedClient(options);
    try {
      leased.#adopt(await options.connect());
    } catch (error) {
      if (!isFailure(error, 'unreachable') && !isFailure(error, 'temporary')) throw error;
      void leased.#reconnect(error);
    }
    return leased;
  }

  get connected(): boolean {
    return this.#lease !== undefined;
  }

  /**
   * Runs `work` with the current client. Failures that `work` does not throw, such as those among the results of
   * `addAll`, it passes to `onFailure`, so that a connection to a server that is no longer the master is replaced.
   * Throws `unreachable` with the code NOT_CONNECTED when there is no connection.
   */
  async use<T>(work: (client: StreamClient, onFailure: (failure: unknown) => void) => Promise<T>): Promise<T> {
    const lease = this.#lease;
    if (lease === undefined) throw notConnected();
    const onFailure = (failure: unknown): void => {
      if (lease === this.#lease && isOutdated(failure)) void this.#reconnect();
    };
    lease.users++;
    try {
      return await work(lease.client, onFailure);
    } catch (error) {
      onFailure(error);
      throw error;
    } finally {
      lease.users--;
      closeIfDone(lease);
    }
  }

  /** Closes the connection at once, and makes no more. */
  close(): void {
    this.#closed.abort();
    this.#lease?.client.close();
    this.#lease = undefined;
  }

  /** The current lease stays in use until there is a new one: other nodes of a cluster may still answer. */
  async #reconnect(failure?: StreamlogError): Promise<void> {
    // A connection that ended soon after it was made counts as one more failed attempt.
    if (!this.#isConnecting && performance.now() - this.#connectedAtMs > BACKOFF.longestMs) this.#retries.succeeded();
    if (failure !== undefined) this.#report(failure);
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    for (;;) {
      await this.#retries.pause();
      if (this.#closed.signal.aborted) return;
      try {
        this.#adopt(await this.#options.connect());
        break;
      } catch (error) {
        this.#report(error);
      }
    }
    this.#isConnecting = false;
  }

  #adopt(client: StreamClient): void {
    if (this.#closed.signal.aborted) {
      client.close();
      return;
    }
    const lease: Lease = {client, users: 0, retired: false};
    const previous = this.#lease;
    this.#lease = lease;
    this.#connectedAtMs = performance.now();
    if (previous !== undefined) {
      previous.retired = true;
      closeIfDone(previous);
    }
    this.#options.onConnected(client.server.address);
    void client.closed.then(() => {
      if (lease !== this.#lease) return;
      this.#lease = undefined;
      void this.#reconnect(
        new StreamlogError('unreachable', `the connection to Redis at ${client.server.address} was lost`),
      );
    });
  }

  #report(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    const reason = error instanceof StreamlogError ? error.message : 'connecting to Redis failed';
    this.#retries.say(`${reason}; trying again`, reason);
  }
}

function closeIfDone(lease: Lease): void {
  if (lease.retired && lease.users === 0) lease.client.close();
}
