/**
 * A plain client that adds entries of increasing number and writes down what it
 * attempted and what Redis confirmed. What was under way when the server died
 * may be in the stream or not, and is not sent again.
 */
import {Redis} from 'ioredis';
import type {HistoryEvent} from '../faults/support/history.js';

export const STREAM = 'events';
export const GROUP = 'streamlog';

export class Producer {
  readonly events: HistoryEvent[] = [];
  /** How many were confirmed. */
  confirmed = 0;
  readonly #path: string;
  #redis: Redis | undefined;
  #next = 1;

  /** `path` is the server's socket. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Adds `count` entries in one pipeline; returns early when the server is gone. */
  async add(count: number): Promise<void> {
    this.#redis ??= this.#connect();
    const pipeline = this.#redis.pipeline();
    const values: string[] = [];
    for (let index = 0; index < count; index++) {
      const n = this.#next++;
      values.push(`p-${n}`);
      this.events.push({what: 'attempted', value: `p-${n}`, by: 'p'});
      pipeline.xadd(STREAM, '*', 'value', `p-${n}`, 'n', n);
    }
    const results = await pipeline.exec().catch(() => []);
    const outcomes = (results ?? []).map(([error, id], index) => ({id: String(id), value: values[index]!, error}));
    for (const {id, value, error} of outcomes) {
      if (error !== null) continue;
      this.confirmed++;
      this.events.push({what: 'confirmed', value, id});
    }
    // A client of ours does not come back to life.
    if (outcomes.length < count || outcomes.some(({error}) => error !== null)) this.close();
  }

  close(): void {
    this.#redis?.disconnect();
    this.#redis = undefined;
  }

  #connect(): Redis {
    const redis = new Redis({path: this.#path, retryStrategy: () => null, maxRetriesPerRequest: 0, protocol: 2});
    redis.on('error', () => {});
    return redis;
  }
}
