/**
 * Finds entries that other consumers have abandoned, in steps that cost Redis
 * little. XPENDING with IDLE would walk the whole pending list for one page
 * (0.3 s for a million entries), for every worker each time. So a step reads a
 * few pages without IDLE and filters here; the next step goes on from there.
 *
 * Cost: a page of 1,000 takes Redis some 0.4 ms. All consumers of a group together
 * read each pending entry twice in the time after which it counts as abandoned,
 * but no more than 50,000 entries a second, 2 % of Redis. The more consumers, the
 * longer each pauses, up to half that time or 10 s. They begin at the head of the
 * list, where entries are oldest, and go on from random positions. One worker
 * sees a list of a million every 30 s. With 20,000 consumers, all but one dead
 * and nothing abandoned, that one takes a step of 5,000 entries every 30 s.
 *
 * Since Redis 8.4, XREADGROUP has CLAIM (redis/redis#14402), which finds the longest
 * idle entries at once. It skips entries that are gone from the stream one by
 * one and leaves them pending (10 ms for 200,000 on 8.6.3). So the walk goes on
 * beside it, ten times slower, and CLAIM waits while the walk finds something.
 *
 * Where entries that are not wanted are left pending, they would be claimed again and again, by each worker in turn. So entries
 * are read before they are claimed, and CLAIM, which cannot choose, is not used.
 *
 * Invariant: one command reads at most a page of the list; every pending entry is
 * seen again and again; none is taken unless Redis sees that it is idle for long
 * enough.
 */

