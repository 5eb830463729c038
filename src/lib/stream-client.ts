/**
 * The stream client: a method for one Redis command, and `scripts` for what takes several in one step. Every command of
 * streamlog, and serve, reaches Redis through it. Invariant: what is added goes out in the order of the calls, and so does
 * everything else, each on a connection of its own.
 */

import {StreamlogError} from './errors.js';
import type {Entry, Field, StreamRecord} from './records/entry.js';
import type {EntryIds} from './records/entry-ids.js';
import type {PendingEntry} from './records/pending-entry.js';
import {FIRST_ID, LAST_ID, successorOf} from './records/stream-id.js';
import {AddConnection} from './redis/add-connection.js';
import {type AddBatch, AddEncoder} from './redis/add-encoder.js';
import type {AddResult} from './redis/add-results.js';
import {Adder, type AdderOptions} from './redis/adder.js';
import type {AddingTogether, AddOptions, GroupReadLimits, Membership, Trim} from './redis/args.js';
import * as args from './redis/args.js';
import {briefInfoScript} from './redis/brief-info.js';
import {yesOf} from './redis/checked-reply.js';
import type {CommandLine, Reply} from './redis/command-connection.js';
import {consumerScripts} from './redis/consumer-scripts.js';
import {deadLetterScripts} from './redis/dead-letter-scripts.js';
import {namedEntryScripts} from './redis/named-entry-scripts.js';
import type {Pages, PendingFilter} from './redis/paged-reads.js';
import * as reads from './redis/paged-reads.js';
import {pendingEntryScripts} from './redis/pending-entry-scripts.js';
import type {IdempotentCall, IdempotentResult, ProducerState} from './redis/producer-state.js';
import {IdempotentEncoder} from './redis/producer-state.js';
import * as replies from './redis/replies.js';
import type {RetryPolicy} from './redis/request-retries.js';
import {RestoreCommands} from './redis/restore-commands.js';
import {scriptRunner} from './redis/script.js';
import {ServerCommands} from './redis/server-commands.js';
import {noGroup} from './redis/server-errors.js';
import {type ConnectionSettings, parseTarget} from './redis/server-target.js';
import {Session} from './redis/session.js';
import {TransferReads} from './redis/transfer-reads.js';

export type {PendingEntry} from './records/pending-entry.js';
export type {AddBatch, AddEncoder} from './redis/add-encoder.js';
export type {AddResult} from './redis/add-results.js';
export type {Adder, AdderOptions} from './redis/adder.js';
export type {AddOptions, AddRequest, Membership, PendingState, Trim} from './redis/args.js';
export type {Batch} from './redis/batch.js';
export type {BriefInfo} from './redis/brief-info.js';
export type {IdempotentAccumulator, IdempotentProducer} from './redis/idempotent-accumulator.js';
export type {ClaimOutcome, GiveBackOutcome, NamedEntry} from './redis/named-entry-scripts.js';
export type {IdempotentCall, IdempotentEncoder, IdempotentResult} from './redis/producer-state.js';
export type * from './redis/replies.js';
export type {ConnectedClient} from './redis/server-commands.js';
export type {ServerInfo} from './redis/server-info.js';
export type {ConnectionSettings} from './redis/server-target.js';
export type {SlowCommand} from './redis/slow-log.js';
export type * from './redis/transfer-reads.js';

/** How much to read, and how long to wait for it: at most what `another` was given. */
export type ReadLimits = Pick<GroupReadLimits, 'count' | 'blockMs' | 'noAck'>;

export class StreamClient {
  readonly #session: Session;
  /** Commands that name no stream. */
  readonly server: ServerCommands;
  readonly transfer: TransferReads;
  readonly restoring: RestoreCommands;
  /** Lua scripts (EVAL): what must be looked at and changed in one step. */
  readonly scripts;
  /** False once the server has shown that its XREADGROUP has no CLAIM. */
  mayKnowClaim = true;

  private constructor(session: Session) {
    this.#session = session;
    this.server = new ServerCommands(session);
    this.transfer = new TransferReads(session);
    this.restoring = new RestoreCommands(session);
    const run = scriptRunner((line, about) => session.send(line, about));
    this.scripts = {
      ...briefInfoScript(run),
      ...pendingEntryScripts(run),
      ...namedEntryScripts(run),
      ...deadLetterScripts(run),
      ...consumerScripts(run),
    };
  }

  /**
   * Connects and authenticates. With `retry`, commands are sent again while a failover lasts, as RequestRetries says.
   * Throws `unreachable` within the connect timeout, or what `retry` gives on top of it, `denied`, or `configuration`.
   */
  static async connect(settings: ConnectionSettings, retry?: RetryPolicy): Promise<StreamClient> {
    return new StreamClient(await Session.open(parseTarget(settings), {retry}));
  }

