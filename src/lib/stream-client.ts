/**
 * THE stream client: every command, and serve, goes through it, and nothing
 * else reaches Redis. A method stands for one Redis command and adds what only
 * a client can: paging, types, failures with a hint. Stories made of several
 * commands (consuming, trimming safely, lag) live in modules of their own on
 * top. Invariant: what is added goes out in the order of the calls, and so does
 * everything else, each on a connection of its own.
 */

import {isFailure, StreamlogError} from './errors.js';
import {PageSize} from './reading/page-size.js';
import type {Entry, Field, StreamRecord} from './records/entry.js';
import {EntryIds} from './records/entry-ids.js';
import type {Position} from './records/position.js';
import {RawRecordBatch} from './records/raw-record.js';
import {compareStreamIds, FIRST_ID, LAST_ID, predecessorOf, successorOf} from './records/stream-id.js';
import {AddConnection} from './redis/add-connection.js';
import {AddConnectionPool} from './redis/add-connection-pool.js';
import {type AddBatch, AddEncoder} from './redis/add-encoder.js';
import type {AddResult} from './redis/add-results.js';
import {AddRouter} from './redis/add-router.js';
import type {AddOptions, Membership, Trim} from './redis/args.js';
import * as args from './redis/args.js';
import {exactly, idOf, wordOf, yesOf} from './redis/checked-reply.js';
import {CommandConnection, type CommandLine, type Reply} from './redis/command-connection.js';
import type {Standing} from './redis/connect.js';
import {evictionWarning} from './redis/eviction-policy.js';
import type {IdempotentCall, IdempotentResult} from './redis/producer-state.js';
import {sumOfGivenBack} from './redis/released-entries.js';
import type {
  BriefInfo,
  ClaimOutcome,
  ConnectedClient,
  ConsumerInfo,
  GroupInfo,
  HistoryEntry,
  IdPage,
  PendingEntry,
  PendingSummary,
  Retirement,
  StreamInfo,
} from './redis/replies.js';
import * as replies from './redis/replies.js';
import {RequestRetries, type RetryPolicy} from './redis/request-retries.js';
import * as scripts from './redis/scripts.js';
import {noGroup, noPermission} from './redis/server-errors.js';
import {type ConnectionSettings, describeTarget, parseTarget, type Target} from './redis/server-target.js';

export type {AddConnection, ReplyHandler} from './redis/add-connection.js';
export {type AddBatch, AddEncoder} from './redis/add-encoder.js';
export type {AddResult} from './redis/add-results.js';
export type {AddOptions, Membership, Trim} from './redis/args.js';
export {NOT_REDIS} from './redis/checked-reply.js';
export {call, callText, commandBatch, trimStep} from './redis/command-batch.js';
export {
  type Durability,
  durabilityBatch,
  durabilityCommand,
  durabilityFailure,
  durabilityRefusal,
  durabilityReplies,
  NOT_DURABLE,
} from './redis/durability.js';
export {evictionWarning, MEMORY_COMMAND} from './redis/eviction-policy.js';
export {
  bytesOf,
  FORGOTTEN,
  GONE,
  type IdempotentCall,
  IdempotentEncoder,
  type IdempotentResult,
  loadScript,
  type ProducerState,
  readIdempotentResult,
  readLastId,
  readSequence,
  refreshTtl,
  removeState,
} from './redis/producer-state.js';
export type * from './redis/replies.js';
export {askedTo, NOT_CONNECTED, notConnected} from './redis/server-errors.js';
export type {ConnectionSettings} from './redis/server-target.js';
export {addWide} from './redis/wide-add.js';

export interface ReadLimits {
  count: number;
  /** How long to wait for entries; undefined answers at once. At most what `connect` was told. */
  blockMs?: number;
  /** Delivers without making entries pending (NOACK): at-most-once. */
  noAck?: boolean;
}

/** Entries that have become pending together. */
export interface Delivered {
  readonly records: StreamRecord[];
  readonly ids: EntryIds;
}

/** A pending entry, as far as is known; where that has changed since, it is somebody else's work. */
export interface NamedEntry {
  readonly id: string;
  /** Who had it. */
  readonly consumer?: string;
  readonly deliveries?: number;
  readonly idleMs?: number;
}

export type GiveBackOutcome = 'given back' | 'not pending' | 'with another' | 'delivered again' | 'gone';

const GIVE_BACK_OUTCOMES: Record<string, GiveBackOutcome> = {
  xnack: 'given back',
  xclaim: 'given back',
  missing: 'not pending',
  other: 'with another',
  again: 'delivered again',
  gone: 'gone',
};

const ACKNOWLEDGE_OUTCOMES: Record<string, 'acknowledged' | 'not pending' | 'with another'> = {
  acknowledged: 'acknowledged',
  missing: 'not pending',
  other: 'with another',
};

/** The lowest and the highest ID. */
function idBounds(named: readonly NamedEntry[]): [string, string] {
  const ids = named.map(({id}) => id).sort(compareStreamIds);
  return [ids[0]!, ids.at(-1)!];
}

