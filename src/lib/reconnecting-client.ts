/**
 * Connections that are replaced when they are lost: one for commands and one
 * for reads that block. Knows when trying again can help and how long to wait
 * before; what has to be found out after a loss is for its owner, who sees it
 * by `generation`. Invariant: nothing is sent twice here; whoever asked gets the
 * failure, and asks again after `restore` if that is right for what was asked;
 * and what an old connection says at its end never ends a newer one.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {formatDuration} from './duration.js';
import {StreamlogError} from './errors.js';
import {pauseMs} from './retry-policy.js';
import {NOT_REDIS, type StreamClient} from './stream-client.js';

export interface ReconnectingOptions {
  connect: () => Promise<StreamClient>;
  /** Whether another server may take the place of one that is away, so that the start is waited for too. */
  mayFailOver?: boolean;
  /** The longest time that a read on `reader` will block. */
  blockMs: number;
  /** Aborted when waiting is no longer wanted: a pause ends at once. */
  stopping: AbortSignal;
  /** One line about what is wrong and what happens now; not for each attempt. */
  onProblem: (line: string) => void;
}

interface Clients {
  control: StreamClient;
  reader: StreamClient;
}

const BACKOFF = {firstMs: 50, longestMs: 2_000};
/** The longest failover that a start waits for. */
const START_MS = 60_000;
const STOPPING_PAUSE_MS = 100;
/** How often the same trouble is told again while it lasts. */
const REMIND_MS = 10_000;

export class ReconnectingClient {
  /** Raised when connections are let go; what was known of the server before is to be looked at again. */
  connectionId = 0;
  /** Whether there ever was a connection. */
  hasConnected = false;
  readonly #startedAtMs = performance.now();
  readonly #options: ReconnectingOptions;
  #clients: Promise<Clients> | undefined;
  #control: StreamClient | undefined;
  #abandon: (failure: StreamlogError) => void = () => {};
  #attempt = 0;
  /** What was said about the trouble that lasts, and when. */
  readonly #reported = new Map<string, number>();

  constructor(options: ReconnectingOptions) {
    this.#options = options;
  }

  /** True when a server that never answered is waited for no longer. */
  get isHopeless(): boolean {
    if (this.hasConnected) return false;
    return !this.#options.mayFailOver || performance.now() - this.#startedAtMs > START_MS;
  }

  /** For everything that answers at once. Connects where there is no connection. */
  async commands(): Promise<StreamClient> {
    return (await this.#connected()).control;
  }

  /** The same without connecting: undefined where there is no connection now. */
  get connected(): StreamClient | undefined {
    return this.#clients === undefined ? undefined : this.#control;
  }

  /** For reads that block. */
  async reader(): Promise<StreamClient> {
    return (await this.#connected()).reader;
  }

  /**
   * For when a call on connections of `generation` has thrown `failure`: returns
   * when it may be asked again, after a pause that grows from failure to
   * failure. Rethrows what trying again cannot mend.
   */
  async retryAfter(failure: unknown, connectionId: number): Promise<void> {
    if (!isRetryable(failure)) throw failure;
    this.invalidate(failure, connectionId);
    const ms = pauseMs(this.#attempt++, BACKOFF);
    this.#tell(failure, ms);
    const {stopping} = this.#options;
    // A signal ends the pause under way; later ones keep attempts apart while the last work is finished.
    if (stopping.aborted) await sleep(Math.min(ms, STOPPING_PAUSE_MS));
    else await sleep(ms, undefined, {signal: stopping}).catch(() => {});
  }

  /** Lets go of the connections of `generation` when `failure` shows them to be of no more use. */
  invalidate({kind, code}: StreamlogError, connectionId: number): void {
    if (connectionId !== this.connectionId) return;
    // A replica stays one until it is asked for by its new role.
    if (kind === 'unreachable' || code === 'READONLY' || code === 'MASTERDOWN') this.close();
  }

  /** Says that a call has succeeded, so the next pause is a short one again. */
  resetBackoff(): void {
    if (this.#reported.size > 0) this.#options.onProblem('Redis answers again');
    this.#attempt = 0;
    this.#reported.clear();
  }

  /** Frees a blocked read at once, by ending its connection; what Redis sends in that instant stays pending. */
  unblock(): void {
    void this.#clients?.then(({reader}) => reader.close()).catch(() => {});
  }

  /** Ends the connections, also those under way to being made; the next call makes new ones. */
  close(): void {
    this.#abandon(new StreamlogError('unreachable', 'the connection to Redis was given up'));
    void this.#clients
      ?.then(({control, reader}) => {
        control.close();
        reader.close();
      })
      .catch(() => {});
    this.#clients = undefined;
    this.#control = undefined;
    this.connectionId++;
  }

  #connected(): Promise<Clients> {
    // Several callers may find it gone at the same moment; one of them connects for all.
    if (this.#clients !== undefined) return this.#clients;
    const clients = new Promise<Clients>((resolve, reject) => {
      this.#abandon = reject;
      this.#connect().then(resolve, reject);
    });
    this.#clients = clients;
    clients.catch(() => {
      if (this.#clients === clients) this.#clients = undefined;
    });
    return clients;
  }

  async #connect(): Promise<Clients> {
    const {connectionId: generation} = this;
    const control = await this.#options.connect();
    try {
      const reader = await control.another(this.#options.blockMs);
      // Let go of while they were made, they are nobody's.
      if (generation !== this.connectionId) reader.close();
      // While entries come by the reader, nothing else may be asked for a long time.
      void control.closed.then(() => generation === this.connectionId && this.close());
      this.hasConnected = true;
      if (generation === this.connectionId) this.#control = control;
      return {control, reader};
    } catch (error) {
      control.close();
      throw error;
    } finally {
      if (generation !== this.connectionId) control.close();
    }
  }

  #tell({message}: StreamlogError, ms: number): void {
    const nowMs = performance.now();
    if (nowMs - (this.#reported.get(message) ?? Number.NEGATIVE_INFINITY) < REMIND_MS) return;
    this.#reported.set(message, nowMs);
    this.#options.onProblem(`${message}; trying again in ${formatDuration(ms)}`);
  }
}

/** True when the same call may succeed later: a lost link, or a server that refuses for now. */
export const isRetryable = (error: unknown): error is StreamlogError =>
  error instanceof StreamlogError &&
  (error.kind === 'unreachable' || error.kind === 'temporary') &&
  error.code !== NOT_REDIS;
