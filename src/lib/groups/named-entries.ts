/**
 * Acknowledging, releasing and deleting the entries that IDs or records name, of any streams and groups, counted for each.
 * Invariants: what was done is counted when a method returns or throws; an entry that is no longer with the consumer that
 * its record names is left alone, as that other consumer may be at work on it.
 */
import {unlessDenied} from '../errors.js';
import type {IdReference} from '../input/id-reader.js';
import {presentIds} from '../reading/lookup.js';
import {pagesOf} from '../reading/paging.js';
import {EntryIds} from '../records/entry-ids.js';
import type {StreamClient} from '../stream-client.js';

export interface GroupKey {
  readonly stream: string;
  readonly group: string;
}

export interface AckCount extends GroupKey {
  acknowledged: number;
  /** Acknowledged before, claimed away and acknowledged by another consumer, or never delivered. */
  notPending: number;
  /** With another consumer than the record names. */
  withAnother: number;
}

export interface GiveBackCount extends GroupKey {
  givenBack: number;
  /** Acknowledged, or never delivered. */
  notPending: number;
  /** With another consumer than the record names. */
  withAnother: number;
  /** Delivered more often than the record says: a consumer may be at work on it. */
  deliveredAgain: number;
  /** Trimmed or deleted, so that no consumer can have it. */
  gone: number;
}

export interface DeleteCount {
  readonly stream: string;
  deleted: number;
  /** Trimmed or deleted before, or never there. */
  missing: number;
}

/** Counts for each stream, or stream and group, in the order in which they are first counted. */
class Counts<Count extends {readonly stream: string; readonly group?: string}> {
  readonly #counts = new Map<string, Count>();

  find(key: {stream: string; group?: string}): Count | undefined {
    return this.#counts.get(keyText(key));
  }

  /** The count of the stream and group of `none`, which is all zeros, to be raised. */
  of(none: Count): Count {
    const known = this.find(none);
    if (known === undefined) this.#counts.set(keyText(none), none);
    return known ?? none;
  }