const ownerArgument = ({consumer}: NamedEntry): string => (consumer === undefined ? '' : `=${consumer}`);
const optionalNumber = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** Entries a page when something is read to its end. */
const PAGE = 1_000;

/** What a page of IDs may hold of fields that nobody looks at: Redis copies it in half a millisecond. */
const ID_PAGE_BYTES = 1024 * 1024;

/** Redis copies an entry of so many bytes within a millisecond, and those of a list of streams add up. */
const LARGE_ENTRY_BYTES = 256 * 1024;

/** Which pending entries are meant; undefined takes them all. */
export interface PendingFilter {
  consumer?: string;
  /** Delivered at least this long ago, or given back. */
  minIdleMs?: number;
}

/** Clients up to which CLIENT LIST takes Redis less than 5 ms. */
const MOST_CLIENTS = 2_000;

export class StreamClient {
  readonly #target: Target;
  #connection!: CommandConnection;
  #connections!: AddConnectionPool;
  #adding!: AddRouter;
  #retries: RequestRetries | undefined;
  /** Opened when a reply had a number that JavaScript has not. */
  #exact: Promise<CommandConnection> | undefined;
  #isClosed = false;
  /** Until the server has shown that it does not. */
  #mayKnowXnack = true;
  /** Until the user was refused one. */
  #mayRunScripts = true;
  #mayKnowClaim = true;

  private constructor(target: Target, connection: CommandConnection) {
    this.#target = target;
    this.#adopt(connection);
  }

  /**
   * Connects and authenticates. With `retry`, commands are asked again while a failover lasts, as RequestRetries says.
   * Throws `unreachable` within the connect timeout, or what `retry` gives on top of it, `denied`, or `configuration`.
   */
  static async connect(settings: ConnectionSettings, retry?: RetryPolicy): Promise<StreamClient> {
    const target = parseTarget(settings);
    if (retry === undefined) return new StreamClient(target, await CommandConnection.open(target));
    let client: StreamClient | undefined;
    const retries = new RequestRetries(
      () => CommandConnection.open(target),
      (connection) => {
        // The first one is given to the constructor.
        if (client !== undefined) client.#adopt(connection);
      },
      retry,
      target.kind === 'sentinel' || target.kind === 'cluster',
    );
    client = new StreamClient(target, await retries.run('ping', async (connection) => connection));
    client.#retries = retries;
    return client;
  }

