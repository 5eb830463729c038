/**
 * Why an entry that was delivered to this consumer is not ours any more. The only
 * place that decides it: renewing leases, beginning an attempt, acknowledging and
 * scanning the own pending list all ask here.
 *
 * XPENDING of an ID names another consumer when that one has claimed the entry.
 * XRANGE returns nothing when it was trimmed or deleted. What is in the stream and
 * pending with no consumer was acknowledged by someone else, or went with our
 * consumer (see consumer-removal.ts). Two things tell which:
 *
 * - a witness: an entry that was delivered to us no later and is still pending
 *   with us. A removed consumer leaves none. It is asked for after the missing
 *   one, so that a removal between the two does not look like an acknowledgement;
 * - XGROUP CREATECONSUMER, sent with each read that may block.
 *
 * Without either it counts as a removal: delivering twice is allowed, losing is not.
 *
 * Invariant: an entry is given up only when another consumer has it, someone has
 * acknowledged it, or it is gone from the stream, and it is reported with that
 * cause. What went with our consumer is made pending with us again.
 */

import {isFailure} from '../errors.js';
import {EntryIds} from '../records/entry-ids.js';
import type {PendingEntry, StreamClient} from '../stream-client.js';
import {ConsumerRemoval, type RemovalOptions} from './consumer-removal.js';
import type {DeliveredBatch} from './delivered-batch.js';
import type {InFlightEntries} from './in-flight-entries.js';

/** Why an entry that was delivered to us will not be processed here. */
export type Loss =
  | {kind: 'taken'; by: string}
  | {kind: 'acknowledged'}
  /** Trimmed or deleted; `reference` is whether it was still pending (XDELEX DELREF of Redis 8.2 removes that too: https://redis.io/docs/latest/commands/xdelex/). */
  | {kind: 'deleted'; reference: 'kept' | 'deleted'};

/** `removed`: pending with no consumer, though not acknowledged. */
export type Ownership = Loss | {kind: 'ours'} | {kind: 'removed'};

/** By ID. */
export type Losses = ReadonlyMap<string, Loss>;

/** In-flight entries by ID, each with the batch that it came with. */
type Held = ReadonlyMap<string, DeliveredBatch>;

/** What works on entries of this consumer. */
export interface EntryHandling {
  /** Whether `id` is worked on now. If it is deleted then, it is no loss: no other consumer will do the work. */
  isAtWork: (id: string) => boolean;
  /** Called with what was given up. */
  onLosses: (losses: Losses) => void;
}

export interface OwnershipOptions extends RemovalOptions {
  /** Called with each entry that is given up, and the cause. */
  onLost: (stream: string, id: string, loss: Loss) => void;
}

/** IDs asked for at a time. */
const PAGE = 500;
/** How many of the oldest in-flight entries are asked for as witnesses. */
const WITNESSES = 100;

export class EntryOwnership {
  readonly removal: ConsumerRemoval;
  readonly #inFlight: InFlightEntries;
  readonly #options: OwnershipOptions;
  #handling: EntryHandling = {isAtWork: () => false, onLosses: () => {}};
  #isSuspect = false;
  /** In-flight entries that Redis dropped from our pending list when it found them gone from the stream. */
  #gone: ReadonlySet<string> = new Set();

  constructor(inFlight: InFlightEntries, options: OwnershipOptions) {
    this.#inFlight = inFlight;
    this.#options = options;
    this.removal = new ConsumerRemoval(inFlight, options);
  }

  /** Sets what works on the entries; without it, they count as processed once they are delivered. */
  handleBy(handling: EntryHandling): void {
    this.#handling = handling;
  }

