/**
 * A consumer's place in its group: how far it has got, how the group is joined
 * or made, and made again when it has vanished. Reads no entries. Invariant: a
 * group that is made again goes on where this consumer had got to or before,
 * never after it; and in a stream that began anew it begins at the start, since
 * all of that is new to us. What is in hand of the old one is worked off, since
 * no other consumer can have it, and not acknowledged in the new one.
 */

import {isFailure} from '../errors.js';
import {locate} from '../reading/locate.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import type {Position} from '../records/position.js';
import {FIRST_ID, predecessorOf} from '../records/stream-id.js';
import {shellWord} from '../shell-word.js';
import type {Membership, StreamClient} from '../stream-client.js';
import type {InFlightEntries} from './in-flight-entries.js';
import {StreamIdentity} from './stream-identity.js';

export interface MembershipOptions {
  member: Membership;
  /** Where a new group begins. */
  from: Position;
  /** Makes the group, and the stream, when they are missing, also when they go missing later. */
  create: boolean;
  /** One line about something that the user should know and that did not end the work. */
  onProblem: (line: string) => void;
}

export class GroupMembership {
  readonly #redis: ReconnectingClient;
  readonly #inFlight: InFlightEntries;
  readonly #options: MembershipOptions;
  readonly #identity: StreamIdentity;
  #readUpTo: string | undefined;
  #healing: Promise<void> | undefined;

  constructor(redis: ReconnectingClient, inFlight: InFlightEntries, options: MembershipOptions) {
    this.#redis = redis;
    this.#inFlight = inFlight;
    this.#options = options;
    this.#identity = new StreamIdentity(options.member.stream);
  }

  get isJoined(): boolean {
    return this.#readUpTo !== undefined;
  }

  /** The last ID that this consumer has read, or that the group had been given before it joined. */
  get readUpTo(): string {
    return this.#readUpTo ?? FIRST_ID;
  }

  /** Everything up to the last one of `records`, which are new and ascend, has been read. */
  advance(records: readonly StreamRecord[]): void {
    this.#identity.read(records);
    this.#readUpTo = records.at(-1)?.id ?? this.#readUpTo;
  }

  /** Finds or makes the group. Throws `notFound` where it is missing and may not be made. */
  async join(control: StreamClient): Promise<void> {
    await this.#join(control);
    // Only where it would be made again is it asked whether the stream is the same.
    if (this.#options.create) await this.#identity.remember(control);
  }

  async #join(control: StreamClient): Promise<void> {
    const {member, from, create} = this.#options;
    let mayLook = true;
    try {
      // Looked for first: without memory Redis makes no group, and says so even where there is one.
      this.#readUpTo = (await control.group(member.stream, member.group)).lastDeliveredId;
      return;
    } catch (error) {
      mayLook = !isFailure(error, 'denied');
      if (mayLook && !(create && isFailure(error, 'notFound'))) throw error;
    }
    const lastDelivered = predecessorOf(await locate(control, member.stream, from)) ?? FIRST_ID;
    try {
      const isNew = create && (await control.createGroup(member.stream, member.group, lastDelivered, true));
      const known = isNew
        ? lastDelivered
        : mayLook && (await control.group(member.stream, member.group)).lastDeliveredId;
      this.#readUpTo = known || FIRST_ID;
    } catch (error) {
      // Who may neither look nor create may still read: XREADGROUP says whether there is a group.
      if (mayLook || !isFailure(error, 'denied')) throw error;
      this.#readUpTo = FIRST_ID;
    }
  }

  /**
   * After FLUSHALL, a failover or eviction the group may be gone; true when
   * that was the `error`, and the group is there again or may be asked for again.
   */
  async healed(error: unknown): Promise<boolean> {
    if (!this.#options.create || this.#readUpTo === undefined || !isFailure(error, 'notFound')) return false;
    // Of all who find it gone, one makes it: what the next one reads must not be taken for the old stream's.
    this.#healing ??= this.#heal(this.#readUpTo).finally(() => {
      this.#healing = undefined;
    });
    await this.#healing;
    return true;
  }

  async #heal(readUpTo: string): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await this.#redis.connection();
      await this.#makeAgain(connection.commands, readUpTo);
    } catch (failure) {
      // It may vanish again at once.
      if (!isFailure(failure, 'notFound')) await this.#redis.retryAfter(failure, connection);
    }
  }

  async #makeAgain(control: StreamClient, readUpTo: string): Promise<void> {
    const {member, onProblem} = this.#options;
    const {stream, group} = member;
    const isAnother = await this.#identity.hasBegunAnew(control, readUpTo);
    const resumeAt = isAnother ? FIRST_ID : readUpTo;
    // Another consumer may have been first to make it again. Sent together: whoever looked between the two would
    // find that what is in hand is not ours.
    if (isAnother) this.#inFlight.detach();
    const [isNew] = await Promise.all([
      control.createGroup(stream, group, resumeAt, true),
      control.makePending(member, this.#inFlight.unfinished),
    ]);
    this.#readUpTo = resumeAt;
    if (isAnother) await this.#identity.remember(control);
    if (!isNew) return;
    const seek = `streamlog group seek ${shellWord(group)} --stream ${shellWord(stream)} --to ID`;
    onProblem(
      `group "${group}" on stream "${stream}" had vanished; it was made again, to go on after ${resumeAt}` +
        (isAnother
          ? ': the stream has begun anew, and all of it is new'
          : `; what was pending with other consumers is pending no more: ${seek} delivers again from an ID on`),
    );
  }
}
