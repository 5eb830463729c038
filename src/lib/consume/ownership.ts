/**
 * Whose an entry is that was delivered to this consumer, and why it is not ours
 * any more. The only place that decides that: renewing leases, beginning an
 * attempt, acknowledging and looking at the own pending list all ask here.
 *
 * That an entry is not pending with us says nothing by itself. XPENDING of its ID
 * names another consumer when that one has claimed it; XRANGE answers nothing
 * when it was trimmed or deleted. What is in the stream and pending with no
 * consumer was either acknowledged by someone else, or it went with our consumer
 * (XGROUP DELCONSUMER drops all that is pending with it; redis#7384, #9745).
 * XINFO CONSUMERS would not tell: our own next read makes the consumer again,
 * and of thousands of consumers it costs too much. Two things do tell:
 *
 * - a witness: an entry that we were given no later, and that is still pending
 *   with us. A removed consumer leaves none. Asked after the missing one, so that
 *   a removal between the two is never taken for an acknowledgement;
 * - XGROUP CREATECONSUMER in one piece with each read that may block while
 *   something is in hand: 1 says that the consumer had been removed.
 *
 * Without either it is taken for a removal, since delivering twice is allowed
 * and losing is not.
 *
 * Invariant: nothing that was delivered to us is let go unless another consumer
 * has it, someone has acknowledged it, or it is no longer in the stream, and
 * each that is let go is reported with that cause. What went with our consumer
 * is made pending with us again (XCLAIM FORCE), and never taken from another.
 */

import {isFailure} from '../errors.js';
import {EntryIds} from '../records/entry-ids.js';
import type {Membership, PendingEntry, StreamClient} from '../stream-client.js';
import type {DeliveredBatch, InFlightEntries} from './in-flight-entries.js';

/** Why an entry that was delivered to us will not be processed here. */
export type Loss =
  | {kind: 'taken'; by: string}
  | {kind: 'acknowledged'}
  /** Trimmed or deleted; `reference` is whether it was still pending (XDELEX DELREF of Redis 8.2 takes that away too). */
  | {kind: 'deleted'; reference: 'kept' | 'deleted'};

/** What Redis knows of an entry; `removed` is pending with no consumer, though nobody has acknowledged it. */
export type Ownership = Loss | {kind: 'ours'} | {kind: 'removed'};

/** The losses of one look, by ID. */
export type Losses = ReadonlyMap<string, Loss>;

/** Entries in hand, each with what it was given out with. */
type Held = ReadonlyMap<string, DeliveredBatch>;

/** What works on entries of this consumer, and has to know of losses. */
export interface EntryHandling {
  /** Whether `id` is worked on now. What is deleted then is no loss: the work counts, since no other consumer does it. */
  isAtWork: (id: string) => boolean;
  /** Called with what was let go. */
  onLosses: (losses: Losses) => void;
}

export interface OwnershipOptions {
  member: Membership;
  /** Each entry that is let go, with the cause. */
  onLost: (stream: string, id: string, loss: Loss) => void;
  /** One line about something that the user should know and that did not end the work. */
  onProblem: (line: string) => void;
}

/** IDs asked for in one go. */
const PAGE = 500;
/** So many of what we were given first are asked for as witnesses. */
const WITNESSES = 100;

export class EntryOwnership {
  readonly #inFlight: InFlightEntries;
  readonly #options: OwnershipOptions;
  #handling: EntryHandling = {isAtWork: () => false, onLosses: () => {}};
  /** No removal of our consumer has gone unnoticed by what was given to us since then. */
  #certainSinceMs = 0;
  /** Whether the user may run XGROUP CREATECONSUMER. */
  #mayAsk = true;
  /** Redis has said that our consumer is new, and what it had has not been made pending again yet. */
  #wasRemoved = false;
  #isSuspect = false;
  /** What we hold of that which had gone from the stream when it was still pending with us: Redis has dropped that since. */
  #gone: ReadonlySet<string> = new Set();

  constructor(inFlight: InFlightEntries, options: OwnershipOptions) {
    this.#inFlight = inFlight;
    this.#options = options;
  }

  /** Says who works on the entries; without one, they are processed when they are handed out. */
  handleBy(handling: EntryHandling): void {
    this.#handling = handling;
  }

