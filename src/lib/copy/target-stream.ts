/**
 * The copy of a stream, whose last generated ID says how far it is: XADD with the IDs of the source, in transactions. Invariants:
 * an entry is never there without all that were copied before it; an ID that is refused as too small counts as there only
 * when the entry with it is the same; entries that somebody else adds are noticed, at the latest by `check`.
 */
import {StreamlogError} from '../errors.js';
import {entriesById} from '../reading/entries-by-id.js';
import {findInfo} from '../reading/locate.js';
import {PageSize} from '../reading/page-size.js';
import {isSame} from '../reading/stream-change.js';
import type {ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {AddOptions, AddResult, StreamInfo} from '../stream-client.js';
import {
  COPY_WORDS,
  type CopyNames,
  foreignEntries,
  foreignEntry,
  otherId,
  passedOver,
  replaced,
} from './copy-failures.js';
import type {CopyTarget} from './copy-target.js';
import {batchOf, type EntryBatch} from './entry-batch.js';

export interface TargetOptions {
  names: CopyNames;
  redis: ReconnectingClient;
  /** Whether the source has an entry with this ID that is the same as that of the target. */
  isCopy: (id: string) => Promise<boolean>;
  onProblem: (line: string) => void;
}

const CREATE: AddOptions = {};
/** One that was deleted is not begun anew in the middle. */
const NO_CREATE: AddOptions = {create: false};
/** Entries that are compared at a time. */
const PAGE = 1_000;

export class TargetStream implements CopyTarget {
  readonly names: CopyNames;
  readonly words = COPY_WORDS;
  readonly keepsIds = true;
  readonly #redis: ReconnectingClient;
  readonly #options: TargetOptions;
  readonly #size = new PageSize(PAGE);
  #found: StreamInfo | undefined;
  #exists = false;
  /** Up to which ID it is known to be a copy, as it was confirmed. */
  #confirmed: string | undefined;
  /** Where it ended at the last look, what entries-added was, and how many were copied since. */
  #base = FIRST_ID;
  #added: number | undefined;
  #copied = 0;

  constructor(options: TargetOptions) {
    this.names = options.names;
    this.#redis = options.redis;
    this.#options = options;
  }

  /** The ID up to which everything is copied, as far as is confirmed. */
  get confirmed(): string {
    return this.#confirmed ?? FIRST_ID;
  }

  async look(): Promise<string> {
    const info = await this.#redis.run(({commands}) => findInfo(commands, this.names.target));
    const lastId = info?.lastGeneratedId ?? FIRST_ID;
    this.#found = info;
    if (this.#confirmed !== undefined && compareStreamIds(lastId, this.#confirmed) < 0)
      this.#options.onProblem(
        info === undefined
          ? `target stream "${this.names.target}" is gone; copying it again`
          : `target stream "${this.names.target}" lacks what was copied after ${lastId}, as after a failover; copying it again`,
      );
    return lastId;
  }

  begin(): void {
    const info = this.#found;
    this.#exists = info !== undefined;
    this.#base = info?.lastGeneratedId ?? FIRST_ID;
    this.#confirmed = this.#base;
    this.#added = info === undefined ? 0 : info.entriesAdded;
    this.#copied = 0;
  }

  async add(records: readonly StreamRecord[]): Promise<boolean> {
    for (let at = 0; at < records.length; ) {
      const options = this.#exists ? NO_CREATE : CREATE;
      const batch = batchOf(this.names.target, records, at, {options, newIds: false});
      if (!(await this.#send(batch))) return false;
      at += batch.records.length;
    }
    return true;
  }

  /**
   * False where it has gone back, and has to be looked at again. Throws `data` where somebody else has added entries since
   * the last look, `incomplete` where some of them are not there any more.
   */
  async check(): Promise<boolean> {
    const info = await this.#redis.run(({commands}) => findInfo(commands, this.names.target));
    if (this.#confirmed === undefined) return true;
    const order = compareStreamIds(info?.lastGeneratedId ?? FIRST_ID, this.#confirmed);
    if (info === undefined || order < 0) return order === 0;
    if (order > 0) {
      // Another copy of the same stream may be ahead of this one.
      if (await this.#options.isCopy(info.lastGeneratedId)) return true;
      throw foreignEntry(this.names, info.lastGeneratedId, 'is not in');
    }
    // Servers before Redis 7.0 do not count (https://redis.io/docs/latest/commands/xinfo-stream/).
    if (this.#added === undefined || info.entriesAdded === undefined) return true;
    const others = info.entriesAdded - this.#added - this.#copied;
    if (others === 0) return true;
    throw others > 0 ? foreignEntries(this.names, others) : replaced(this.names);
  }

  async #send({records, adds}: EntryBatch): Promise<boolean> {
    const isDone = await this.#redis.attempt(async ({commands}) => {
      const results = await commands.addAll(this.names.target, adds, {together: true});
      // It was deleted meanwhile.
      if (results.includes(undefined)) return false;
      await this.#requireThere(refusedOf(records, results, this.names.target));
      return true;
    });
    if (isDone !== true) return false;
    this.#exists = true;
    const last = records.at(-1)!.id;
    if (compareStreamIds(last, this.confirmed) > 0) this.#confirmed = last;
    const isNew = compareStreamIds(records[0]!.id, this.#base) > 0;
    this.#copied += isNew ? records.length : records.filter(({id}) => compareStreamIds(id, this.#base) > 0).length;
    return true;
  }

  /** Throws `data` unless all of `refused` are there. */
  async #requireThere(refused: readonly StreamRecord[]): Promise<void> {
    if (refused.length === 0) return;
    const ids = refused.map(({id}) => id);
    const there = await this.#redis.run(async ({commands}) => {
      const found = new Map<string, StreamRecord>();
      for await (const page of entriesById(commands, this.names.target, ids, this.#size))
        for (const record of page) found.set(record.id, record);
      return found;
    });
    for (const record of refused) {
      const copy = there.get(record.id);
      if (copy === undefined || !isSame(record, copy)) throw passedOver(this.names, record.id, copy !== undefined);
    }
  }
}

/** Those that were refused since their IDs are not above the last one. Throws any other failure. */
function refusedOf(records: readonly StreamRecord[], results: readonly AddResult[], stream: string): StreamRecord[] {
  return records.filter(({id}, index) => {
    const result = results[index];
    if (result instanceof StreamlogError) {
      if (result.code === 'SMALLER_ID') return true;
      throw result;
    }
    if (result !== undefined && result !== id) throw otherId(stream, id, result);
    return false;
  });
}
