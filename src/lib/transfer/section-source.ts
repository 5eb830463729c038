/**
 * The entries of a stream and the pending entries of its groups, side by side in the order of their IDs. Entries are read
 * before what is pending of them, so that what is acknowledged and deleted meanwhile is never taken for gone. Invariants: what
 * is held is one page of each; a page is bounded in entries and in bytes; nothing is given twice when a reading is repeated.
 */
import {entriesById} from '../reading/entries-by-id.js';
import {PageSize} from '../reading/page-size.js';
import type {RunOn} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, earlierId, FIRST_ID, LAST_ID, successorOf} from '../records/stream-id.js';
import {PendingCursor, type PendingGroup, type PendingPage} from './pending-cursor.js';
import type {PendingMember} from './section.js';

/** What lies between two IDs. */
export interface SectionPart {
  /** Entries that are in the stream, in order. */
  readonly records: StreamRecord[];
  /** By ID; members are in the order of the groups. */
  readonly pending: ReadonlyMap<string, PendingMember[]>;
  /** The IDs of those that are pending and not in the stream, in order. */
  readonly gone: readonly string[];
}

export interface SourceOptions {
  readonly stream: string;
  /** T0, by the clock of the server. */
  readonly atMs: number;
  /** The last ID that the stream had generated at T0: entries behind it are left alone. */
  readonly lastId: string;
  readonly groups: readonly PendingGroup[];
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Nothing but what is pending. */
  readonly pendingOnly?: boolean;
  /** Entries a page, at most. */
  readonly page?: number | undefined;
}

const PAGE = 1_000;
/** Pending entries of all groups that are held together. */
const MOST_PENDING = 20_000;
const LEAST_PENDING = 10;

/** What lies between an ID and `high`, both included. */
interface Stretch {
  readonly part: SectionPart;
  readonly high: string;
}

export class SectionSource {
  readonly #run: RunOn;
  readonly #options: SourceOptions;
  readonly #end: string;
  readonly #cursors: readonly PendingCursor[];
  readonly #size: PageSize;
  readonly #mostPending: number;
  /** That were read and not given yet, as what is pending of them did not fit. */
  #records: StreamRecord[] = [];
  /** No entry of T0 comes behind `#records`. */
  #isAtEnd = false;

  constructor(run: RunOn, options: SourceOptions) {
    const {stream, atMs, groups, from = FIRST_ID, to = LAST_ID, page = PAGE} = options;
    this.#run = run;
    this.#options = options;
    this.#end = to;
    this.#cursors = groups.map((group) => new PendingCursor(stream, group, {atMs, from}));
    this.#size = new PageSize(Math.min(page, PAGE));
    const asked = this.#cursors.filter(({isDone}) => !isDone).length;
    this.#mostPending = Math.max(LEAST_PENDING, Math.min(PAGE, Math.floor(MOST_PENDING / Math.max(1, asked))));
  }

  /** All that follows `from`, in parts. Throws what reading throws; then it can be called no more. */
  async *parts(): AsyncGenerator<SectionPart, void, void> {
    const {from = FIRST_ID, pendingOnly = false} = this.#options;
    for (let low: string | undefined = from; low !== undefined && compareStreamIds(low, this.#end) <= 0; ) {
      const {part, high}: Stretch = await (pendingOnly ? this.#nextPending(low) : this.#next(low));
      if (part.records.length + part.gone.length > 0) yield part;
      const isDone = pendingOnly
        ? this.#isPendingDone
        : this.#isAtEnd && this.#records.length === 0 && this.#isPendingDone;
      low = isDone || high === this.#end ? undefined : successorOf(high);
    }
  }

  get #isPendingDone(): boolean {
    return this.#cursors.every(({isDone}) => isDone);
  }

  async #next(low: string): Promise<Stretch> {
    if (this.#records.length === 0 && !this.#isAtEnd) await this.#readRecords(low);
    const reach = this.#isAtEnd ? this.#end : this.#records.at(-1)!.id;
    const {pages, high} = await this.#readPending(low, reach, this.#mostPending);
    const behind = high === reach ? -1 : this.#records.findIndex(({id}) => compareStreamIds(id, high) > 0);
    const records = this.#records.splice(0, behind === -1 ? this.#records.length : behind);
    return {part: await this.#joined(records, membersOf(pages, high)), high};
  }

  async #readRecords(low: string): Promise<void> {
    const {stream, lastId} = this.#options;
    const last = earlierId(lastId, this.#end);
    const {count} = this.#size;
    this.#records =
      compareStreamIds(low, last) > 0 ? [] : await this.#run((client) => client.recordPage(stream, low, last, count));
    this.#size.adapt(this.#records);
    this.#isAtEnd = this.#records.length < count;
  }

  async #nextPending(low: string): Promise<Stretch> {
    const {stream} = this.#options;
    const {pages, high} = await this.#readPending(low, this.#end, Math.min(this.#size.count, this.#mostPending));
    const pending = membersOf(pages, high);
    const ids = [...pending.keys()].sort(compareStreamIds);
    const records = await this.#run(async (client) => {
      const found: StreamRecord[] = [];
      for await (const page of entriesById(client, stream, ids, this.#size)) found.push(...page);
      return found;
    });
    return {part: await this.#joined(records, pending), high};
  }

  /** Up to `reach`, or to where the first page that is full ends. */
  async #readPending(low: string, reach: string, count: number): Promise<{pages: PendingPage[]; high: string}> {
    const pages = await this.#run((client) =>
      Promise.all(this.#cursors.map((cursor) => cursor.read(client, {low, high: reach, count}))),
    );
    return {pages, high: pages.reduce((first, {end}) => earlierId(first, end), reach)};
  }

  async #joined(records: StreamRecord[], pending: ReadonlyMap<string, PendingMember[]>): Promise<SectionPart> {
    if (pending.size === 0) return {records, pending, gone: []};
    const present = records.filter(({id}) => pending.has(id));
    if (present.length === pending.size) return {records, pending, gone: []};
    const gone = new Set(pending.keys());
    for (const {id} of present) gone.delete(id);
    for (const id of await this.#addedLater([...gone])) gone.delete(id);
    return {records, pending, gone: [...gone].sort(compareStreamIds)};
  }

  /** Those that were added after T0: a group may stand ahead of a stream whose last ID was set back. */
  async #addedLater(ids: readonly string[]): Promise<string[]> {
    const {stream, lastId} = this.#options;
    const later = ids.filter((id) => compareStreamIds(id, lastId) > 0);
    const found = await this.#run((client) => Promise.all(later.map((id) => client.recordPage(stream, id, id, 1))));
    return later.filter((_, at) => found[at]!.length > 0);
  }
}

/** What `pages` have up to `high`, by ID. */
function membersOf(pages: readonly PendingPage[], high: string): Map<string, PendingMember[]> {
  const members = new Map<string, PendingMember[]>();
  for (const page of pages) {
    for (const member of page.members) {
      if (page.end !== high && compareStreamIds(member.id, high) > 0) break;
      const others = members.get(member.id);
      if (others === undefined) members.set(member.id, [member]);
      else others.push(member);
    }
  }
  return members;
}