  /**
   * Adds records to `stream` in batches, over a connection of its own that its owner opens, and opens again: each record
   * at least once, or with `idempotent`, once (docs/adr/0007). Connects nothing yet.
   */
  static openAdder(settings: ConnectionSettings, stream: string, options: AdderOptions): Adder {
    const target = parseTarget(settings);
    return new Adder(stream, (node) => AddConnection.open(target, stream, node, node !== undefined), options);
  }

  /** A second client to the same server, for reads that block up to `blockMs`: one that blocks holds up all behind it. */
  async another(blockMs = 0): Promise<StreamClient> {
    return new StreamClient(await Session.open(this.#session.target, {blockMs}));
  }

  /** Ends the connection at once; calls under way fail as `unreachable`. */
  close(): void {
    this.#session.close();
  }

  /** Resolves when the connection has ended, on either side; a client does not connect again. */
  get closed(): Promise<void> {
    return this.#session.connection.closed;
  }

  /** Opens what adding needs, so that the first entry need not wait for it. Throws as `connect` does. */
  async readyToAdd(): Promise<this> {
    try {
      await this.#session.readyToAdd();
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** XADD: the new ID, or undefined when `options.create` is false and there is no such stream. */
  async add(stream: string, fields: readonly Field[], options: AddOptions = {}): Promise<string | undefined> {
    const encoder = new AddEncoder(stream);
    encoder.add({fields, id: '*', options});
    const [outcome] = await this.addAll(stream, encoder.take());
    if (outcome instanceof StreamlogError) throw outcome;
    return outcome;
  }

  /** Encodes records for `addAll`; `capacity` is how many bytes there is room for from the start. */
  static addEncoder(stream: string, capacity?: number): AddEncoder {
    return new AddEncoder(stream, capacity);
  }

  /** Encodes records for `addOnce`. */
  static idempotentEncoder(stream: string, state: ProducerState, capacity?: number): IdempotentEncoder {
    return new IdempotentEncoder(stream, state, capacity);
  }

  /** Many XADDs at once, in order: a result for each; one that is refused does not hold back the others, unless they go `together` (MULTI), with a key that moves with them. */
  addAll(stream: string, adds: AddBatch, {together, checkpoint}: AddingTogether = {}): Promise<AddResult[]> {
    const {adding} = this.#session;
    return together ? adding.addTogether(stream, adds, checkpoint) : adding.addAll(stream, adds);
  }

  /** One call of the script for idempotent adds, which may be repeated; see docs/adr/0007. */
  addOnce(stream: string, call: IdempotentCall): Promise<IdempotentResult> {
    return this.#session.adding.addOnce(stream, call);
  }

  /** XLEN: 0 when there is no such stream. */
  async length(stream: string): Promise<number> {
    return replies.readNumber(await this.#session.send(args.xlen(stream), {stream}));
  }

  /** XDEL: how many of `ids` were there to be deleted. */
  async delete(stream: string, ids: readonly string[]): Promise<number> {
    return replies.readNumber(await this.#session.send(args.xdel(stream, ids), {stream}));
  }

  /** XTRIM: how many entries went. With `approximate` Redis may stop early; call again until 0. */
  async trim(stream: string, trim: Trim): Promise<number> {
    return replies.readNumber(await this.#session.send(args.xtrim(stream, trim), {stream}));
  }

  /** XRANGE from `start` to `end`, both included, in pages of at most `page`. */
  range(stream: string, start = FIRST_ID, end = LAST_ID, page?: number): Pages<Entry[]> {
    return reads.entryPages(this.#session, stream, {start, end}, page);
  }

  /** XRANGE, or XREVRANGE with `reverse`, as records: undecoded where that is possible, so not to be spread into another object. */
  records(
    stream: string,
    start: string,
    end: string,
    {reverse = false, page}: {reverse?: boolean; page?: number} = {},
  ): Pages<StreamRecord[]> {
    return reads.recordPages(this.#session, stream, {start, end, reverse}, page);
  }

  /** The same: the first `count` of them, in one page. */
  async recordPage(stream: string, start: string, end: string, count: number): Promise<StreamRecord[]> {
    const reply = await this.#session.sendRead(args.xrange(stream, start, end, count), {stream});
    return replies.readRecords(reply, {stream});
  }

  /** XRANGE, or XREVRANGE with `reverse`, where only the IDs count; `entryBytes` is how large entries are, if that is known. */
  ids(
    stream: string,
    start: string,
    end: string,
    {reverse = false, entryBytes}: {reverse?: boolean; entryBytes?: number} = {},
  ): Pages<replies.IdPage> {
    return reads.idPages(this.#session, stream, {start, end, reverse}, entryBytes);
  }

  /** XRANGE: the ID of the first entry behind `after`, undefined when there is none. Redis copies that entry, however large. */
  async nextId(stream: string, after: string): Promise<string | undefined> {
    const start = successorOf(after);
    if (start === undefined) return undefined;
    const line = args.xrange(stream, start, LAST_ID, 1);
    return replies.readIdPage(await this.#session.send(line, {stream})).ids[0];
  }

  /** XREAD: entries behind the ID `after`, oldest first, as `records`; none when `blockMs` went by without any. */
  async read(stream: string, after: string, {count, blockMs}: ReadLimits): Promise<StreamRecord[]> {
    const reply = await this.#session.sendRead(args.xread(stream, after, count, blockMs), {stream});
    return replies.readNewRecords(reply, {stream});
  }

  /** XREADGROUP `>`: entries that no consumer of the group has had; they become pending with this one. */
  async readNew(member: Membership, limits: ReadLimits): Promise<replies.Delivered> {
    const reply = await this.#session.connection.sendRead(args.xreadgroup(member, '>', limits), groupOf(member));
    return replies.readDelivered(reply, member);
  }

  /** XACK and then the same, in one piece: how many of `ids` were pending, and what is new. Each may fail without the other. */
  acknowledgeAndReadNew(
    member: Membership,
    ids: EntryIds,
    limits: ReadLimits,
  ): {acknowledged: Promise<number>; delivered: Promise<replies.Delivered>} {
    const [first, delivered] = this.#sendAndReadNew(args.xack(member.stream, member.group, ids), member, limits);
    return {acknowledged: first.then(replies.readNumber), delivered};
  }

  /** XGROUP CREATECONSUMER and then `readNew`, in one piece: whether there was no such consumer, and what is new. */
  createConsumerAndReadNew(
    member: Membership,
    limits: ReadLimits,
  ): {created: Promise<boolean>; delivered: Promise<replies.Delivered>} {
    const [first, delivered] = this.#sendAndReadNew(args.xgroupCreateConsumer(member), member, limits);
    return {created: first.then((reply) => replies.readNumber(reply) === 1), delivered};
  }

  #sendAndReadNew(
    line: CommandLine,
    member: Membership,
    limits: ReadLimits,
  ): [Promise<Reply>, Promise<replies.Delivered>] {
    const reading = args.xreadgroup(member, '>', limits);
    const [first, read] = this.#session.connection.sendBeforeRead(line, reading, groupOf(member));
    return [first, read.then((reply) => replies.readDelivered(reply, member))];
  }

  /**
   * XREADGROUP `>` with CLAIM (Redis 8.4, redis/redis#14402): what any consumer of the group, this one included, has had for `idleMs` and
   * what is still in the stream, the longest idle first; after it, up to `count` in all, what is new. Undefined where the
   * server does not know it. Without `counts`, what is claimed gets its count of deliveries back, by script.
   */
  async readClaiming(
    member: Membership,
    {count, idleMs, counts}: {count: number; idleMs: number; counts: boolean},
  ): Promise<{claimed: StreamRecord[]; fresh: StreamRecord[]} | undefined> {
    if (!this.mayKnowClaim) return undefined;
    try {
      const line = args.xreadgroup(member, '>', {count, claimIdleMs: idleMs});
      const {claimed, fresh} = replies.readClaimed(await this.#session.send(line, groupOf(member)), member);
      if (counts) return {claimed: claimed.map((record) => ({...record, deliveries: record.deliveries + 1})), fresh};
      await this.scripts.setDeliveries(member, claimed);
      return {claimed, fresh};
    } catch (error) {
      // Redis has a word for everything else that can be wrong.
      if (!(error instanceof StreamlogError) || error.code !== 'ERR') throw error;
      this.mayKnowClaim = false;
      return undefined;
    }
  }

  /** XREADGROUP with an ID: this consumer's own pending entries behind `after`. Counts as one more delivery. */
  async readPending(member: Membership, after: string, count: number): Promise<replies.HistoryEntry[]> {
    return replies.readHistory(await this.#session.send(args.xreadgroup(member, after, {count}), groupOf(member)));
  }

  /** XACK: how many of `ids` were pending. */
  async acknowledge(stream: string, group: string, ids: EntryIds): Promise<number> {
    return replies.readNumber(await this.#session.send(args.xack(stream, group, ids), {stream, group}));
  }

  /** XCLAIM: the entries that are now with `member`; absent are those not pending, not idle enough or deleted. */
  async claim(member: Membership, minIdleMs: number, ids: readonly string[]): Promise<Entry[]> {
    return replies.readEntries(await this.#session.send(args.xclaim(member, minIdleMs, ids), groupOf(member)));
  }

  /** XCLAIM JUSTID: the IDs of those that are now with `member`; it counts as no delivery. */
  async claimUncounted(member: Membership, minIdleMs: number, ids: readonly string[]): Promise<string[]> {
    return replies.readIds(await this.#session.send(args.xclaimUncounted(member, minIdleMs, ids), groupOf(member)));
  }

  /** XCLAIM with FORCE: makes those of `ids` pending with `member` that are in the stream and pending with no consumer. */
  async makePending(member: Membership, ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += args.MOST_CLAIMED) {
      await this.#session.send(args.xclaimMissing(member, ids.slice(at, at + args.MOST_CLAIMED)), groupOf(member));
    }
  }

  /** XPENDING: the summary. Throws `notFound` when there is no such stream or group. */
  async pendingSummary(stream: string, group: string): Promise<replies.PendingSummary> {
    return replies.readPendingSummary(await this.#session.send(args.xpending(stream, group), {stream, group}));
  }

  /** XPENDING with a range: the pending entries from `start` to `end`, both included, in pages of at most `page`. */
  pending(
    stream: string,
    group: string,
    filter: PendingFilter = {},
    start = FIRST_ID,
    end = LAST_ID,
    page?: number,
  ): Pages<PendingEntry[]> {
    return reads.pendingPages(this.#session, stream, group, filter, {start, end}, page);
  }

  /** XPENDING with a range: the first `count` pending entries from `start` on, in the order of their IDs. */
  pendingPage(stream: string, group: string, range: reads.PendingRange): Promise<PendingEntry[]> {
    return reads.pendingPage(this.#session, stream, group, range);
  }

  /** XPENDING of one ID: who has it, undefined when it is pending with no consumer. */
  async pendingEntry({stream, group}: {stream: string; group: string}, id: string): Promise<PendingEntry | undefined> {
    return (await this.pendingPage(stream, group, {start: id, end: id, count: 1}))[0];
  }

  /**
   * XGROUP CREATE: true when it is new, false when it was there already. `lastDelivered` is the last ID that counts as
   * delivered. Throws `notFound` when there is no such stream and `makeStream` is false.
   */
  async createGroup(
    stream: string,
    group: string,
    lastDelivered: string,
    makeStream: boolean,
    entriesRead?: number | bigint,
  ): Promise<boolean> {
    const line = args.xgroupCreate(stream, group, lastDelivered, makeStream, entriesRead);
    try {
      await this.#session.send(line, {stream, group});
      return true;
    } catch (error) {
      if (error instanceof StreamlogError && error.code === 'BUSYGROUP') return false;
      throw error;
    }
  }

  /** XGROUP SETID: moves the group so that the next new entry is the one after `lastDelivered`. */
  async setGroup(stream: string, group: string, lastDelivered: string, entriesRead?: number | bigint): Promise<void> {
    await this.#session.send(args.xgroupSetId(stream, group, lastDelivered, entriesRead), {stream, group});
  }

  /** XGROUP DESTROY: false when there was none. */
  async destroyGroup(stream: string, group: string): Promise<boolean> {
    return yesOf(await this.#session.send(args.xgroupDestroy(stream, group), {stream, group}));
  }

  /** XGROUP CREATECONSUMER: true when it is new, false when it was there already. */
  async createConsumer(member: Membership): Promise<boolean> {
    return yesOf(await this.#session.send(args.xgroupCreateConsumer(member), groupOf(member)));
  }

  /** XINFO STREAM. Throws `notFound` when there is no such stream. */
  async info(stream: string): Promise<replies.StreamInfo> {
    return replies.readStreamInfo(await this.#session.send(args.xinfoStream(stream), {stream}));
  }

  /** XINFO GROUPS. Throws `notFound` when there is no such stream. */
  async groups(stream: string): Promise<replies.GroupInfo[]> {
    return replies.readGroups(await this.#session.send(args.xinfoGroups(stream), {stream}));
  }

  /** XINFO GROUPS, one of them. Throws `notFound` when there is no such stream or group. */
  async group(stream: string, group: string): Promise<replies.GroupInfo> {
    const found = (await this.groups(stream)).find(({name}) => name === group);
    if (found !== undefined) return found;
    throw noGroup(stream, group);
  }

  /** XINFO CONSUMERS. Throws `notFound` when there is no such stream or group. */
  async consumers(stream: string, group: string): Promise<replies.ConsumerInfo[]> {
    return replies.readConsumers(await this.#session.send(args.xinfoConsumers(stream, group), {stream, group}));
  }

  /**
   * MEMORY USAGE: bytes, undefined when there is no such stream. Redis estimates them from the oldest `samples` nodes,
   * 5 where it is not given. It looks at each consumer, too.
   */
  async bytes(stream: string, {samples}: {samples?: number} = {}): Promise<number | undefined> {
    const reply = await this.#session.send(args.memoryUsage(stream, samples), {stream});
    return reply === null ? undefined : replies.readNumber(reply);
  }
}

const groupOf = ({stream, group}: Membership): {stream: string; group: string} => ({stream, group});