  get all(): Count[] {
    return [...this.#counts.values()];
  }
}

const keyText = ({stream, group}: {stream: string; group?: string}): string => JSON.stringify([stream, group]);

/** `references` by stream and group, in their order, at most `limit` of them in one; `defaults` are for what they do not say. */
export function groupReferences(
  references: readonly IdReference[],
  defaults: GroupKey,
  limit: number,
): (GroupKey & {references: IdReference[]})[] {
  const batches: (GroupKey & {references: IdReference[]})[] = [];
  const open = new Map<string, IdReference[]>();
  for (const reference of references) {
    const {stream = defaults.stream, group = defaults.group} = reference;
    const key = keyText({stream, group});
    const batch = open.get(key);
    if (batch !== undefined && batch.length < limit) batch.push(reference);
    else {
      const started = [reference];
      open.set(key, started);
      batches.push({stream, group, references: started});
    }
  }
  return batches;
}

/** Waits for all of `work`, so that all of it is counted, and throws its first failure. */
async function settle(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** IDs in one XACK or script at most, so that none holds Redis up. */
const MOST_ACKNOWLEDGED = 250;

export class Acknowledger {
  readonly #client: StreamClient;
  readonly #defaults: GroupKey;
  readonly #counts = new Counts<AckCount>();

  constructor(client: StreamClient, defaults: GroupKey) {
    this.#client = client;
    this.#defaults = defaults;
  }

  get counts(): AckCount[] {
    return this.#counts.all;
  }

  /**
   * XACK of them all. How often an entry was delivered does not matter: the work of an earlier delivery is done, too.
   * Throws `notFound` when there is no such group, where Redis would only count 0.
   */
  acknowledge(references: readonly IdReference[]): Promise<void> {
    const batches = groupReferences(references, this.#defaults, MOST_ACKNOWLEDGED);
    return settle(batches.map((batch) => this.#acknowledgeBatch(batch, batch.references)));
  }

  async #acknowledgeBatch({stream, group}: GroupKey, references: readonly IdReference[]): Promise<void> {
    const bare = references.filter(({consumer}) => consumer === undefined).map(({id}) => id);
    const named = references.filter(({consumer}) => consumer !== undefined);
    const [bareCount, results] = await Promise.all([
      bare.length === 0 ? 0 : this.#client.acknowledge(stream, group, EntryIds.of(bare)),
      this.#client.scripts.acknowledgeNamed({stream, group}, named),
    ]);
    const of = (wanted: string): number => results.filter((outcome) => outcome === wanted).length;
    const missed = bare.length - bareCount + of('not pending');
    if (missed > 0 && (this.#counts.find({stream, group})?.notPending ?? 0) === 0) await this.#mustExist(stream, group);
    const count = this.#counts.of({stream, group, acknowledged: 0, notPending: 0, withAnother: 0});
    count.acknowledged += bareCount + of('acknowledged');
    count.notPending += missed;
    count.withAnother += of('with another');
  }

  async #mustExist(stream: string, group: string): Promise<void> {
    // A user who may only acknowledge cannot look, and has done no wrong.
    await unlessDenied(this.#client.pendingPage(stream, group, {count: 1}));
  }
}

/** Scripts under way at once. */
const MOST_RELEASED = 100;

const COUNTED = {
  'given back': 'givenBack',
  'not pending': 'notPending',
  'with another': 'withAnother',
  'delivered again': 'deliveredAgain',
  gone: 'gone',
} as const;

export class Releaser {
  readonly #client: StreamClient;
  readonly #defaults: GroupKey & {consumer?: string};
  readonly #counts = new Counts<GiveBackCount>();

  /** What a reference does not say itself is as in `defaults`; without a consumer, any one may have the entry. */
  constructor(client: StreamClient, defaults: GroupKey & {consumer?: string}) {
    this.#client = client;
    this.#defaults = defaults;
  }

  get counts(): GiveBackCount[] {
    return this.#counts.all;
  }

  /** XNACK of them all, or XCLAIM. Throws `notFound` when there is no such group. */
  async giveBack(references: readonly IdReference[]): Promise<void> {
    for await (const page of pagesOf([references], {count: MOST_RELEASED})) {
      await settle(page.map((reference) => this.#giveOneBack({...this.#defaults, ...reference})));
    }
  }

  async #giveOneBack({stream, group, ...named}: IdReference & GroupKey): Promise<void> {
    const outcome = await this.#client.scripts.giveBack({stream, group}, named);
    const none = {stream, group, givenBack: 0, notPending: 0, withAnother: 0, deliveredAgain: 0, gone: 0};
    this.#counts.of(none)[COUNTED[outcome]]++;
  }
}

/** IDs in one XDEL at most, so that none holds Redis up. */
const MOST_DELETED = 500;

export class Deleter {
  readonly #client: StreamClient;
  readonly #options: {stream: string; dryRun: boolean};
  readonly #counts = new Counts<DeleteCount>();

  /** `stream` is for references that do not say theirs; `dryRun` only looks. */
  constructor(client: StreamClient, options: {stream: string; dryRun: boolean}) {
    this.#client = client;
    this.#options = options;
  }

  get counts(): DeleteCount[] {
    return this.#counts.all;
  }

  /** XDEL of them all, each ID counted once. */
  async delete(references: readonly IdReference[]): Promise<void> {
    const streams = new Map<string, Set<string>>();
    for (const {id, stream = this.#options.stream} of references) {
      streams.set(stream, (streams.get(stream) ?? new Set()).add(id));
    }
    for (const [stream, ids] of streams) {
      for await (const page of pagesOf([[...ids]], {count: MOST_DELETED})) await this.#deleteFrom(stream, page);
    }
  }

  async #deleteFrom(stream: string, ids: readonly string[]): Promise<void> {
    const deleted = this.#options.dryRun
      ? (await presentIds(this.#client, stream, ids)).length
      : await this.#client.delete(stream, ids);
    const count = this.#counts.of({stream, deleted: 0, missing: 0});
    count.deleted += deleted;
    count.missing += ids.length - deleted;
  }
}
