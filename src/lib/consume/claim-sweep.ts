/**
 * Finding the entries that other consumers have abandoned, in steps that cost
 * Redis little, whatever it holds. XPENDING with IDLE would walk the whole
 * pending list for one page (0.3 s for a million entries), and every worker
 * would do so at every look. So a step reads a few pages without it and filters
 * here, and the next step goes on where this one ended.
 *
 * What it costs: a page of 1,000 is some 0.4 ms of Redis. All consumers of a
 * group together look at each pending entry twice in the time after which it
 * counts as abandoned, but at no more than 50,000 entries a second, 2 % of Redis;
 * so the more consumers there are, the longer each one pauses, up to half that
 * time or 10 s. They begin at the head of the list, where entries lie longest, and
 * go on from places of their own. With one worker a list of a million is seen
 * every 30 s; with 20,000 consumers of which all but one are dead, a list of
 * which nothing is abandoned takes that one a step of 5,000 entries every 30 s.
 *
 * From Redis 8.4 on XREADGROUP has CLAIM (redis/redis#14402), which finds what has
 * been idle longest at once, wherever it lies. What has gone from the stream it
 * passes over, one by one, and leaves pending (10 ms for 200,000 on 8.6.3). So the
 * walk goes on beside it, ten times slower, and CLAIM waits for as long as the
 * walk finds something.
 *
 * Invariant: one command looks at no more than a page of the list; every pending
 * entry is looked at again and again; and none is taken unless Redis itself sees
 * that it has been idle for long enough.
 */

import {isFailure} from '../errors.js';
import type {StreamRecord} from '../records/entry.js';
import {isIdle, type PendingEntry} from '../records/pending-entry.js';
import {compareStreamIds, FIRST_ID, millisecondsOf, successorOf} from '../records/stream-id.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {type RecoveryContext, takeOver} from './pending-recovery.js';

export interface SweepOptions {
  /** What others have had for longer than this is taken over. */
  idleMs: number;
  /** Whether taking an entry over counts as one more delivery. */
  counts: boolean;
  /** Looks at the whole list once without a pause, for a caller that ends when nothing is left. */
  wholeFirst: boolean;
}

/** What a step has found: entries taken over or, since CLAIM reads on, entries that are new. */
export interface SweepBatch {
  records: StreamRecord[];
  isNew: boolean;
}

/** Entries of one XPENDING: some 0.4 ms. */
const PAGE = 1_000;
/** Pages of one step where nothing is found. */
const STEP_PAGES = 5;
/** How many entries the consumers of a group look at together in a second, at most. */
const MOST_PER_SECOND = 50_000;
/** The same where only what has gone from the stream is left to be found so. */
const MOST_BESIDE_CLAIM = 5_000;
const LONG_PAUSE_MS = 10_000;

export class ClaimSweep {
  readonly #options: SweepOptions;
  /** Where the next step begins; undefined for the head of the list. */
  #from: string | undefined;
  #nextMs = 0;
  /** Whether a walk has come to the end of the list. */
  #hasSeenAll = false;
  /** Until CLAIM has given us what we hold ourselves, or the server has shown that it has none. */
  #mayClaim = true;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Milliseconds until the next step; 0 or less when it is due. */
  get dueInMs(): number {
    return this.#nextMs - performance.now();
  }

  /** False while the caller that wanted to see the whole list once has not. */
  get isDone(): boolean {
    return this.#hasSeenAll || !this.#options.wholeFirst;
  }

