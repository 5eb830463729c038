/** Deleting dead letters for good. Invariant: what was counted was there and has gone, or with `dryRun` would have. */

import {pagesOf} from '../reading/paging.js';
import type {Entry} from '../records/entry.js';
import type {StreamClient} from '../stream-client.js';

/** IDs in one XDEL at most, so that none holds Redis up. */
const MAX_IDS = 500;

export class Purger {
  purged = 0;
  readonly #client: StreamClient;
  readonly #options: {deadLetter: string; dryRun: boolean; stopping: AbortSignal};

  constructor(client: StreamClient, options: {deadLetter: string; dryRun: boolean; stopping: AbortSignal}) {
    this.#client = client;
    this.#options = options;
  }

  /** XDEL of them all, until `stopping`. */
  async purge(pages: AsyncIterable<Entry[]>): Promise<void> {
    const {deadLetter, dryRun, stopping} = this.#options;
    for await (const page of pagesOf(pages, {count: MAX_IDS})) {
      if (stopping.aborted) return;
      const ids = page.map(({id}) => id);
      this.purged += dryRun ? ids.length : await this.#client.delete(deadLetter, ids);
    }
  }
}
