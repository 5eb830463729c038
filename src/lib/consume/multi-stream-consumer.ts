/**
 * One consumer name on one or several streams: a Consumer for each, with its own
 * connections, since streams may live on different nodes of a cluster. Their
 * deliveries are merged into one sequence.
 */
import {StreamlogError} from '../errors.js';
import {merge} from '../reading/merge.js';
import {ReconnectingClient} from '../reconnecting-client.js';
import type {StreamClient} from '../stream-client.js';
import {Consumer, type ConsumerOptions, type Delivery} from './consumer.js';
import type {EntryFilter} from './entry-filter.js';
import {clientNameOf} from './name-in-use.js';
import {MAX_BLOCK_MS, ReadBudget, type ReadBudgetOptions} from './read-budget.js';

export type MultiStreamOptions = Omit<ConsumerOptions, 'member'> &
  Omit<ReadBudgetOptions, 'readers'> & {
    /** Connects under a name for CLIENT LIST. */
    connect: (clientName: string) => Promise<StreamClient>;
    /** Whether another server may take over from one that is away. */
    mayFailOver: boolean;
    streams: readonly string[];
    group: string;
    consumer: string;
  };

/** How often consumers with in-flight entries are checked for removal. */
const CHECK_MS = 1_000;
/** How long replies are still waited for after reading was ended. */
const REPLY_MS = 1_000;

export class MultiStreamConsumer {
  readonly consumers: readonly Consumer[];
  readonly #ending = new AbortController();
  #endingSinceMs: number | undefined;
  #closing: NodeJS.Timeout | undefined;
  readonly #checking: NodeJS.Timeout;
  readonly #budget: ReadBudget;
  readonly #filter: EntryFilter | undefined;

  constructor(options: MultiStreamOptions) {
    const {connect, mayFailOver, streams, group, consumer, onProblem} = options;
    if (options.stopping.aborted) this.end();
    else options.stopping.addEventListener('abort', () => this.end(), {once: true});
    const stopping = this.ending;
    const budget = new ReadBudget({...options, stopping, readers: streams.length});
    this.#budget = budget;
    this.#filter = options.filter;
    this.consumers = streams.map((stream) => {
      const member = {stream, group, consumer};
      const redis = new ReconnectingClient({
        connect: () => connect(clientNameOf(member)),
        mayFailOver,
        blockMs: MAX_BLOCK_MS,
        stopping,
        onProblem,
      });
      return new Consumer(redis, budget, {...options, member});
    });
    // While handlers run, or output is slow, no read would notice that a consumer was removed.
    this.#checking = setInterval(() => {
      for (const each of this.consumers) void each.lookAfter();
    }, CHECK_MS).unref();
  }

  /** Aborted when nothing more is to be read: by `end`, or when `stopping` was. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** See `ReadBudget.work`. */
  work(): () => void {
    return this.#budget.work();
  }

  /** Ends reading; `deliveries` returns soon after. */
  end(): void {
    this.#endingSinceMs ??= performance.now();
    this.#ending.abort();
  }

  /** Batches of records, each from one stream, as they come: see `Consumer.deliveries`. */
  async *deliveries(): AsyncGenerator<Delivery, void, void> {
    const free = (): void => {
      for (const consumer of this.consumers) {
        void consumer.free();
        // What is left to other consumers has to be pending.
        void consumer.lookAfter();
      }
      // Other replies are waited for, but not from a server that does not answer.
      this.#closing = setTimeout(() => {
        for (const {redis} of this.consumers) redis.close();
      }, REPLY_MS);
    };
    this.ending.addEventListener('abort', free, {once: true});
    try {
      yield* merge(this.consumers.map((consumer) => this.#filter?.deliveries(consumer) ?? consumer.deliveries()));
    } finally {
      this.ending.removeEventListener('abort', free);
    }
  }

  /** Entries that are in flight: delivered, and not acknowledged. */
  get inFlight(): number {
    return this.consumers.reduce((sum, {inFlight}) => sum + inFlight.unfinished.length, 0);
  }

  /** Entries whose acknowledgement Redis has confirmed. */
  get acknowledged(): number {
    return this.consumers.reduce((sum, {acknowledgements}) => sum + acknowledgements.confirmed, 0);
  }

  /**
   * Acknowledges what is finished and settles what is left pending, for up to `limitMs` since reading was ended early,
   * and closes all connections: see `Acknowledgements.confirm` and `Consumer.settle`. A consumer with nothing pending is
   * removed, or with `ifPossible`, only where that needs no new connection and the user may.
   */
  async close({limitMs, removal}: {limitMs: number; removal: 'none' | 'ifPossible' | 'required'}): Promise<void> {
    clearTimeout(this.#closing);
    clearInterval(this.#checking);
    const usedMs = this.#endingSinceMs === undefined ? 0 : performance.now() - this.#endingSinceMs;
    const ends = await Promise.allSettled(
      this.consumers.map(async (consumer) => {
        try {
          await consumer.acknowledgements.confirm(limitMs - usedMs);
          await consumer.settle(limitMs - usedMs);
          if (removal !== 'none') await removeConsumer(consumer, removal === 'required');
        } finally {
          consumer.redis.close();
        }
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}

/** Nothing is lost with it: the script sees in the same step that nothing is pending. */
async function removeConsumer({redis, member}: Consumer, isRequired: boolean): Promise<void> {
  const connection = isRequired ? await redis.connection() : redis.current;
  try {
    await connection?.commands.scripts.removeIdleConsumer(member);
  } catch (error) {
    if (isRequired || !(error instanceof StreamlogError)) throw error;
  }
}
