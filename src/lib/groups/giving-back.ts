/**
 * Giving pending entries back for others to take, as `nack` does: IDs and
 * records of any streams and groups, counted for each. Invariant: an entry that
 * has been taken over by another consumer than the record names, or has been delivered
 * again since, stays where it is, and all that was given is counted once.
 */
import type {IdReference} from '../input/id-reader.js';
import {pagesOf} from '../reading/paging.js';
import type {StreamClient} from '../stream-client.js';
import {type GroupKey, groupKeyText} from './group-keys.js';

export interface GiveBackCount extends GroupKey {
  givenBack: number;
  /** Acknowledged, or never delivered. */
  notPending: number;
  /** Taken over by another consumer meanwhile. */
  withAnother: number;
  /** Delivered more often than the record says: somebody is at work on it. */
  deliveredAgain: number;
  /** Trimmed or deleted, so that nobody can have it. */
  gone: number;
}

const COUNTED = {
  'given back': 'givenBack',
  'not pending': 'notPending',
  'with another': 'withAnother',
  'delivered again': 'deliveredAgain',
  gone: 'gone',
} as const;

/** Scripts under way at once. */
const PAGE = 100;

export class Releaser {
  readonly #client: StreamClient;
  readonly #defaults: GroupKey & {consumer?: string};
  readonly #counts = new Map<string, GiveBackCount>();

  /** What a reference does not say itself is as in `defaults`; without a consumer, it is whoever has the entry. */
  constructor(client: StreamClient, defaults: GroupKey & {consumer?: string}) {
    this.#client = client;
    this.#defaults = defaults;
  }

  /** All of them. Throws `notFound` when there is no such group; what was done then is counted. */
  async giveBack(references: readonly IdReference[]): Promise<void> {
    for await (const page of pagesOf([references], {count: PAGE})) {
      const results = await Promise.allSettled(page.map((reference) => this.#giveOneBack(reference)));
      for (const outcome of results) if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  /** For each stream and group, in the order of their first IDs. */
  get counts(): GiveBackCount[] {
    return [...this.#counts.values()];
  }

  async #giveOneBack(reference: IdReference): Promise<void> {
    const {stream, group, ...named} = {...this.#defaults, ...reference};
    const outcome = await this.#client.scripts.giveBack({stream, group}, named);
    const key = groupKeyText({stream, group});
    const count = this.#counts.get(key) ?? {stream, group, ...NONE};
    count[COUNTED[outcome]]++;
    this.#counts.set(key, count);
  }
}

const NONE = {givenBack: 0, notPending: 0, withAnother: 0, deliveredAgain: 0, gone: 0};