  /** XGROUP CREATECONSUMER, and `heal` when our consumer had been removed. */
  async checkConsumer(control: StreamClient): Promise<void> {
    if (await this.removal.check(control.createConsumer(this.#options.member))) await this.heal(control);
  }

  /** Forgets released entries that others have taken or acknowledged: ours to make pending again is what they have not. */
  async forgetTaken(control: StreamClient): Promise<void> {
    const released = new Map(this.#inFlight.released);
    if (released.size === 0) return;
    for (const [id, {kind}] of await this.of(control, released))
      if (kind === 'taken' || kind === 'acknowledged') this.#inFlight.forget(id, released.get(id)!);
  }

  /** XACK found fewer entries pending than expected: someone else has acted on ours. */
  suspect(): void {
    this.#isSuspect = true;
  }

  /** Makes in-flight entries pending again after a removal that was noticed, and accounts for them after `suspect`. */
  async heal(control: StreamClient): Promise<void> {
    if (this.removal.wasNoticed) await this.removal.restore(control);
    if (!this.#isSuspect) return;
    this.#isSuspect = false;
    if (this.#inFlight.deliveredCount > 0) await this.account(control, this.#inFlight.delivered);
  }

  /**
   * Before the end: makes sure that what is left is pending for the next consumer, and reports what is neither pending
   * nor in the stream any more. Throws `notFound` when group or stream are gone.
   */
  async settle(control: StreamClient): Promise<void> {
    await this.removal.ask(control);
    // Before all the rest is made pending again.
    await this.forgetTaken(control);
    await this.heal(control);
    const {released} = this.#inFlight;
    if ([...(await this.of(control, released)).values()].some(({kind}) => kind === 'removed'))
      await this.removal.restore(control);
    for (const [id, owner] of await this.of(control, released)) {
      if (owner.kind === 'deleted' && owner.reference === 'deleted') this.#report(id, owner);
    }
  }

  /** Reports released entries of a stream that is gone. */
  reportOrphans(): void {
    for (const id of this.#inFlight.takeOrphans()) this.#report(id, {kind: 'deleted', reference: 'deleted'});
  }

  /**
   * For entries that Redis has just found gone from the stream and dropped from the pending list: no other consumer will
   * see them. Gives up those that are not at work, and reports the others.
   */
  async gone(control: StreamClient, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const {member, onProblem} = this.#options;
    this.#gone = new Set(this.#inFlight.holdersOf(new Set([...this.#gone, ...ids])).keys());
    for (const id of ids) {
      if (this.#handling.isAtWork(id))
        onProblem(`${member.stream} ${id} is no longer in the stream, trimmed or deleted while its handler runs`);
    }
    await this.account(control, ids);
  }

  /** Gives up `id`, which is gone from the stream and was acknowledged for that. */
  deleted(id: string): void {
    const loss: Loss = {kind: 'deleted', reference: 'kept'};
    this.#giveUp(new Map([[id, loss]]), this.#inFlight.holdersOf(new Set([id])));
  }

  /** Those of `ids` that are not pending with us: `account` finds out why. Reads only. */
  async missing(control: StreamClient, ids: readonly string[]): Promise<string[]> {
    const entries = await Promise.all(ids.map((id) => control.pendingEntry(this.#options.member, id)));
    return ids.filter((_, index) => !this.#isOurs(entries[index]));
  }

  /**
   * Accounts for `ids`, which seem not to be ours: makes pending again what went with our consumer, gives up and reports
   * the rest. Returns what was given up. Throws `notFound` when group or stream are gone.
   */
  async account(control: StreamClient, ids: readonly string[]): Promise<Losses> {
    // An entry that is delivered again meanwhile is ours, in a batch that is not among these.
    const held = this.#inFlight.holdersOf(new Set(ids));
    const owners = await this.of(control, held);
    const removed = [...held].filter(([id]) => owners.get(id)!.kind === 'removed');
    if (removed.length > 0 || this.removal.wasNoticed) {
      await this.removal.restore(control);
      for (const [id, owner] of await this.of(control, new Map(removed))) owners.set(id, owner);
    }
    const losses = new Map<string, Loss>();
    for (const [id, owner] of owners) {
      if (owner.kind === 'ours' || owner.kind === 'removed' || !held.get(id)!.holds(id)) continue;
      if (owner.kind !== 'deleted' || !this.#handling.isAtWork(id)) losses.set(id, owner);
    }
    this.#giveUp(losses, held);
    const dangling = [...losses].filter(([, loss]) => loss.kind === 'deleted' && loss.reference === 'kept');
    const {stream, group} = this.#options.member;
    // Last: if this fails they were reported, and a sweep finds them again.
    if (dangling.length > 0) await control.acknowledge(stream, group, EntryIds.of(dangling.map(([id]) => id)));
    return losses;
  }

  /** Who owns each entry of `held`, by XPENDING and XRANGE of its ID. Throws `notFound` when group or stream are gone. */
  async of(control: StreamClient, held: Held): Promise<Map<string, Ownership>> {
    const owners = new Map<string, Ownership>();
    const ids = [...held.keys()];
    for (let at = 0; at < ids.length; at += PAGE) {
      const page = await this.#ofPage(control, ids.slice(at, at + PAGE), held);
      for (const [id, owner] of page) owners.set(id, owner);
    }
    return owners;
  }

  async #ofPage(control: StreamClient, ids: readonly string[], held: Held): Promise<Map<string, Ownership>> {
    const {member} = this.#options;
    const candidates = this.#inFlight.oldest(WITNESSES, new Set(held.keys()));
    // Sent together, the witnesses after the missing entries.
    const [pending, witnesses, wasRemoved, hasUnseen] = await Promise.all([
      Promise.all(ids.map((id) => control.pendingEntry(member, id))),
      Promise.all(candidates.map(({id}) => control.pendingEntry(member, id))),
      this.removal.ask(control),
      this.removal.hasUnseen(control),
    ]);
    const witness = candidates.find((_, index) => this.#isOurs(witnesses[index]))?.order ?? Number.POSITIVE_INFINITY;
    const inStream = await Promise.all(ids.map((id, index) => this.#isInStream(control, id, pending[index])));
    return new Map(
      ids.map((id, index): [string, Ownership] => {
        const entry = pending[index];
        if (entry !== undefined && !this.#isOurs(entry)) return [id, {kind: 'taken', by: entry.consumer}];
        if (!inStream[index]) return [id, {kind: 'deleted', reference: entry === undefined ? 'deleted' : 'kept'}];
        if (entry !== undefined) return [id, {kind: 'ours'}];
        const batch = held.get(id)!;
        const wasThere = wasRemoved === false && !hasUnseen && this.removal.isCertainSince(batch);
        return [id, {kind: witness <= batch.order || wasThere ? 'acknowledged' : 'removed'}];
      }),
    );
  }

  #isOurs(entry: PendingEntry | undefined): boolean {
    return entry?.consumer === this.#options.member.consumer;
  }

  async #isInStream(control: StreamClient, id: string, pending: PendingEntry | undefined): Promise<boolean> {
    // Another consumer's entry is not our concern.
    if (pending !== undefined && !this.#isOurs(pending)) return true;
    try {
      for await (const entries of control.range(this.#options.member.stream, id, id, 1)) return entries.length > 0;
      return false;
    } catch (error) {
      // A user who may not read the stream cannot know.
      if (isFailure(error, 'denied')) return true;
      throw error;
    }
  }

  #giveUp(losses: Losses, held: Held): void {
    const lost = new Set(losses.keys());
    for (const batch of new Set(held.values())) this.#inFlight.drop(lost, batch);
    for (const [id, loss] of losses) if (!held.get(id)?.isProcessed) this.#report(id, loss);
    if (losses.size > 0) this.#handling.onLosses(losses);
  }

  #report(id: string, loss: Loss): void {
    const {member, onLost} = this.#options;
    onLost(member.stream, id, loss.kind === 'deleted' && this.#gone.has(id) ? {...loss, reference: 'kept'} : loss);
  }
}