  /** One step: what was found, in batches. */
  async *step(control: StreamClient, context: RecoveryContext): AsyncGenerator<SweepBatch, void, void> {
    const begin = this.#from;
    const walk = {found: 0, looked: 0};
    for await (const records of this.#walk(control, context, walk)) yield {records, isNew: false};
    if (context.over()) return;
    if (this.#from === undefined) this.#hasSeenAll = true;
    if (walk.found > 0 || !this.isDone) return;
    let claimed = 0;
    // CLAIM would give us again what is ours, and whose IDs are kept no longer.
    if (context.inFlight.forgottenUpTo !== FIRST_ID) this.#mayClaim = false;
    if (this.#mayClaim) {
      for await (const batch of this.#claim(control, context)) {
        if (!batch.isNew) claimed += batch.records.length;
        yield batch;
      }
    }
    if (claimed === 0) this.#nextMs = performance.now() + (await this.#pauseMs(control, context, begin, walk.looked));
  }

  /** Some pages of the list, or up to the first in which something is found: more of that is likely to follow. */
  async *#walk(
    control: StreamClient,
    context: RecoveryContext,
    walk: {found: number; looked: number},
  ): AsyncGenerator<StreamRecord[], void, void> {
    const {stream, group} = context.member;
    const onGone = (ids: readonly string[]): void => {
      walk.found += ids.length;
      context.onGone(ids);
    };
    for (let left = STEP_PAGES; left > 0 && walk.found === 0 && !context.over(); left--) {
      const page = await control.pendingPage(stream, group, {start: this.#from, count: PAGE});
      walk.looked += page.length;
      const inFlight = context.inFlight.ids;
      const {forgottenUpTo} = context.inFlight;
      const isForgotten = ({id, consumer: owner}: PendingEntry): boolean =>
        owner === context.member.consumer && compareStreamIds(id, forgottenUpTo) <= 0;
      const abandoned = page.filter(
        (entry) => isIdle(entry, this.#options.idleMs) && !inFlight.has(entry.id) && !isForgotten(entry),
      );
      for await (const records of takeOver(control, {...context, onGone}, abandoned, this.#options)) {
        walk.found += records.length;
        yield records;
      }
      if (context.over()) return;
      this.#from = page.length < PAGE ? undefined : successorOf(page.at(-1)!.id);
      if (this.#from === undefined) return;
    }
  }

  /** XREADGROUP with CLAIM, once: what is new comes with it, and is handed out as that. */
  async *#claim(control: StreamClient, context: RecoveryContext): AsyncGenerator<SweepBatch, void, void> {
    const {member} = context;
    const before = context.inFlight.ids;
    let claimed: StreamRecord[] = [];
    let fresh: StreamRecord[] = [];
    await context.permitted(async (count) => {
      const found = await control.readClaiming(member, {...this.#options, count});
      if (found === undefined) return [];
      // CLAIM asks nobody whose they are. What is in hand is worked on, and has only got a new lease.
      claimed = found.claimed.filter(({id}) => !before.has(id));
      fresh = found.fresh;
      if (claimed.length < found.claimed.length) this.#mayClaim = false;
      return [...claimed, ...fresh];
    });
    if (claimed.length > 0) yield {records: claimed, isNew: false};
    if (fresh.length > 0) yield {records: fresh, isNew: true};
  }

  /** How long to wait after a step that began at `begin` and looked at so many entries. Chooses where the next one begins. */
  async #pauseMs(
    control: StreamClient,
    {member}: RecoveryContext,
    begin: string | undefined,
    looked: number,
  ): Promise<number> {
    const halfMs = this.#options.idleMs / 2;
    if (begin === undefined && this.#from === undefined && looked < PAGE) return halfMs;
    const group = await groupOf(control, member);
    // All who begin at the head would stay side by side.
    if (begin === undefined && this.#from !== undefined) this.#from = somewhereIn(this.#from, group?.lastDeliveredId);
    const hasClaim = this.#mayClaim && control.mayKnowClaim;
    const longestMs = hasClaim ? halfMs : Math.max(halfMs, LONG_PAUSE_MS);
    if (group === undefined) return longestMs;
    const most = hasClaim ? MOST_BESIDE_CLAIM : MOST_PER_SECOND;
    const perMs = Math.max(1, Math.min(most / 1_000, group.pending / halfMs));
    return Math.min(longestMs, (looked * group.consumers) / perMs);
  }
}

/** XINFO GROUPS; undefined for one who may not ask. */
async function groupOf(
  control: StreamClient,
  {stream, group}: {stream: string; group: string},
): Promise<GroupInfo | undefined> {
  try {
    return await control.group(stream, group);
  } catch (error) {
    if (isFailure(error, 'denied')) return undefined;
    throw error;
  }
}

/** An ID at random from `first` to `last`. */
function somewhereIn(first: string, last = first): string {
  const [fromMs, toMs] = [millisecondsOf(first), millisecondsOf(last)];
  return toMs <= fromMs ? first : `${fromMs + 1 + Math.floor(Math.random() * (toMs - fromMs))}-0`;
}
