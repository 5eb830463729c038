/**
 * Reads that were asked for while what came before them is worked on. What they
 * bring is in hand as soon as it comes, so it has to be taken, whatever becomes
 * of the others. Invariant: they are taken in the order in which they were asked
 * for, and none that has brought something is forgotten.
 */
import type {Connection} from '../reconnecting-client.js';

interface Read<T> {
  /** What it brings; undefined when there was nothing. */
  readonly delivery: Promise<T | undefined>;
  readonly connection: Connection;
}

export class Prefetch<T> {
  #reads: Read<T>[] = [];

  get count(): number {
    return this.#reads.length;
  }

  add(delivery: Promise<T | undefined>, connection: Connection): void {
    delivery.catch(() => {});
    this.#reads.push({delivery, connection});
  }

  /**
   * The first that brings something, undefined when none is left. `using` is told of
   * the connections of each that is waited for. Throws what a read has thrown;
   * those that failed with it are forgotten, as a lost connection is one failure.
   */
  async take(using: (connection: Connection) => void): Promise<T | undefined> {
    let delivery: T | undefined;
    while (delivery === undefined && this.#reads.length > 0) {
      const read = this.#reads.shift()!;
      using(read.connection);
      try {
        delivery = await read.delivery;
      } catch (error) {
        await this.#forgetFailed();
        throw error;
      }
    }
    return delivery;
  }

  /** Resolves when all have come, or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#reads.map(({delivery}) => delivery));
  }

  async #forgetFailed(): Promise<void> {
    const reads = this.#reads;
    const ends = await Promise.allSettled(reads.map(({delivery}) => delivery));
    this.#reads = reads.filter((_, index) => ends[index]!.status === 'fulfilled');
  }
}
