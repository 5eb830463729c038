/**
 * Deleting what others name: IDs and records of any streams, counted for each.
 * Invariant: deleted and missing add up to what was given, each ID of a batch
 * counted once.
 */
import type {IdReference} from './input/id-reader.js';
import {countPresent} from './reading/lookup.js';
import {pagesOf} from './reading/paging.js';
import type {StreamClient} from './stream-client.js';

export interface DeleteCount {
  stream: string;
  deleted: number;
  /** Trimmed or deleted before, or never there. */
  missing: number;
}

/** IDs in one XDEL at most, so that none holds Redis up. */
const MAX_IDS = 500;

export class Deleter {
  readonly #client: StreamClient;
  readonly #options: {stream: string; dryRun: boolean};
  readonly #counts = new Map<string, DeleteCount>();

  /** `stream` is where references are that do not say so themselves; `dryRun` only looks. */
  constructor(client: StreamClient, options: {stream: string; dryRun: boolean}) {
    this.#client = client;
    this.#options = options;
  }

  /** XDEL of them all. */
  async delete(references: readonly IdReference[]): Promise<void> {
    const streams = new Map<string, Set<string>>();
    for (const {id, stream = this.#options.stream} of references) {
      streams.set(stream, (streams.get(stream) ?? new Set()).add(id));
    }
    for (const [stream, ids] of streams) {
      for await (const page of pagesOf([[...ids]], {count: MAX_IDS})) await this.#deleteFrom(stream, page);
    }
  }

  /** For each stream, in the order of their first IDs. */
  get counts(): DeleteCount[] {
    return [...this.#counts.values()];
  }

  async #deleteFrom(stream: string, ids: readonly string[]): Promise<void> {
    const deleted = this.#options.dryRun
      ? await countPresent(this.#client, stream, ids)
      : await this.#client.delete(stream, ids);
    const count = this.#counts.get(stream) ?? {stream, deleted: 0, missing: 0};
    count.deleted += deleted;
    count.missing += ids.length - deleted;
    this.#counts.set(stream, count);
  }
}
