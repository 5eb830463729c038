/**
 * When to stop: how many records are still wanted, how long it has been silent,
 * whether a signal came. One pace is shared by the readers of all streams, so
 * that `-n 5` over three streams is five. Invariants: readers never hold more
 * permits together than records are wanted, so nothing is read, and made
 * pending, that will not be printed. And only a read that waited and brought
 * nothing counts as silence of the stream, for as long as it asked to wait: time
 * that we spent on work, on a slow reader of our output, on Redis being away or
 * on being stopped (SIGSTOP) is our own.
 */
export interface ReadBudgetOptions {
  /** Records wanted in all; infinite is allowed. */
  limit: number;
  /** Stop after this long without a record. */
  silenceMs?: number;
  /** How many readers share this pace. */
  readers: number;
  stopping: AbortSignal;
}

/** The longest wait of one blocking read: often enough to notice a closed output, rare enough to cost nothing. */
export const MAX_BLOCK_MS = 1_000;
/** Where readers must share few permits, none may sit on them for long. */
const SHARED_BLOCK_MS = 100;

interface Waiter {
  max: number;
  give(permits: number): void;
}

export class ReadBudget {
  readonly #options: ReadBudgetOptions;
  /** Wanted and not held by any reader. */
  #free: number;
  #held = 0;
  /** For how long each stream has brought nothing since the last record of any. */
  readonly #silence = new Map<string, number>();
  /** What is worked on while reading goes on, and since when nothing is. */
  #working = 0;
  #restingSinceMs = Number.NEGATIVE_INFINITY;
  readonly #waiters: Waiter[] = [];

  constructor(options: ReadBudgetOptions) {
    this.#options = options;
    this.#free = options.limit;
    options.stopping.addEventListener('abort', () => this.#wake(), {once: true});
  }

  /** True when reading should end: by a signal, by silence, or because all wanted records are there. */
  get isDone(): boolean {
    const {silenceMs, stopping} = this.#options;
    if (stopping.aborted || this.#free + this.#held === 0) return true;
    return silenceMs !== undefined && this.#working === 0 && this.#silentMs >= silenceMs;
  }

  /** A read of `stream` asked to wait for `blockMs`, since `sinceMs`, and has heard nothing. */
  heardNothing(stream: string, blockMs: number, sinceMs: number): void {
    if (this.#working > 0) return;
    const listenedMs = Math.min(blockMs, performance.now() - Math.max(sinceMs, this.#restingSinceMs));
    this.#silence.set(stream, (this.#silence.get(stream) ?? 0) + Math.max(0, listenedMs));
  }

  /** Until what it returns is called, something is worked on, and no silence counts. */
  work(): () => void {
    this.#working++;
    return () => {
      this.#working--;
      this.#restingSinceMs = performance.now();
    };
  }

  /** Permits for up to `max` records; 0 when reading should end. Waits in turn while other readers hold all that are left. */
  async take(max: number): Promise<number> {
    if (this.isDone) return 0;
    if (this.#free > 0 && this.#waiters.length === 0) return this.#hold(max);
    return new Promise((give) => this.#waiters.push({max, give}));
  }

  /** Ends a read: `used` of its `permits` became records. */
  settle(permits: number, used: number): void {
    this.#held -= permits;
    this.#free += permits - used;
    if (used > 0) this.restartSilence();
    this.#wake();
  }

  /** Says that nobody could be heard until now: the silence of a server that is away is not that of a stream. */
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
    const permits = Math.min(max, share, this.#free);
    this.#free -= permits;
    this.#held += permits;
    return permits;
  }

  /** Handed over here, not just announced: else the reader that gave permits back would be first to take them again. */
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
