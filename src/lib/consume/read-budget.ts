/**
 * When to stop reading: how many records are still wanted, how long the streams
 * were silent, whether a signal came. Shared by the readers of all streams: `-n 5`
 * over three streams is five. Invariant: readers never ask for more records
 * together than are wanted, so nothing becomes pending that will not be printed;
 * and only a read that waited and brought nothing counts as silence, not work,
 * slow output, a Redis that is away or SIGSTOP.
 */
export interface ReadBudgetOptions {
  /** Records wanted in all; infinite is allowed. */
  limit: number;
  /** Stop after this long without a record. */
  silenceMs?: number;
  /** How many readers share the budget. */
  readers: number;
  stopping: AbortSignal;
}

/** The longest wait of one blocking read: often enough to notice a closed output, rare enough to cost nothing. */
export const MAX_BLOCK_MS = 1_000;
/** Where readers share few records, none may hold its share for long. */
const SHARED_BLOCK_MS = 100;

interface Waiter {
  max: number;
  give(count: number): void;
}

export class ReadBudget {
  readonly #options: ReadBudgetOptions;
  /** Records that are wanted and not asked for by any reader. */
  #free: number;
  #held = 0;
  /** For how long each stream was silent since the last record of any. */
  readonly #silence = new Map<string, number>();
  /** How many calls of `work` are under way, and since when none is. */
  #working = 0;
  #restingSinceMs = Number.NEGATIVE_INFINITY;
  readonly #waiters: Waiter[] = [];

  constructor(options: ReadBudgetOptions) {
    this.#options = options;
    this.#free = options.limit;
    options.stopping.addEventListener('abort', () => this.#wake(), {once: true});
  }

  /** Whether records are counted at all. */
  get isLimited(): boolean {
    return this.#options.limit !== Number.POSITIVE_INFINITY;
  }

  /** True when reading should end: by a signal, by silence, or because all wanted records are there. */
  get isDone(): boolean {
    const {silenceMs, stopping} = this.#options;
    if (stopping.aborted || this.#free + this.#held === 0) return true;
    return silenceMs !== undefined && this.#working === 0 && this.#silentMs >= silenceMs;
  }

  /** A read of `stream` that was sent at `sinceMs` and blocked for `blockMs` has brought nothing. */
  heardNothing(stream: string, blockMs: number, sinceMs: number): void {
    if (this.#working > 0) return;
    const listenedMs = Math.min(blockMs, performance.now() - Math.max(sinceMs, this.#restingSinceMs));
    this.#silence.set(stream, (this.#silence.get(stream) ?? 0) + Math.max(0, listenedMs));
  }

  /** No silence counts until the returned function is called. */
  work(): () => void {
    this.#working++;
    return () => {
      this.#working--;
      this.#restingSinceMs = performance.now();
    };
  }

  /** How many records to ask for, up to `max`; 0 when reading should end. Waits in turn while other readers hold all that are left. */
  async take(max: number): Promise<number> {
    if (this.isDone) return 0;
    if (this.#free > 0 && this.#waiters.length === 0) return this.#hold(max);
    return new Promise((give) => this.#waiters.push({max, give}));
  }

  /** Ends a read that asked for `count` records and got `used` that are wanted, of `came` in all. */
  settle(count: number, used: number, came = used): void {
    this.#held -= count;
    this.#free += count - used;
    if (came > 0) this.restartSilence();
    this.#wake();
  }

  /** While Redis is away, streams are not silent. */
  restartSilence(): void {
    this.#silence.clear();
  }

  /** How long a read may block now, in milliseconds. */
  get blockMs(): number {
    const {silenceMs = Number.POSITIVE_INFINITY, readers, limit} = this.#options;
    const most = readers > 1 && limit !== Number.POSITIVE_INFINITY ? SHARED_BLOCK_MS : MAX_BLOCK_MS;
    return Math.max(1, Math.min(most, silenceMs - this.#silentMs));
  }

  #hold(max: number): number {
    const share = Math.max(1, Math.floor(this.#free / this.#options.readers));
    const count = Math.min(max, share, this.#free);
    this.#free -= count;
    this.#held += count;
    return count;
  }

  /** Gives to the waiters directly: otherwise the reader that has just settled would be the first to take again. */
  #wake(): void {
    while (this.#waiters.length > 0 && (this.isDone || this.#free > 0)) {
      const {max, give} = this.#waiters.shift()!;
      give(this.isDone ? 0 : this.#hold(max));
    }
  }

  get #silentMs(): number {
    return Math.max(0, ...this.#silence.values());
  }
}
