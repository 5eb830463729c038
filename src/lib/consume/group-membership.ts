/**
 * Membership in a consumer group: joining it, creating it, and creating it again
 * when it has vanished. Invariant: a group that is created again never skips an
 * entry that this consumer has not read; in a stream that began anew it begins at
 * the start, and in-flight entries of the old stream are not acknowledged there.
 */

import {isFailure, isNoStream} from '../errors.js';
import {locate} from '../reading/locate.js';
import {beginsElsewhere, isSame} from '../reading/stream-change.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import type {Position} from '../records/position.js';
import {compareStreamIds, FIRST_ID, predecessorOf} from '../records/stream-id.js';
import {shellWord} from '../shell-word.js';
import type {Membership, StreamClient, StreamInfo} from '../stream-client.js';
import type {InFlightEntries} from './in-flight-entries.js';

export interface MembershipOptions {
  member: Membership;
  /** Where a new group begins. */
  from: Position;
  /** Creates the group, and the stream, when they are missing, also when they vanish later. */
  create: boolean;
  /** Called when the group was found or made, for the first time. */
  onJoined?: (joined: Joined, control: StreamClient) => void;
  /** One line for the user about what did not end the work. */
  onProblem: (line: string) => void;
}

/** How a consumer came to its group. */
export interface Joined {
  member: Membership;
  made: 'nothing' | 'group' | 'stream and group';
  /** Undefined where the user may not look. */
  lastDeliveredId: string | undefined;
}

export class GroupMembership {
  readonly #redis: ReconnectingClient;
  readonly #inFlight: InFlightEntries;
  readonly #options: MembershipOptions;
  readonly #identity: StreamIdentity;
  #readUpTo: string | undefined;
  #recreating: Promise<void> | undefined;

  constructor(redis: ReconnectingClient, inFlight: InFlightEntries, options: MembershipOptions) {
    this.#redis = redis;
    this.#inFlight = inFlight;
    this.#options = options;
    this.#identity = new StreamIdentity(options.member.stream);
  }

  get isJoined(): boolean {
    return this.#readUpTo !== undefined;
  }

  /** The last ID that this consumer has read, or the group's last-delivered ID when it joined. */
  get readUpTo(): string {
    return this.#readUpTo ?? FIRST_ID;
  }

  /** Everything up to the last of `records`, which are new and in ascending order, has been read. */
  advance(records: readonly StreamRecord[]): void {
    this.#identity.read(records);
    this.#readUpTo = records.at(-1)?.id ?? this.#readUpTo;
  }

  /** Finds or creates the group. Throws `notFound` where it is missing and `create` is false. */
  async join(control: StreamClient): Promise<void> {
    await this.#join(control);
    // Only a group that may be created again needs to know whether the stream is the same.
    if (this.#options.create) await this.#identity.remember(control);
  }

  async #join(control: StreamClient): Promise<void> {
    const {member, from, create, onJoined} = this.#options;
    let mayLook = true;
    let isMissing = false;
    try {
      // XINFO GROUPS first: a Redis out of memory refuses XGROUP CREATE even where the group exists.
      const {lastDeliveredId} = await control.group(member.stream, member.group);
      this.#readUpTo = lastDeliveredId;
      onJoined?.({member, made: 'nothing', lastDeliveredId}, control);
      return;
    } catch (error) {
      mayLook = !isFailure(error, 'denied');
      isMissing = isNoStream(error);
      if (mayLook && !(create && isFailure(error, 'notFound'))) throw error;
    }
    const lastDelivered = predecessorOf(await locate(control, member.stream, from)) ?? FIRST_ID;
    try {
      const isNew = create && (await control.createGroup(member.stream, member.group, lastDelivered, true));
      const known = isNew
        ? lastDelivered
        : mayLook && (await control.group(member.stream, member.group)).lastDeliveredId;
      this.#readUpTo = known || FIRST_ID;
      const made = !isNew ? 'nothing' : isMissing ? 'stream and group' : 'group';
      onJoined?.({member, made, lastDeliveredId: known || undefined}, control);
    } catch (error) {
      // A user who may run neither may still read: XREADGROUP says whether there is a group.
      if (mayLook || !isFailure(error, 'denied')) throw error;
      this.#readUpTo = FIRST_ID;
    }
  }

