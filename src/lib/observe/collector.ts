/**
 * Reads what is going on on a server, again and again: its streams in turn, where there are many. Invariants: every command only reads; a
 * round sends at most 500 at a time and takes at most its share of the server's time; a stream that cannot be read is counted and ends nothing.
 */
import {isFailure} from '../errors.js';
import {pipelined} from '../pipelined.js';
import {isOutdated} from '../reconnecting-client.js';
import {COUNTED_TOGETHER} from '../reports/list-lag.js';
import {MOST_CONSUMERS_LISTED_OFTEN} from '../reports/measurable.js';
import type {StreamClient} from '../stream-client.js';
import {type CountAllowance, RoundCounts, ServerTimeBudget, WholeCounts} from './budget.js';
import {type DiscoveryOptions, StreamDiscovery} from './discovery.js';
import {ObservedStream} from './observed-stream.js';
import type {ReadingTime} from './reading-time.js';
import {readServerFacts} from './server-facts.js';
import type {SkippedStreams, Snapshot, StreamFacts} from './snapshot.js';

export interface CollectorOptions extends DiscoveryOptions {
  /** How often it reads: what it may cost follows from that. */
  everyMs: number;
  /** Streams that are read; those beyond are counted. */
  maxStreams?: number | undefined;
  /** Lists the consumers of groups that have at most so many. */
  consumersUpTo?: number | undefined;
  /** Keeps what was read last of streams whose server does not answer: for a screen that says how old it is. */
  keepsUnanswered?: boolean | undefined;
}

const MOST_STREAMS = 1_000;
const CALIBRATED_EACH_MS = 10_000;
/** Streams of which the counters are read together: three commands each. */
const READ_TOGETHER = 160;
/** Groups whose pending entries, some 10 KB, are read together. */
const GROUPS_TOGETHER = 200;

