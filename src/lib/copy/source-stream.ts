/**
 * The stream that is copied, read behind a position. Redis passes over what was trimmed before it was read, and says nothing: so
 * a page is read from the entry at the position on, and while that is there, nothing behind it was trimmed. Invariant: a
 * page lacks nothing that was ever added behind its position, except what was deleted from the middle.
 */
import {StreamlogError} from '../errors.js';
import {counted} from '../output/sentences.js';
import {findInfo} from '../reading/locate.js';
import {PageSize} from '../reading/page-size.js';
import {streamChange} from '../reading/stream-change.js';
import type {ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID, laterId} from '../records/stream-id.js';
import type {StreamInfo} from '../stream-client.js';
import {type CopyWords, notInOrder} from './copy-failures.js';

/** How many entries were added to the stream up to an ID, those included that are gone. */
export interface Counted {
  readonly upTo: string;
  readonly added: number;
}

export interface SourcePage {
  readonly records: readonly StreamRecord[];
  /** Of its last record, where it is known. */
  readonly counted: Counted | undefined;
}

export interface SourceOptions {
  stream: string;
  /** With another connection for reads that block. */
  redis: ReconnectingClient;
  /** The last ID that is wanted. */
  last: string;
  /** What was trimmed before the first page does not matter. */
  acceptsGap: boolean;
  words: CopyWords;
  /** Called with what is missing where that does not matter, and something was there before. */
  onGap: (line: string) => void;
}

/** Entries a page, at most: what one transaction adds takes Redis some 2 ms. */
const PAGE = 1_000;
/** How long a read waits for what comes. */
export const BLOCK_MS = 1_000;
/** How often a page is read again that was trimmed meanwhile. */
const MOST_ATTEMPTS = 10;

export class SourceStream {
  readonly stream: string;
  readonly redis: ReconnectingClient;
  readonly #last: string;
  readonly #words: CopyWords;
  readonly #onGap: (line: string) => void;
  readonly #size = new PageSize(PAGE);
  #acceptsGap: boolean;
  #counted: Counted | undefined;
  #copiedUpTo = FIRST_ID;
  /** What the stream was at the last look. */
  #seen: StreamInfo;
  /** The highest ID that it is known to have given. */
  #highest: string;

  constructor({stream, redis, last, acceptsGap, words, onGap}: SourceOptions, seen: StreamInfo) {
    this.stream = stream;
    this.redis = redis;
    this.#last = last;
    this.#words = words;
    this.#onGap = onGap;
    this.#acceptsGap = acceptsGap;
    this.#seen = seen;
    this.#highest = seen.lastGeneratedId;
  }

  /** The newest ID that it is known to have given. */
  get lastGeneratedId(): string {
    return this.#highest;
  }

  /** Everything up to `id` is copied: returns where reading begins, which is where it is known how much had been added, if that is before it. */
  startBehind(id: string, known: Counted | undefined): string {
    this.#copiedUpTo = id;
    const isUseful = known !== undefined && compareStreamIds(known.upTo, id) <= 0;
    this.#counted = isUseful ? known : undefined;
    return isUseful && !this.#acceptsGap ? known.upTo : id;
  }