  /**
   * True when `error` says that the group is gone, as after FLUSHALL, a failover or eviction, and it was created
   * again or may be tried again.
   */
  async recreated(error: unknown): Promise<boolean> {
    if (!this.#options.create || this.#readUpTo === undefined || !isFailure(error, 'notFound')) return false;
    // Once for all callers that find it gone: what is read next must not be taken for the old stream's.
    this.#recreating ??= this.#recreate(this.#readUpTo).finally(() => {
      this.#recreating = undefined;
    });
    await this.#recreating;
    return true;
  }

  async #recreate(readUpTo: string): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await this.#redis.connection();
      await this.#createAgain(connection.commands, readUpTo);
    } catch (failure) {
      // It may have vanished again.
      if (!isFailure(failure, 'notFound')) await this.#redis.retryAfter(failure, connection);
    }
  }

  async #createAgain(control: StreamClient, readUpTo: string): Promise<void> {
    const {member, onProblem} = this.#options;
    const {stream, group} = member;
    const isAnother = await this.#identity.hasBegunAnew(control, readUpTo);
    const resumeAt = isAnother ? FIRST_ID : readUpTo;
    // Sent together: an ownership check between the two would find that in-flight entries are not ours.
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

/**
 * What was seen of a stream. After DEL or FLUSHALL another one may have been filled under its name past where we
 * had read, and then its last ID tells nothing. But XINFO STREAM's entries-added only grows, the first entry only
 * moves up, and stays where nothing was ever removed, and an entry never changes. The stream is called another one only
 * when what was seen cannot be of the same; where nothing can be seen, it counts as the same.
 */
class StreamIdentity {
  readonly #stream: string;
  #seen: StreamInfo | 'absent' | undefined;
  #highest = FIRST_ID;
  /** Entries that were read and were added after `remember`. */
  #addedSince = 0;
  #last: StreamRecord | undefined;

  constructor(stream: string) {
    this.#stream = stream;
  }

  async remember(control: StreamClient): Promise<void> {
    this.#seen = await this.#look(control);
    this.#addedSince = 0;
  }

  /** Of new entries, in ascending order. */
  read(records: readonly StreamRecord[]): void {
    const [first] = records;
    if (first === undefined) return;
    this.#last = records.at(-1);
    const known = this.#seen === undefined || this.#seen === 'absent' ? FIRST_ID : this.#seen.lastGeneratedId;
    // A group that was moved back gets entries again that were added once.
    if (compareStreamIds(first.id, known) > 0 && compareStreamIds(first.id, this.#highest) > 0)
      this.#addedSince += records.length;
    if (compareStreamIds(this.#last!.id, this.#highest) > 0) this.#highest = this.#last!.id;
  }

  /** Whether the name means another stream now than the one that was read up to `readUpTo`. */
  async hasBegunAnew(control: StreamClient, readUpTo: string): Promise<boolean> {
    const now = await this.#look(control);
    if (now === undefined) return false;
    if (now === 'absent' || compareStreamIds(now.lastGeneratedId, readUpTo) < 0) return true;
    const {entriesAdded, length} = now;
    const before = this.#seen === 'absent' ? undefined : this.#seen;
    if (entriesAdded !== undefined && before?.entriesAdded !== undefined) {
      if (entriesAdded < before.entriesAdded + this.#addedSince || beginsElsewhere(before, now)) return true;
    }
    return this.#lastHasChanged(control, entriesAdded !== undefined && entriesAdded === length);
  }

  /** `isWhole`: nothing was ever removed from the stream. */
  async #lastHasChanged(control: StreamClient, isWhole: boolean): Promise<boolean> {
    const last = this.#last;
    if (last === undefined) return false;
    for await (const [entry] of control.range(this.#stream, last.id, last.id, 1)) {
      if (entry === undefined) continue;
      return !isSame(entry, last);
    }
    return isWhole;
  }

  /** XINFO STREAM; undefined where the user may not run it. */
  async #look(control: StreamClient): Promise<StreamInfo | 'absent' | undefined> {
    try {
      return await control.info(this.#stream);
    } catch (error) {
      if (isFailure(error, 'notFound')) return 'absent';
      if (isFailure(error, 'denied')) return undefined;
      throw error;
    }
  }
}