import {isFailure, unlessDenied} from '../errors.js';
import type {StreamRecord} from '../records/entry.js';
import {isIdle, type PendingEntry} from '../records/pending-entry.js';
import {compareStreamIds, FIRST_ID, millisecondsOf, successorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import {type RecoveryContext, takeOver} from './pending-entries.js';

export interface SweepOptions {
  /** Takes over what others have had for longer than this. */
  idleMs: number;
  /** Whether taking an entry over counts as one more delivery. */
  counts: boolean;
  /** Walks the whole list once without a pause, for a caller that ends when nothing is left. */
  wholeFirst: boolean;
  /** One line for the user when the Redis user may not do this. */
  onProblem: (line: string) => void;
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
/** How many entries the consumers of a group read together in a second, at most. */
const MOST_PER_SECOND = 50_000;
/** The same beside CLAIM, where the walk finds only what is gone from the stream. */
const MOST_BESIDE_CLAIM = 5_000;
const LONG_PAUSE_MS = 10_000;
/** To read an entry takes Redis as long as to list so many pending ones. */
const LOOK_COST = 10;

export class ClaimSweep {
  readonly #options: SweepOptions;
  /** Where the next step begins; undefined for the head of the list. */
  #from: string | undefined;
  #nextMs = 0;
  /** Whether a walk has come to the end of the list. */
  #hasSeenAll = false;
  /** False once CLAIM has returned in-flight entries of our own, or IDs may have been forgotten. */
  #mayClaim = true;
  /** Whether a step has succeeded: a right that is lost later is a failure. */
  #hasStepped = false;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Milliseconds until the next step; 0 or less when it is due. */
  get dueInMs(): number {
    return this.#nextMs - performance.now();
  }

  get isDue(): boolean {
    return this.dueInMs <= 0;
  }

  /** False while `wholeFirst` is not fulfilled. */
  get isDone(): boolean {
    return this.#hasSeenAll || !this.#options.wholeFirst;
  }

  /**
   * One step: what was found, in batches. A user who may only read and acknowledge can go on without claiming
   * (docs/permissions.md): no more steps are due then.
   */
  async *step(control: StreamClient, context: RecoveryContext): AsyncGenerator<SweepBatch, void, void> {
    try {
      yield* this.#step(control, context);
      this.#hasStepped = true;
    } catch (error) {
      if (this.#hasStepped || !isFailure(error, 'denied')) throw error;
      this.#nextMs = Number.POSITIVE_INFINITY;
      this.#hasSeenAll = true;
      this.#options.onProblem(`what other consumers have abandoned is left to them: ${error.message}`);
    }
  }

  async *#step(control: StreamClient, context: RecoveryContext): AsyncGenerator<SweepBatch, void, void> {
    const begin = this.#from;
    const walk = {found: 0, looked: 0};
    for await (const records of this.#walk(control, context, walk)) yield {records, isNew: false};
    if (context.over()) return;
    if (this.#from === undefined) this.#hasSeenAll = true;
    if (walk.found > 0 || !this.isDone) return;
    let claimed = 0;
    // CLAIM would also return entries that are left pending, and our own whose IDs were forgotten.
    if (context.left !== undefined || context.inFlight.forgottenUpTo !== FIRST_ID) this.#mayClaim = false;
    if (this.#mayClaim) {
      for await (const batch of this.#claim(control, context)) {
        if (!batch.isNew) claimed += batch.records.length;
        yield batch;
      }
    }
    if (claimed === 0) this.#nextMs = performance.now() + (await this.#pauseMs(control, context, begin, walk.looked));
  }

  /** Some pages of the list, or up to the first in which something is found: more is likely to follow. */
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
      let abandoned = page.filter(
        (entry) => isIdle(entry, this.#options.idleMs) && !inFlight.has(entry.id) && !isForgotten(entry),
      );
      if (context.left !== undefined) {
        const {released} = context.inFlight;
        abandoned = abandoned.filter(({id}) => !released.has(id));
        walk.looked += LOOK_COST * abandoned.length;
        abandoned = await context.left.wantedAmong(control, context.member, abandoned);
      }
      for await (const records of takeOver(control, {...context, onGone}, abandoned, this.#options)) {
        walk.found += records.length;
        yield records;
      }
      if (context.over()) return;
      this.#from = page.length < PAGE ? undefined : successorOf(page.at(-1)!.id);
      if (this.#from === undefined) return;
    }
  }

  /** XREADGROUP with CLAIM, once. It returns new entries too. */
  async *#claim(control: StreamClient, context: RecoveryContext): AsyncGenerator<SweepBatch, void, void> {
    const {member} = context;
    const before = context.inFlight.ids;
    let claimed: StreamRecord[] = [];
    let fresh: StreamRecord[] = [];
    await context.permitted(async (count) => {
      const found = await control.readClaiming(member, {...this.#options, count});
      if (found === undefined) return [];
      // CLAIM takes from any consumer, this one included: in-flight entries have only got a new lease.
      claimed = found.claimed.filter(({id}) => !before.has(id));
      fresh = found.fresh;
      if (claimed.length < found.claimed.length) this.#mayClaim = false;
      return [...claimed, ...fresh];
    });
    if (claimed.length > 0) yield {records: claimed, isNew: false};
    if (fresh.length > 0) yield {records: fresh, isNew: true};
  }

  /** How long to wait after a step that began at `begin` and read `looked` entries. Chooses where the next one begins. */
  async #pauseMs(
    control: StreamClient,
    {member}: RecoveryContext,
    begin: string | undefined,
    looked: number,
  ): Promise<number> {
    const halfMs = this.#options.idleMs / 2;
    if (begin === undefined && this.#from === undefined && looked < PAGE) return halfMs;
    const group = await unlessDenied(control.group(member.stream, member.group));
    // Consumers that all begin at the head would stay side by side.
    if (begin === undefined && this.#from !== undefined) this.#from = somewhereIn(this.#from, group?.lastDeliveredId);
    const hasClaim = this.#mayClaim && control.mayKnowClaim;
    const longestMs = hasClaim ? halfMs : Math.max(halfMs, LONG_PAUSE_MS);
    if (group === undefined) return longestMs;
    const most = hasClaim ? MOST_BESIDE_CLAIM : MOST_PER_SECOND;
    const perMs = Math.max(1, Math.min(most / 1_000, group.pending / halfMs));
    return Math.min(longestMs, (looked * group.consumers) / perMs);
  }
}

/** An ID at random from `first` to `last`. */
function somewhereIn(first: string, last = first): string {
  const [fromMs, toMs] = [millisecondsOf(first), millisecondsOf(last)];
  return toMs <= fromMs ? first : `${fromMs + 1 + Math.floor(Math.random() * (toMs - fromMs))}-0`;
}