export class Collector {
  readonly #options: CollectorOptions;
  readonly #discovery: StreamDiscovery;
  readonly #budget: ServerTimeBudget;
  readonly #streams = new Map<string, ObservedStream>();
  readonly #maxStreams: number;
  readonly #consumersUpTo: number;
  #calibratedAtMs = Number.NEGATIVE_INFINITY;
  #lostNode: unknown;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#discovery = new StreamDiscovery(options);
    this.#budget = new ServerTimeBudget(options.everyMs);
    this.#maxStreams = options.maxStreams ?? MOST_STREAMS;
    this.#consumersUpTo = Math.min(options.consumersUpTo ?? -1, MOST_CONSUMERS_LISTED_OFTEN);
  }

  /** The failure of a node of a cluster in the last reading: the connection does not come back to it. */
  get lostNode(): unknown {
    return this.#lostNode;
  }

  /** Reads the streams whose turn it is, and what else there is in this round. */
  async read(client: StreamClient): Promise<Snapshot> {
    return this.#reading(client, async (time) => {
      await this.#discovery.step(client, time.atMs);
      const due = this.#watched().toSorted((one, other) => one.triedAtMs - other.triedAtMs);
      await this.#read(client, this.#budget.take(due, this.#costOf), new RoundCounts(this.#options.everyMs), time);
    });
  }

  /** Reads all streams, looked for to the end. */
  async readAll(client: StreamClient): Promise<Snapshot> {
    return this.#reading(client, async (time) => {
      do await this.#discovery.step(client, time.atMs);
      while (!this.#discovery.isComplete);
      await this.#read(client, this.#watched(), new WholeCounts(), time);
    });
  }

  async #reading(client: StreamClient, read: (time: ReadingTime) => Promise<void>): Promise<Snapshot> {
    const atMs = performance.now();
    this.#lostNode = undefined;
    const [serverMs, server] = await Promise.all([client.server.time(), readServerFacts(client)]);
    const time = {nowMs: serverMs ?? Date.now(), atMs};
    if (atMs - this.#calibratedAtMs >= CALIBRATED_EACH_MS) {
      this.#budget.calibrate(await client.server.commandTimes());
      this.#calibratedAtMs = atMs;
    }
    await read(time);
    const streams = this.#facts(atMs);
    return {
      at: new Date(time.nowMs).toISOString(),
      tookMs: Math.round(performance.now() - atMs),
      server,
      streams,
      skipped: this.#skipped(),
      discovered: this.#discovery.isWhole,
      roundMs: this.#discovery.isComplete ? this.#roundMs() : null,
    };
  }

  /** Those that are read, for as long as they are there. */
  #watched(): ObservedStream[] {
    const {names} = this.#discovery;
    for (const name of this.#streams.keys()) if (!names.has(name)) this.#streams.delete(name);
    for (const name of names) {
      if (this.#streams.size >= this.#maxStreams) break;
      if (!this.#streams.has(name)) this.#streams.set(name, new ObservedStream(name));
    }
    return [...this.#streams.values()];
  }

  readonly #costOf = (stream: ObservedStream): number => this.#budget.costOf(stream.size(this.#consumersUpTo));

  async #read(
    client: StreamClient,
    streams: readonly ObservedStream[],
    counts: CountAllowance,
    time: ReadingTime,
  ): Promise<void> {
    let left = streams;
    /** Does one step for all, and goes on with those that are still there. */
    const step = async (together: number, work: (stream: ObservedStream) => Promise<void>): Promise<void> => {
      const done = await pipelined(left, (stream) => this.#unlessOmitted(client, stream, work), together);
      left = left.filter((_, at) => done[at]);
    };
    await step(READ_TOGETHER, (stream) => stream.measure(client, time));
    await step(READ_TOGETHER, (stream) => stream.readCounters(client, time));
    await step(READ_TOGETHER, (stream) => stream.readDeadLetters(client, this.#streams, time));
    await this.#readGroups(client, left);
    await step(COUNTED_TOGETHER, (stream) => stream.readLags(client, counts, time));
    for (const stream of left) stream.conclude(time);
  }

  /** Of all streams together, since one may have a thousand groups. */
  async #readGroups(client: StreamClient, streams: readonly ObservedStream[]): Promise<void> {
    const groups = streams.flatMap((stream) => stream.groups.map((group) => ({name: stream.name, group})));
    await pipelined(groups, ({name, group}) => group.readPendingEntries(client, name), GROUPS_TOGETHER);
    if (this.#consumersUpTo < 0) return;
    await pipelined(groups, ({name, group}) => group.readMembers(client, name, this.#consumersUpTo), READ_TOGETHER);
  }

  /** Whether it was done; otherwise the stream is gone, or counted. Throws what ends the reading. */
  async #unlessOmitted(
    client: StreamClient,
    stream: ObservedStream,
    work: (stream: ObservedStream) => Promise<void>,
  ): Promise<boolean> {
    try {
      await work(stream);
      return true;
    } catch (error) {
      if (isFailure(error, 'denied')) stream.omitted = 'denied';
      else if (client.server.isCluster && (isFailure(error, 'unreachable') || isFailure(error, 'temporary'))) {
        stream.omitted = 'unanswered';
        if (isOutdated(error)) this.#lostNode = error;
      } else if (isFailure(error, 'notFound') || (isFailure(error, 'data') && error.code === 'WRONGTYPE')) {
        this.#discovery.forget(stream.name);
        this.#streams.delete(stream.name);
      } else throw error;
      stream.triedAtMs = performance.now();
      return false;
    }
  }

  /** By name; those that may not be read, or do not answer, are left out. */
  #facts(atMs: number): StreamFacts[] {
    return [...this.#streams.values()]
      .flatMap(({facts, omitted, readAtMs}) =>
        facts === undefined || (omitted !== undefined && !(omitted === 'unanswered' && this.#options.keepsUnanswered))
          ? []
          : [{...facts, ageMs: Math.max(0, Math.round(atMs - readAtMs))}],
      )
      .sort((one, other) => (one.stream < other.stream ? -1 : 1));
  }

  #skipped(): SkippedStreams[] {
    const limit = Math.max(0, this.#discovery.names.size - this.#maxStreams);
    const counts = {limit, budget: 0, denied: 0, unanswered: 0};
    for (const {facts, omitted} of this.#streams.values()) {
      if (omitted !== undefined) counts[omitted]++;
      else if (facts === undefined) counts.budget++;
    }
    return (Object.keys(counts) as (keyof typeof counts)[])
      .filter((reason) => counts[reason] > 0)
      .map((reason) => ({streams: counts[reason], reason}));
  }

  #roundMs(): number {
    const total = [...this.#streams.values()].reduce((sum, stream) => sum + this.#costOf(stream), 0);
    return this.#budget.roundsOf(total) * this.#options.everyMs;
  }
}