  #adopt(connection: CommandConnection): void {
    if (this.#isClosed) {
      connection.close();
      return;
    }
    this.#connections?.close();
    const target = this.#target;
    const connections = new AddConnectionPool(
      (stream, node, asking) => AddConnection.open(target, stream, node, asking),
      (stream) => connection.nodeOf(stream),
      // A client lives and dies whole, and at once; only that of a cluster outlives single nodes.
      () => {
        if (connection.inCluster) return;
        connection.close();
        connections.close();
      },
    );
    this.#connection = connection;
    this.#connections = connections;
    this.#adding = new AddRouter(connection, connections);
    void connection.closed.then(() => connections.close());
  }

  /** A connection for adding to `stream`, whose replies its owner reads. Throws as `connect` does. */
  static openWire(settings: ConnectionSettings, stream: string, ask?: string): Promise<AddConnection> {
    return AddConnection.open(parseTarget(settings), stream, ask, ask !== undefined);
  }

  /** A second client to the same server, for reads that block up to `blockMs`: what blocks holds up all behind it. */
  async another(blockMs = 0): Promise<StreamClient> {
    return new StreamClient(this.#target, await CommandConnection.open(this.#target, blockMs));
  }

  /** Ends the connection at once; calls under way fail as `unreachable`. */
  close(): void {
    this.#isClosed = true;
    void this.#exact?.then((connection) => connection.close());
    this.#connection.close();
    this.#connections.close();
  }

  /** Resolves when the connection has ended, whoever ended it; a client does not come back to life. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** Host and port, socket or nodes, for people. */
  get address(): string {
    return describeTarget(this.#target);
  }

  /** Whether its server is the master, as all sentinels say when they are asked once; `master` where there are none. */
  standing(): Promise<Standing> {
    return this.#connection.standing();
  }

  /** Whether other nodes may answer when one does not. */
  get inCluster(): boolean {
    return this.#connection.inCluster;
  }

  /** PING. */
  async ping(): Promise<void> {
    await this.#connection.sendToMasters(['ping'], 0);
  }

  /** INFO memory: whether keys may go that requests are known by; undefined where they stay, or where the server does not tell. */
  async evictionWarning(forgets: string): Promise<string | undefined> {
    const replies = await this.#connection.sendToMasters(['info', 'memory'], 0).catch(() => []);
    const [info] = replies;
    return Buffer.isBuffer(info) ? evictionWarning(info.toString('latin1'), forgets) : undefined;
  }

  /** CLIENT LIST, one of each master; undefined for one who may not ask, and where there are so many that it would hold Redis up. */
  async connectedClients(): Promise<ConnectedClient[][] | undefined> {
    try {
      const counts = (await this.#connection.sendToMasters(['info', 'clients'])).map(replies.readClientCount);
      if (counts.some((count) => count === undefined || count > MOST_CLIENTS)) return undefined;
      return (await this.#connection.sendToMasters(['client', 'LIST'])).map(replies.readClients);
    } catch (error) {
      if (isFailure(error, 'unreachable') || isFailure(error, 'temporary')) throw error;
      return undefined;
    }
  }

  /** SHUTDOWN: has the server write what it must, and end. Throws when it refuses. */
  async shutDown(): Promise<void> {
    try {
      await this.#connection.sendToMasters(['shutdown'], 0);
    } catch (error) {
      // It answers with the end of the connection.
      if (!isFailure(error, 'unreachable')) throw error;
    }
  }

  /** Opens what adding needs, so that the first entry neither waits for it nor finds that it cannot be had. */
  async readyToAdd(): Promise<this> {
    try {
      if (!this.#connection.inCluster) await this.#connections.to('');
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** XADD: the new ID, or undefined when `options.create` is false and there is no such stream. */
  async add(stream: string, fields: readonly Field[], options: AddOptions = {}): Promise<string | undefined> {
    const encoder = new AddEncoder(stream);
    encoder.add(fields, options, '*');
    const [outcome] = await this.addAll(stream, encoder.take());
    if (outcome instanceof StreamlogError) throw outcome;
    return outcome;
  }

  /**
   * Many XADDs at once, in order. Each has an outcome of its own, in the same
   * order; one that Redis refuses does not hold back the others.
   */
  addAll(stream: string, adds: AddBatch): Promise<AddResult[]> {
    return this.#adding.addAll(stream, adds);
  }

  /** One call of the fence script, which may be repeated; see docs/adr/0007. */
  addOnce(stream: string, call: IdempotentCall): Promise<IdempotentResult> {
    return this.#adding.addOnce(stream, call);
  }

  /** XLEN: 0 when there is no such stream. */
  async length(stream: string): Promise<number> {
    return replies.readNumber(await this.#send(args.xlen(stream), {stream}));
  }

  /** XDEL: how many of `ids` were there to be deleted. */
  async delete(stream: string, ids: readonly string[]): Promise<number> {
    return replies.readNumber(await this.#send(args.xdel(stream, ids), {stream}));
  }

  /** XTRIM: how many entries went. With `approximate` Redis may stop early; call again until 0. */
  async trim(stream: string, trim: Trim): Promise<number> {
    return replies.readNumber(await this.#send(args.xtrim(stream, trim), {stream}));
  }

  /** XRANGE from `start` to `end`, both included, in pages of at most `page` that keep memory flat. Ends when nothing is left. */
  async *range(stream: string, start = FIRST_ID, end = LAST_ID, page = PAGE): AsyncGenerator<Entry[], void, void> {
    const size = new PageSize(page);
    let from: string | undefined = start;
    while (from !== undefined) {
      const {count} = size;
      const entries = replies.readEntries(await this.#send(args.xrange(stream, from, end, count), {stream}));
      size.adapt(entries);
      if (entries.length > 0) yield entries;
      from = entries.length < count ? undefined : successorOf(entries.at(-1)!.id);
    }
  }

  /** XRANGE: the first `count` entries from `start` to `end`, in one page. */
  async rangePage(stream: string, start: string, end: string, count: number): Promise<Entry[]> {
    return replies.readEntries(await this.#send(args.xrange(stream, start, end, count), {stream}));
  }

  /** XREVRANGE: the same from `end` down to `start`. */
  async *rangeReverse(
    stream: string,
    start = FIRST_ID,
    end = LAST_ID,
    page = PAGE,
  ): AsyncGenerator<Entry[], void, void> {
    const size = new PageSize(page);
    let from: string | undefined = end;
    while (from !== undefined) {
      const {count} = size;
      const entries = replies.readEntries(await this.#send(args.xrevrange(stream, from, start, count), {stream}));
      size.adapt(entries);
      if (entries.length > 0) yield entries;
      from = entries.length < count ? undefined : predecessorOf(entries.at(-1)!.id);
    }
  }

  /**
   * XRANGE, or XREVRANGE with `reverse`, where only the IDs count: from `start` to `end`, both included. Redis has no
   * command for IDs without their fields, so a page is kept small in bytes; `entryBytes` says what to expect at first.
   */
  async *ids(
    stream: string,
    start: string,
    end: string,
    {reverse = false, entryBytes}: {reverse?: boolean; entryBytes?: number} = {},
  ): AsyncGenerator<IdPage, void, void> {
    const size = PageSize.expecting(PAGE, entryBytes, ID_PAGE_BYTES);
    let [low, high]: [string | undefined, string | undefined] = [start, end];
    while (low !== undefined && high !== undefined && compareStreamIds(low, high) <= 0) {
      const {count} = size;
      const line = reverse ? args.xrevrange(stream, high, low, count) : args.xrange(stream, low, high, count);
      const page = replies.readIdPage(await this.#send(line, {stream}));
      size.adaptTo(page.ids.length, page.bytes);
      if (page.ids.length > 0) yield page;
      if (page.ids.length < count) return;
      if (reverse) high = predecessorOf(page.ids.at(-1)!);
      else low = successorOf(page.ids.at(-1)!);
    }
  }

  /** XREAD: entries behind the ID `after`, oldest first; none when `blockMs` went by without any. */
  async read(stream: string, after: string, {count, blockMs}: ReadLimits): Promise<Entry[]> {
    return replies.readNewEntries(await this.#send(args.xread(stream, after, count, blockMs), {stream}));
  }

  /** XREADGROUP `>`: entries that no consumer of the group has had; they become pending with this one. */
  async readNew(member: Membership, limits: ReadLimits): Promise<Delivered> {
    return delivered(await this.#connection.sendRead(args.xreadgroup(member, '>', limits), placeOf(member)), member);
  }

  /** XACK and then the same, in one piece: how many of `ids` were pending, and what is new. Each may fail without the other. */
  acknowledgeAndReadNew(
    member: Membership,
    ids: EntryIds,
    limits: ReadLimits,
  ): {acknowledged: Promise<number>; delivered: Promise<Delivered>} {
    const xack = args.xack(member.stream, member.group, ids);
    const line = args.xreadgroup(member, '>', limits);
    const [first, read] = this.#connection.sendBeforeRead(xack, line, placeOf(member));
    return {
      acknowledged: first.then(replies.readNumber),
      delivered: read.then((answer) => delivered(answer, member)),
    };
  }

  /** False once the server has shown that its XREADGROUP has no CLAIM. */
  get mayKnowClaim(): boolean {
    return this.#mayKnowClaim;
  }

  /**
   * XREADGROUP `>` with CLAIM (Redis 8.4): what anybody in the group, this consumer included, has had for `idleMs` and
   * what is still in the stream, the longest idle first; after it, up to `count` in all, what is new. Undefined where the
   * server does not know it. Without `counts`, what is claimed gets its count of deliveries back, by script.
   */
  async readClaiming(
    member: Membership,
    {count, idleMs, counts}: {count: number; idleMs: number; counts: boolean},
  ): Promise<{claimed: StreamRecord[]; fresh: StreamRecord[]} | undefined> {
    if (!this.#mayKnowClaim) return undefined;
    try {
      const reply = await this.#send(args.xreadgroup(member, '>', {count, claimIdleMs: idleMs}), member);
      const entries = replies.readClaimed(reply);
      const claimed = entries.filter(({isNew}) => !isNew);
      if (!counts) await this.#setDeliveries(member, claimed);
      const more = counts ? 1 : 0;
      return {
        claimed: claimed.map(({id, fields, deliveries}) => ({id, fields, ...member, deliveries: deliveries + more})),
        fresh: entries.filter(({isNew}) => isNew).map(({id, fields}) => ({id, fields, ...member, deliveries: 1})),
      };
    } catch (error) {
      // Redis has a word for everything else that can be wrong.
      if (!(error instanceof StreamlogError) || error.code !== 'ERR') throw error;
      this.#mayKnowClaim = false;
      return undefined;
    }
  }

  async #setDeliveries(member: Membership, entries: readonly {id: string; deliveries: number}[]): Promise<void> {
    const {stream, group, consumer} = member;
    for (let at = 0; at < entries.length; at += PAGE) {
      const counts = entries.slice(at, at + PAGE).flatMap(({id, deliveries}) => {
        const count = deliveries < 0 ? scripts.MOST_DELIVERIES : Math.min(deliveries, scripts.MOST_DELIVERIES);
        return [id, String(count)];
      });
      await this.#run(scripts.SET_DELIVERIES, [stream], [group, consumer, ...counts], {
        command: 'XCLAIM',
        stream,
        group,
      });
    }
  }

  /** XGROUP CREATECONSUMER and then `readNew`, in one piece: whether there was no such consumer, and what is new. */
  createConsumerAndReadNew(
    member: Membership,
    limits: ReadLimits,
  ): {created: Promise<boolean>; delivered: Promise<Delivered>} {
    const line = args.xreadgroup(member, '>', limits);
    const [first, read] = this.#connection.sendBeforeRead(args.xgroupCreateConsumer(member), line, placeOf(member));
    return {
      created: first.then((reply) => replies.readNumber(reply) === 1),
      delivered: read.then((answer) => delivered(answer, member)),
    };
  }

  /** XREADGROUP with an ID: this consumer's own pending entries behind `after`. Counts as one more delivery. */
  async readPending(member: Membership, after: string, count: number): Promise<HistoryEntry[]> {
    return replies.readHistory(await this.#send(args.xreadgroup(member, after, {count}), member));
  }

  /** XACK: how many of `ids` were pending. */
  async acknowledge(stream: string, group: string, ids: EntryIds): Promise<number> {
    return replies.readNumber(await this.#send(args.xack(stream, group, ids), {stream, group}));
  }

  /** XCLAIM: the entries that are now with `member`; absent are those not pending, not idle enough or deleted. */
  async claim(member: Membership, minIdleMs: number, ids: readonly string[]): Promise<Entry[]> {
    return replies.readEntries(await this.#send(args.xclaim(member, minIdleMs, ids), member));
  }

  /** XCLAIM with FORCE: makes those of `ids` pending with `member` that are in the stream and pending with nobody. */
  async makePending(member: Membership, ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += PAGE) {
      await this.#send(args.xclaimMissing(member, ids.slice(at, at + PAGE)), member);
    }
  }

  /** XCLAIM JUSTID: the IDs of those that are now with `member`; it counts as no delivery. */
  async claimUncounted(member: Membership, minIdleMs: number, ids: readonly string[]): Promise<string[]> {
    return replies.readIds(await this.#send(args.xclaimUncounted(member, minIdleMs, ids), member));
  }

  /** XPENDING: the summary. Throws `notFound` when there is no such stream or group. */
  async pendingSummary(stream: string, group: string): Promise<PendingSummary> {
    return replies.readPendingSummary(await this.#send(args.xpending(stream, group), {stream, group}));
  }

  /** XPENDING with a range: what of the pending entries from `start` to `end` is meant, page by page in flat memory. */
  async *pending(
    stream: string,
    group: string,
    {consumer, minIdleMs}: PendingFilter = {},
    start = FIRST_ID,
    end = LAST_ID,
    page = PAGE,
  ): AsyncGenerator<PendingEntry[], void, void> {
    let from: string | undefined = start;
    while (from !== undefined) {
      const entries = await this.pendingPage(stream, group, {consumer, start: from, end, count: page});
      const wanted = minIdleMs === undefined ? entries : entries.filter((entry) => isIdle(entry, minIdleMs));
      if (wanted.length > 0) yield wanted;
      from = entries.length < page ? undefined : successorOf(entries.at(-1)!.id);
    }
  }

  /** XPENDING with a range: the first `count` pending entries from `start` on, in the order of their IDs. */
  async pendingPage(
    stream: string,
    group: string,
    {
      consumer,
      start = FIRST_ID,
      end = LAST_ID,
      count,
    }: {consumer?: string; start?: string; end?: string; count: number},
  ): Promise<PendingEntry[]> {
    const line = args.xpendingRange(stream, group, start, end, count, consumer);
    const entries = replies.readPendingEntries(await this.#send(line, {stream, group}));
    if (entries.every(({deliveries}) => Number.isSafeInteger(deliveries))) return entries;
    const exact = replies.readPendingEntries(await this.#sendExactly(line, {stream, group}));
    return exact.map((entry) =>
      Number.isSafeInteger(entry.deliveries) ? {...entry, exactDeliveries: undefined} : entry,
    );
  }

  /** XPENDING of one ID: who has it, undefined when it is pending with no consumer. */
  async pendingEntry({stream, group}: {stream: string; group: string}, id: string): Promise<PendingEntry | undefined> {
    return replies.readPendingEntries(
      await this.#send(args.xpendingRange(stream, group, id, id, 1), {stream, group}),
    )[0];
  }

  /**
   * Starts the idle time of our pending entries anew: those of `ids` that are no longer ours, and those that are no longer in
   * the stream; these are not pending any more, from Redis 7.0 on. By script.
   */
  async renewLeases(member: Membership, ids: readonly string[]): Promise<{missing: string[]; gone: string[]}> {
    const counts = await Promise.all(ids.map((id) => this.#runOnEntry(scripts.RENEW_LEASE, member, id)));
    return {
      missing: ids.filter((_, index) => counts[index] === undefined),
      gone: ids.filter((_, index) => counts[index] === 'gone'),
    };
  }

  /**
   * Counts one more delivery of our pending entry: the new count, undefined when it is no longer ours, `gone` when it is no
   * longer in the stream; then it is not pending any more, from Redis 7.0 on. By script.
   */
  async beginAttempt(member: Membership, id: string): Promise<number | 'gone' | undefined> {
    return this.#runOnEntry(scripts.BEGIN_ATTEMPT, member, id);
  }

  /** Takes one delivery back that `beginAttempt` has counted; answers as that does. By script. */
  async undoAttempt(member: Membership, id: string): Promise<number | 'gone' | undefined> {
    return this.#runOnEntry(scripts.UNDO_ATTEMPT, member, id);
  }

  /**
   * Adds our pending entry to `deadLetter`, with where it came from, and
   * acknowledges it, both or neither: `moved`, `gone` when it is no longer in
   * the stream, `lost` when it is no longer ours, `too wide` when it has thousands of
   * fields: no script can move it, and nothing was done. By script.
   */
  async moveToDeadLetters(
    member: Membership,
    id: string,
    {deadLetter, reason, nowMs}: {deadLetter: string; reason: string; nowMs: number},
  ): Promise<'moved' | 'gone' | 'lost' | 'too wide'> {
    const {stream, group} = member;
    const argv = [...scripts.entryArguments(member, id), reason, String(nowMs)];
    const writing = {command: 'XADD', stream: deadLetter};
    try {
      const result = await this.#run(scripts.DEAD_LETTER, [stream, deadLetter], argv, writing);
      if (result === null) return 'lost';
      refuseDenied(result, 'XACK', stream);
      if (isTooWide(result)) return 'too wide';
      return yesOf(result) ? 'moved' : 'gone';
    } catch (error) {
      // Of the two streams, only the one that the entry is in has the group.
      throw error instanceof StreamlogError && error.code === 'NOGROUP' ? noGroup(stream, group) : error;
    }
  }

  /** Acknowledges our pending entry; false when it is no longer ours. By script. */
  async acknowledgeOurs(member: Membership, id: string): Promise<boolean> {
    const result = await this.#runOnEntry(scripts.ACKNOWLEDGE_OURS, member, id, 'XACK');
    return result !== undefined && yesOf(result);
  }

  /**
   * Moves an entry of `deadLetter` to `target` with all its fields, both or
   * neither: its new ID, `gone` when it is not there any more, `too wide` when it has
   * thousands of fields: no script can move it, and nothing was done. By script.
   */
  async redrive(deadLetter: string, id: string, target: string): Promise<{newId: string} | 'gone' | 'too wide'> {
    const writing = {command: 'XADD', stream: target};
    const result = await this.#run(scripts.REDRIVE, [deadLetter, target], [id], writing);
    if (result === null) return 'gone';
    refuseDenied(result, 'XDEL', deadLetter);
    return isTooWide(result) ? 'too wide' : {newId: idOf(result)};
  }

  /**
   * Claims those of `named` for `member` that are still as they are named and have been idle for `minIdleMs`,
   * and counts a delivery of each; with `dryRun` only looks. What became of each, in their order, at most
   * 500 at a time. By script.
   */
  async claimNamed(
    {stream, group, consumer}: Membership,
    named: readonly NamedEntry[],
    {minIdleMs, dryRun}: {minIdleMs: number; dryRun: boolean},
  ): Promise<ClaimOutcome[]> {
    if (named.length === 0) return [];
    const argv = [group, consumer, String(minIdleMs), dryRun ? '1' : '0', ...idBounds(named)];
    for (const one of named) argv.push(one.id, ownerArgument(one), ...[one.deliveries, one.idleMs].map(optionalNumber));
    const about = {command: 'XCLAIM', stream, group};
    return exactly(
      named.length,
      replies.readClaimOutcomes(await this.#run(scripts.CLAIM_NAMED, [stream], argv, about)),
    );
  }

  /** Acknowledges those of `named` that are still with their consumers: what became of each, at most 500 at a time. By script. */
  async acknowledgeNamed(
    {stream, group}: {stream: string; group: string},
    named: readonly NamedEntry[],
  ): Promise<('acknowledged' | 'not pending' | 'with another')[]> {
    if (named.length === 0) return [];
    const argv = [group, ...idBounds(named), ...named.flatMap((one) => [one.id, ownerArgument(one)])];
    const about = {command: 'XACK', stream, group};
    const states = replies.readTexts(await this.#run(scripts.ACKNOWLEDGE_NAMED, [stream], argv, about));
    return exactly(named.length, states).map((state) => wordOf(ACKNOWLEDGE_OUTCOMES, state));
  }

  /**
   * Gives a pending entry back, so that whoever claims takes it at its next
   * sweep; its count of deliveries stays. Only while it is as it is named. By
   * script, with XNACK where the server has it.
   */
  async giveBack({stream, group}: {stream: string; group: string}, named: NamedEntry): Promise<GiveBackOutcome> {
    const given = [String(sumOfGivenBack()), this.#mayKnowXnack ? '1' : '0'];
    const argv = [
      group,
      ownerArgument(named),
      named.id,
      ...given,
      optionalNumber(named.deliveries),
      String(Date.now()),
    ];
    const result = replies.readText(await this.#run(scripts.NACK, [stream], argv, {command: 'XCLAIM', stream, group}));
    if (result === 'xclaim') this.#mayKnowXnack = false;
    return wordOf(GIVE_BACK_OUTCOMES, result);
  }

  /** Acknowledges the lowest `count` pending entries of a group, at most 1,000, whoever has them: how many. By script. */
  async acknowledgeLowest(stream: string, group: string, count: number): Promise<number> {
    const argv = [group, String(Math.min(count, PAGE))];
    return replies.readNumber(
      await this.#run(scripts.ACKNOWLEDGE_LOWEST, [stream], argv, {command: 'XACK', stream, group}),
    );
  }

  /** Removes a consumer that has nothing pending; false when it has. By script. */
  async removeIdleConsumer({stream, group, consumer}: Membership): Promise<boolean> {
    const about = {command: 'XGROUP DELCONSUMER', stream, group};
    return yesOf(await this.#run(scripts.REMOVE_IDLE_CONSUMER, [stream], [group, consumer], about));
  }

  /**
   * One step of removing `consumers`: hands at most `maxMoved` of their pending
   * entries over to `heir`, from each one only while none of them was delivered
   * within `minIdleMs`, and removes those that then have nothing pending. What
   * became of each, in their order. By script.
   */
  async retireConsumers(
    {stream, group}: {stream: string; group: string},
    consumers: readonly string[],
    {minIdleMs, heir = '', maxMoved}: {minIdleMs: number; heir?: string; maxMoved: number},
  ): Promise<Retirement[]> {
    const argv = [group, String(minIdleMs), heir, String(maxMoved), ...consumers];
    const about = {command: 'XGROUP DELCONSUMER', stream, group};
    const retirements = replies.readRetirements(await this.#run(scripts.RETIRE_CONSUMERS, [stream], argv, about));
    return exactly(consumers.length, retirements);
  }

  /**
   * XGROUP CREATE: true when it is new, false when it was there already.
   * `lastDelivered` is the last ID that counts as delivered. Throws `notFound`
   * when there is no such stream and `makeStream` is false.
   */
  async createGroup(
    stream: string,
    group: string,
    lastDelivered: string,
    makeStream: boolean,
    entriesRead?: number,
  ): Promise<boolean> {
    try {
      await this.#send(args.xgroupCreate(stream, group, lastDelivered, makeStream, entriesRead), {stream, group});
      return true;
    } catch (error) {
      if (error instanceof StreamlogError && error.code === 'BUSYGROUP') return false;
      throw error;
    }
  }

  /** XGROUP SETID: moves the group so that the next new entry is the one after `lastDelivered`. */
  async setGroup(stream: string, group: string, lastDelivered: string, entriesRead?: number): Promise<void> {
    await this.#send(args.xgroupSetId(stream, group, lastDelivered, entriesRead), {stream, group});
  }

  /** XGROUP DESTROY: false when there was none. */
  async destroyGroup(stream: string, group: string): Promise<boolean> {
    return yesOf(await this.#send(args.xgroupDestroy(stream, group), {stream, group}));
  }

  /** XGROUP CREATECONSUMER: true when it is new, false when it was there already. */
  async createConsumer(member: Membership): Promise<boolean> {
    return yesOf(await this.#send(args.xgroupCreateConsumer(member), member));
  }

  /** XGROUP DELCONSUMER: how many pending entries went with it, never to be delivered again. */
  async deleteConsumer(member: Membership): Promise<number> {
    return replies.readNumber(await this.#send(args.xgroupDelConsumer(member), member));
  }

  /** XINFO STREAM. Throws `notFound` when there is no such stream. With `brief` by script, where the user may run one. */
  async info(stream: string): Promise<StreamInfo>;
  async info(stream: string, options: {brief: true}): Promise<BriefInfo>;
  async info(stream: string, {brief = false} = {}): Promise<BriefInfo> {
    const asked = {command: 'XINFO', stream};
    let refusal: StreamlogError | undefined;
    if (brief && this.#mayRunScripts) {
      try {
        const argv = [String(LARGE_ENTRY_BYTES)];
        return replies.readBriefInfo(await this.#run(scripts.BRIEF_INFO, [stream], argv, asked));
      } catch (error) {
        if (!isFailure(error, 'denied') && !isFailure(error, 'configuration')) throw error;
        refusal = error;
      }
    }
    const info = replies.readStreamInfo(await this.#send(args.xinfoStream(stream), {stream}));
    // The stream may be looked at, so it was the script that was refused.
    if (refusal !== undefined) this.#mayRunScripts = false;
    return info;
  }

  /** XINFO STREAM; undefined when there is no such stream. */
  async findInfo(stream: string): Promise<StreamInfo | undefined> {
    try {
      return await this.info(stream);
    } catch (error) {
      if (isFailure(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /** XINFO GROUPS. Throws `notFound` when there is no such stream. */
  async groups(stream: string): Promise<GroupInfo[]> {
    return replies.readGroups(await this.#send(args.xinfoGroups(stream), {stream}));
  }

  /** XINFO GROUPS, one of them. Throws `notFound` when there is no such stream or group. */
  async group(stream: string, group: string): Promise<GroupInfo> {
    const found = (await this.groups(stream)).find(({name}) => name === group);
    if (found !== undefined) return found;
    throw noGroup(stream, group);
  }

  /** XINFO CONSUMERS. Throws `notFound` when there is no such stream or group. */
  async consumers(stream: string, group: string): Promise<ConsumerInfo[]> {
    return replies.readConsumers(await this.#send(args.xinfoConsumers(stream, group), {stream, group}));
  }

  /**
   * MEMORY USAGE: bytes, undefined when there is no such stream. Redis estimates them from the oldest `samples` nodes,
   * 5 where it is not told. It looks at each consumer, too.
   */
  async bytes(stream: string, {samples}: {samples?: number} = {}): Promise<number | undefined> {
    const reply = await this.#send(args.memoryUsage(stream, samples), {stream});
    return reply === null ? undefined : replies.readNumber(reply);
  }

  /** XINFO STREAM: the nodes that hold the entries. Throws `notFound` when there is no such stream. */
  async nodes(stream: string): Promise<number> {
    return replies.readNodeCount(await this.#send(args.xinfoStream(stream), {stream}));
  }

  /**
   * SCAN … TYPE stream: the names of all streams, on every master; a name may come twice while keys move. A master of a
   * cluster that cannot be asked is told to `onLost`, and the others go on; without that it throws.
   */
  async *streams(match?: string, onLost?: (error: StreamlogError) => void): AsyncGenerator<string[], void, void> {
    for (const master of this.#connection.masters) {
      let cursor = '0';
      do {
        try {
          const page = replies.readScan(
            await this.#ask('scan', (connection) =>
              connection.sendToMaster(args.scanStreams(cursor, match, PAGE), master),
            ),
          );
          cursor = page.cursor;
          if (page.keys.length > 0) yield page.keys;
        } catch (error) {
          if (onLost === undefined || master === '' || !(error instanceof StreamlogError)) throw error;
          onLost(error);
          cursor = '0';
        }
      } while (cursor !== '0');
    }
  }

  /**
   * The ID of the first entry that `position` means; it need not exist. For
   * `end` it is the first ID that the stream can still get. A stream that does
   * not exist is an empty one.
   */
  async locate(stream: string, position: Position): Promise<string> {
    switch (position.kind) {
      case 'id':
        return position.id;
      case 'time':
        return `${position.ms}-0`;
      case 'end':
        return successorOf(await this.lastGeneratedId(stream)) ?? LAST_ID;
      case 'last': {
        let left = position.count;
        for await (const {ids} of this.ids(stream, FIRST_ID, LAST_ID, {reverse: true})) {
          if (ids.length >= left) return ids[left - 1]!;
          left -= ids.length;
        }
        return FIRST_ID;
      }
    }
  }

  /** As `lastId`, but `0-0` when there is no such stream. */
  async lastGeneratedId(stream: string): Promise<string> {
    try {
      return await this.lastId(stream);
    } catch (error) {
      if (isFailure(error, 'notFound')) return FIRST_ID;
      throw error;
    }
  }

  /**
   * XINFO STREAM: the highest ID that the stream has generated. For a user who may not ask for it, that of the newest
   * entry (XREVRANGE), and `0-0` where there is none. Throws `notFound` when there is no such stream.
   */
  async lastId(stream: string): Promise<string> {
    try {
      return (await this.info(stream)).lastGeneratedId;
    } catch (error) {
      if (!isFailure(error, 'denied')) throw error;
      for await (const [newest] of this.rangeReverse(stream, FIRST_ID, LAST_ID, 1)) return newest!.id;
      return FIRST_ID;
    }
  }

  /** The script's number, or null where it found the entry not to be ours. */
  async #runOnEntry(
    script: scripts.Script,
    member: Membership,
    id: string,
    command = 'XCLAIM',
  ): Promise<number | 'gone' | undefined> {
    const about = {command, stream: member.stream, group: member.group};
    const reply = await this.#run(script, [member.stream], scripts.entryArguments(member, id), about);
    if (reply === null) return undefined;
    return Buffer.isBuffer(reply) && replies.readText(reply) === scripts.GONE ? 'gone' : replies.readNumber(reply);
  }

  /** `about` is what the script does, for the message of a failure. */
  async #run(
    script: scripts.Script,
    keys: readonly string[],
    argv: readonly string[],
    about: {command: string; stream: string; group?: string},
  ): Promise<Reply> {
    try {
      return await this.#ask('evalsha', (connection) => connection.send(scripts.evalsha(script, keys, argv), about));
    } catch (error) {
      if (!(error instanceof StreamlogError) || error.code !== 'NOSCRIPT') throw error;
      return this.#ask('eval', (connection) => connection.send(scripts.evaluate(script, keys, argv), about));
    }
  }

  /** The same with numbers as their digits. */
  async #sendExactly(line: CommandLine, about: {stream?: string; group?: string}): Promise<Reply> {
    this.#exact ??= CommandConnection.open({...this.#target, exactNumbers: true});
    return (await this.#exact).send(line, {stream: about.stream, group: about.group});
  }

  #send(line: CommandLine, about: {stream?: string; group?: string}): Promise<Reply> {
    return this.#ask(line[0], (connection) => connection.send(line, {stream: about.stream, group: about.group}));
  }

  /** Where the client asks again by itself, it does so here. */
  #ask<T>(command: string, work: (connection: CommandConnection) => Promise<T>): Promise<T> {
    return this.#retries === undefined ? work(this.#connection) : this.#retries.run(command, work);
  }
}

/** Whether an entry was delivered at least `minIdleMs` ago, or is anybody's to take. */
export const isIdle = ({idleMs, givenBack}: PendingEntry, minIdleMs: number): boolean =>
  givenBack || idleMs >= minIdleMs;

const placeOf = ({stream, group}: Membership): {stream: string; group: string} => ({stream, group});

function delivered(answer: RawRecordBatch | Reply, {stream, group, consumer}: Membership): Delivered {
  const origin = {stream, group, consumer, deliveries: 1};
  if (answer instanceof RawRecordBatch) return {records: answer.records(origin), ids: EntryIds.ofPage(answer)};
  const records = replies.readNewEntries(answer).map((entry) => ({...entry, ...origin}));
  return {records, ids: EntryIds.of(records.map(({id}) => id))};
}

/** A script answers with the number of fields below 0 where they are too many for it. */
const isTooWide = (result: Reply): boolean => typeof result === 'number' && result < 0;

/** A script that copies and then takes away does neither for a user who may not do the second. */
function refuseDenied(result: Reply, command: string, stream: string): void {
  if (Buffer.isBuffer(result) && replies.readText(result) === scripts.DENIED) throw noPermission(command, stream);
}