  /**
   * The entries behind `after`, oldest first; none where there are none yet. Undefined when the stream has lost entries up to
   * `after`, as by a failover: `lastGeneratedId` is then where it ends. Throws `incomplete` when entries behind `after` were trimmed.
   */
  async pageBehind(after: string): Promise<SourcePage | undefined> {
    for (let attempt = 1; ; attempt++) {
      // One more for the entry at `after`.
      const count = this.#size.count + 1;
      const page = await this.redis.run(({commands}) => commands.recordPage(this.stream, after, this.#last, count));
      this.#requireOrder(page, after);
      this.#size.adapt(page);
      const isAnchored = page[0]?.id === after;
      const records = isAnchored ? page.slice(1) : page;
      if (!isAnchored) {
        const verdict = await this.#lookFor(after, records[0]?.id, attempt);
        if (verdict === 'shortened') return undefined;
        if (verdict === 'changed') continue;
      }
      this.#acceptsGap = false;
      return {records, counted: this.#take(after, records)};
    }
  }

  /** XREAD BLOCK: resolves when there may be entries behind `after`, or when a second is over. */
  async wait(after: string): Promise<void> {
    await this.redis.run(({reader}) => reader.read(this.stream, after, {count: 1, blockMs: BLOCK_MS}));
  }

  /** XINFO STREAM. Throws `incomplete` where it is gone. */
  async look(): Promise<StreamInfo> {
    const now = await this.redis.run(({commands}) => findInfo(commands, this.stream));
    if (now !== undefined) return now;
    const {done, there} = this.#words;
    throw new StreamlogError('incomplete', `stream "${this.stream}" was deleted while it was ${done}`, {
      hint: `what was ${done} is in ${there}; run again when the stream is there`,
    });
  }

  /** The stream has got everything up to `after`, says a look at it: how much that was. */
  countAt(after: string, {lastGeneratedId, entriesAdded}: StreamInfo): Counted | undefined {
    if (entriesAdded !== undefined && lastGeneratedId === after) this.#counted = {upTo: after, added: entriesAdded};
    return this.#counted?.upTo === after ? this.#counted : undefined;
  }

  #take(after: string, records: readonly StreamRecord[]): Counted | undefined {
    const last = records.at(-1)?.id;
    if (last === undefined) return this.#counted;
    if (compareStreamIds(last, this.#highest) > 0) this.#highest = last;
    this.#counted =
      this.#counted?.upTo === after ? {upTo: last, added: this.#counted.added + records.length} : undefined;
    return this.#counted;
  }

  /**
   * Why the entry at `after` is not there, where a page behind it begins with `first`: nothing of it is lost, or what was read is
   * not what is there now, or the stream ends before it. Throws where entries are lost.
   */
  async #lookFor(after: string, first: string | undefined, attempt: number): Promise<'well' | 'changed' | 'shortened'> {
    const now = await this.look();
    const before = this.#seen;
    const change = streamChange(before, this.#highest, now);
    if (change === 'anew') throw beganAnew(this.stream, after, this.#words);
    this.#seen = now;
    this.#highest = now.lastGeneratedId;
    if (compareStreamIds(after, now.lastGeneratedId) > 0) {
      if (change === 'shortened') return 'shortened';
      // A position ahead of the stream.
      if (first === undefined) return 'well';
    }
    const oldest = now.firstEntry?.id;
    // Deleted from the middle, or never there: trimming has not come so far.
    if (oldest !== undefined && compareStreamIds(oldest, after) <= 0) return 'well';
    const copied = laterId(after, this.#copiedUpTo);
    if (first === undefined && compareStreamIds(now.lastGeneratedId, copied) <= 0) {
      this.countAt(now.lastGeneratedId, now);
      return 'well';
    }
    const expected = oldest !== undefined && compareStreamIds(oldest, this.#last) <= 0 ? oldest : undefined;
    if (first !== expected && attempt < MOST_ATTEMPTS) return 'changed';
    const isBeginning = after === FIRST_ID && this.#counted?.upTo !== after;
    const isKnown = isBeginning || (oldest !== undefined && compareStreamIds(oldest, copied) <= 0);
    if (this.#acceptsGap || isKnown) {
      if (!isKnown)
        this.#onGap(trimmedBefore(this.stream, {after: copied, missing: undefined, oldest}, this.#words).message);
      // All that is left is behind `after`.
      const {entriesAdded, length} = now;
      this.#counted = entriesAdded === undefined ? undefined : {upTo: after, added: entriesAdded - length};
      return 'well';
    }
    const missing = this.#missing(after, now);
    if (missing === 0) return 'well';
    const shown = after === copied ? missing : undefined;
    throw trimmedBefore(this.stream, {after: copied, missing: shown, oldest}, this.#words);
  }

  /** How many entries behind `after` are not there any more; undefined where that is not known. */
  #missing(after: string, {entriesAdded, length}: StreamInfo): number | undefined {
    if (entriesAdded === undefined || this.#counted?.upTo !== after) return undefined;
    return Math.max(0, entriesAdded - this.#counted.added - length);
  }

  #requireOrder(page: readonly StreamRecord[], after: string): void {
    let last: string | undefined;
    for (const {id} of page) {
      if (last === undefined ? compareStreamIds(id, after) < 0 : compareStreamIds(id, last) <= 0)
        throw notInOrder(this.stream, id);
      last = id;
    }
  }
}

const beganAnew = (stream: string, after: string, {done, anewHint}: CopyWords): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `stream "${stream}" has begun anew: it is not the one that was ${done} up to ${after}`,
    {hint: anewHint},
  );

function trimmedBefore(
  stream: string,
  {after, missing, oldest}: {after: string; missing: number | undefined; oldest: string | undefined},
  {done, trimmedHint}: CopyWords,
): StreamlogError {
  const upTo = oldest === undefined ? '' : ` and before ${oldest}`;
  const what =
    missing === undefined
      ? `entries after ${after}${upTo} may have been trimmed`
      : `${counted(missing, 'entry')} after ${after}${upTo} ${missing === 1 ? 'was' : 'were'} trimmed or deleted`;
  return new StreamlogError('incomplete', `${what} from stream "${stream}" before they were ${done}`, {
    hint: trimmedHint,
  });
}
