/**
 * A stream client for programs that outlive a connection: while Redis is away
 * it says so at once, and in the background it connects anew. Knows nothing of
 * what the client is used for. Invariant: nothing is sent twice and nothing
 * waits in a queue; work runs on a living connection or fails before it began.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from './errors.js';
import {pauseMs} from './retry-policy.js';
import {notConnected, type StreamClient} from './stream-client.js';

export interface LeasedClientOptions {
  connect: () => Promise<StreamClient>;
  /** Connected, for the first time or again. */
  onConnected: (address: string) => void;
  /** The connection is gone or cannot be made; once for each reason, not for each attempt. */
  onLost: (reason: string) => void;
}

/** A client and who still works with it. */
interface Lease {
  readonly client: StreamClient;
  users: number;
  retired: boolean;
}

const BACKOFF = {firstMs: 100, longestMs: 2_000};

export class LeasedClient {
  readonly #options: LeasedClientOptions;
  readonly #ended = new AbortController();
  #lease: Lease | undefined;
  #connecting = false;
  #attempt = 0;
  #connectedAtMs = 0;
  #lastReason: string | undefined;

  private constructor(options: LeasedClientOptions) {
    this.#options = options;
  }

  /**
   * Tries to connect once. A server that is away or not ready is waited for in
   * the background. Throws `configuration` and `denied`, which waiting would not mend.
   */
  static async start(options: LeasedClientOptions): Promise<LeasedClient> {
    const live = new LeasedClient(options);
    try {
      live.#adopt(await options.connect());
    } catch (error) {
      if (!(error instanceof StreamlogError) || (error.kind !== 'unreachable' && error.kind !== 'temporary'))
        throw error;
      live.#report(error);
      void live.#connectAgain();
    }
    return live;
  }

  get connected(): boolean {
    return this.#lease !== undefined;
  }

  /**
   * Runs `work` with the client of this moment. Failures that `work` does not
   * throw, such as those among the outcomes of `addAll`, it gives to `doubt`, so
   * that a connection that has become the wrong one is replaced. Throws
   * `unreachable` with the code NOT_CONNECTED when there is no connection.
   */
  async use<T>(work: (client: StreamClient, doubt: (failure: unknown) => void) => Promise<T>): Promise<T> {
    const lease = this.#lease;
    if (lease === undefined) throw notConnected();
    const doubt = (failure: unknown): void => {
      if (isOutdated(failure) && lease === this.#lease) void this.#connectAgain();
    };
    lease.users++;
    try {
      return await work(lease.client, doubt);
    } catch (error) {
      doubt(error);
      throw error;
    } finally {
      lease.users--;
      closeIfDone(lease);
    }
  }

  /** Ends the connection at once, and all attempts to make one. */
  close(): void {
    this.#ended.abort();
    this.#lease?.client.close();
    this.#lease = undefined;
  }

  /** The lease of this moment stays in use until the new one is there: in a cluster, other nodes may still serve. */
  async #connectAgain(): Promise<void> {
    if (this.#connecting || this.#ended.signal.aborted) return;
    this.#connecting = true;
    // A connection that ended as soon as it was made counts as one more failed attempt.
    if (performance.now() - this.#connectedAtMs > BACKOFF.longestMs) this.#attempt = 0;
    while (!this.#ended.signal.aborted) {
      try {
        await sleep(pauseMs(this.#attempt++, BACKOFF), undefined, {signal: this.#ended.signal});
        this.#adopt(await this.#options.connect());
        break;
      } catch (error) {
        if (!this.#ended.signal.aborted) this.#report(error);
      }
    }
    this.#connecting = false;
  }

  #adopt(client: StreamClient): void {
    if (this.#ended.signal.aborted) {
      client.close();
      return;
    }
    const lease: Lease = {client, users: 0, retired: false};
    const previous = this.#lease;
    this.#lease = lease;
    this.#connectedAtMs = performance.now();
    this.#lastReason = undefined;
    if (previous !== undefined) {
      previous.retired = true;
      closeIfDone(previous);
    }
    this.#options.onConnected(client.address);
    void client.closed.then(() => {
      if (lease !== this.#lease) return;
      this.#lease = undefined;
      this.#report(new StreamlogError('unreachable', `the connection to Redis at ${client.address} was lost`));
      void this.#connectAgain();
    });
  }

  #report(error: unknown): void {
    const reason = error instanceof StreamlogError ? error.message : 'connecting to Redis failed';
    if (reason === this.#lastReason) return;
    this.#lastReason = reason;
    this.#options.onLost(reason);
  }
}

/** A lost connection, or one to a server that is no longer the master. */
const isOutdated = (failure: unknown): boolean =>
  failure instanceof StreamlogError &&
  (failure.kind === 'unreachable' || failure.code === 'READONLY' || failure.code === 'MASTERDOWN');

function closeIfDone(lease: Lease): void {
  if (lease.retired && lease.users === 0) lease.client.close();
}