  /** Whether a read should be preceded by CREATECONSUMER: something is in hand that would go with our consumer. */
  get needsCheck(): boolean {
    return this.#mayAsk && this.#inFlight.hasUnfinished;
  }

  /** For when a removal may have gone unnoticed: by a read with nothing in front of it, or one that waited and brought something. */
  uncertain(): void {
    this.#certainSinceMs = performance.now();
  }

  /**
   * Takes the answer of CREATECONSUMER; true when it says that the consumer had been removed, and `heal` is due.
   * Throws `notFound` when group or stream are gone.
   */
  async check(created: Promise<boolean>): Promise<boolean> {
    try {
      if (await created) this.#noteRemoval();
      return this.#wasRemoved;
    } catch (error) {
      if (isFailure(error, 'notFound')) throw error;
      // Whatever else was refused, the read behind it was refused too, and says so.
      if (isFailure(error, 'denied')) this.#mayAsk = false;
      this.uncertain();
      return false;
    }
  }

  /** Fewer entries were pending than have been acknowledged: someone else has acted on what is ours. */
  suspect(): void {
    this.#isSuspect = true;
  }

  /** Makes pending again what is in hand, where our consumer is known to have been removed; looks, where that may be. */
  async heal(control: StreamClient): Promise<void> {
    if (this.#wasRemoved) await this.#restore(control);
    if (!this.#isSuspect) return;
    this.#isSuspect = false;
    if (this.#inFlight.deliveredCount > 0) await this.account(control, this.#inFlight.delivered);
  }

  /**
   * Before the end: what is left to whoever comes next is pending, and what is neither pending nor in the stream
   * any more is reported, since nobody else will. Throws `notFound` when group or stream are gone.
   */
  async settle(control: StreamClient): Promise<void> {
    if (this.#mayAsk) await this.check(control.createConsumer(this.#options.member));
    await this.heal(control);
    const {released} = this.#inFlight;
    if ([...(await this.of(control, released)).values()].some(({kind}) => kind === 'removed'))
      await this.#restore(control);
    for (const [id, owner] of await this.of(control, released)) {
      if (owner.kind === 'deleted' && owner.reference === 'deleted') this.#report(id, owner);
    }
  }

  /** Reports what was in hand of a stream that is gone, and will not be worked off. */
  reportOrphans(): void {
    for (const id of this.#inFlight.takeOrphans()) this.#report(id, {kind: 'deleted', reference: 'deleted'});
  }

  /**
   * Takes note of entries that are no longer in the stream and, since Redis has just found that out, not pending either: no
   * other consumer will come across them. What is not at work is let go; of the rest it is said.
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

  /** Lets go of `id`, which was found to be no longer in the stream and has been acknowledged for that. */
  deleted(id: string): void {
    const loss: Loss = {kind: 'deleted', reference: 'kept'};
    this.#letGo(new Map([[id, loss]]), this.#inFlight.holdersOf(new Set([id])));
  }

  /** Those of `ids` that are not pending with us: `account` finds out why. Reads only. */
  async missing(control: StreamClient, ids: readonly string[]): Promise<string[]> {
    const entries = await Promise.all(ids.map((id) => control.pendingEntry(this.#options.member, id)));
    return ids.filter((_, index) => !this.#isOurs(entries[index]));
  }

  /**
   * Accounts for `ids`, which were given to us and seem not to be ours: heals what went with our
   * consumer, lets go of the rest and reports it. Returns what was let go. Throws
   * `notFound` when group or stream are gone, and what else the connection throws.
   */
  async account(control: StreamClient, ids: readonly string[]): Promise<Losses> {
    // One that comes again while we ask is ours, by a batch that is not among these.
    const held = this.#inFlight.holdersOf(new Set(ids));
    const owners = await this.of(control, held);
    const removed = [...held].filter(([id]) => owners.get(id)!.kind === 'removed');
    if (removed.length > 0 || this.#wasRemoved) {
      await this.#restore(control);
      for (const [id, owner] of await this.of(control, new Map(removed))) owners.set(id, owner);
    }
    const losses = new Map<string, Loss>();
    for (const [id, owner] of owners) {
      if (owner.kind === 'ours' || owner.kind === 'removed' || !held.get(id)!.holds(id)) continue;
      if (owner.kind !== 'deleted' || !this.#handling.isAtWork(id)) losses.set(id, owner);
    }
    this.#letGo(losses, held);
    const dangling = [...losses].filter(([, loss]) => loss.kind === 'deleted' && loss.reference === 'kept');
    const {stream, group} = this.#options.member;
    // Last: reported is what counts, and a sweep finds again what is still pending then.
    if (dangling.length > 0) await control.acknowledge(stream, group, EntryIds.of(dangling.map(([id]) => id)));
    return losses;
  }

  /** Whose each entry of `held` is, by XPENDING and XRANGE of its ID alone. Throws `notFound` when group or stream are gone. */
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
    // In one go, and the witnesses last.
    const [pending, witnesses, created] = await Promise.all([
      Promise.all(ids.map((id) => control.pendingEntry(member, id))),
      Promise.all(candidates.map(({id}) => control.pendingEntry(member, id))),
      this.#consumerIsNew(control),
    ]);
    if (created === true) this.#noteRemoval();
    const witness = candidates.find((_, index) => this.#isOurs(witnesses[index]))?.order ?? Number.POSITIVE_INFINITY;
    const inStream = await Promise.all(ids.map((id, index) => this.#isInStream(control, id, pending[index])));
    return new Map(
      ids.map((id, index): [string, Ownership] => {
        const entry = pending[index];
        if (entry !== undefined && !this.#isOurs(entry)) return [id, {kind: 'taken', by: entry.consumer}];
        if (!inStream[index]) return [id, {kind: 'deleted', reference: entry === undefined ? 'deleted' : 'kept'}];
        if (entry !== undefined) return [id, {kind: 'ours'}];
        const {order, deliveredAtMs: givenAtMs} = held.get(id)!;
        const wasThere = created === false && givenAtMs >= this.#certainSinceMs;
        return [id, {kind: witness <= order || wasThere ? 'acknowledged' : 'removed'}];
      }),
    );
  }

  #isOurs(entry: PendingEntry | undefined): boolean {
    return entry?.consumer === this.#options.member.consumer;
  }

  async #isInStream(control: StreamClient, id: string, pending: PendingEntry | undefined): Promise<boolean> {
    // What another has is the other's concern.
    if (pending !== undefined && !this.#isOurs(pending)) return true;
    try {
      for await (const entries of control.range(this.#options.member.stream, id, id, 1)) return entries.length > 0;
      return false;
    } catch (error) {
      // One who may not read the stream is not told that anything is gone from it.
      if (isFailure(error, 'denied')) return true;
      throw error;
    }
  }

  /** Undefined where that cannot be asked. */
  async #consumerIsNew(control: StreamClient): Promise<boolean | undefined> {
    if (!this.#mayAsk) return undefined;
    try {
      return await control.createConsumer(this.#options.member);
    } catch (error) {
      if (isFailure(error, 'denied')) this.#mayAsk = false;
      if (isFailure(error, 'unreachable') || isFailure(error, 'notFound')) throw error;
      return undefined;
    }
  }

  #noteRemoval(): void {
    this.#wasRemoved = true;
    this.uncertain();
  }

  /** Makes pending with us again all that is in hand and pending with no consumer. */
  async #restore(control: StreamClient): Promise<void> {
    const {member, onProblem} = this.#options;
    const {unfinished} = this.#inFlight;
    if (unfinished.length === 0) {
      this.#wasRemoved = false;
      return;
    }
    const cause = this.#wasRemoved ? 'was removed' : 'seems to have been removed';
    let outcome = 'made pending with it again';
    try {
      await control.makePending(member, unfinished);
    } catch (error) {
      if (!isFailure(error, 'denied')) throw error;
      outcome = 'which the Redis user may not make pending again (XCLAIM): they are lost if this process is killed';
    }
    this.#wasRemoved = false;
    this.uncertain();
    onProblem(
      `consumer "${member.consumer}" of group "${member.group}" on stream "${member.stream}" ${cause}; ` +
        `it had ${unfinished.length} in hand, ${outcome}`,
    );
  }

  #letGo(losses: Losses, held: Held): void {
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
