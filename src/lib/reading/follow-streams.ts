/**
 * Streams from some position on, and then whatever is added: what `tail` prints
 * and `serve` sends as events. Joins no group. Invariant: reading goes on behind
 * the last ID that was handed over, never at "the end as it is now": XREAD with
 * `$` in a loop loses what is added between two reads.
 */

import {isFailure} from '../errors.js';
import type {Search} from '../filter/search.js';
import {ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import type {Position} from '../records/position.js';
import {compareStreamIds, FIRST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {inOrder} from './in-order.js';
import {lastMatches} from './last-matches.js';
import {findInfo, infoUnlessDenied, locate, newestId} from './locate.js';
import {merge} from './merge.js';
import {PageSize} from './page-size.js';
import {streamChange} from './stream-change.js';
import {untilStopped} from './until-stopped.js';

export interface FollowOptions {
  streams: readonly string[];
  from: Position;
  /** Counts the last entries of `from`, where only some are meant. */
  lastOf?: (() => Search) | undefined;
  /** False ends with the newest entry of the time of asking. */
  follow: boolean;
  stopping: AbortSignal;
  /** How long a server that is away is waited for while new entries are; undefined: for ever. */
  retryForMs: number | undefined;
  /** Called with a stream that does not exist yet. Without `follow`, that is a failure instead. */
  onMissing: (stream: string) => void;
  /** Called each time a second went by without anything new. */
  onIdle: () => void;
  /** One line about a lost connection, or a stream that is another one now. */
  onProblem: (line: string) => void;
}

/** How far a stream has been read. */
export interface Cursor {
  readonly stream: string;
  /** The last ID that was handed over, or is to be passed over. */
  after: string;
  /** What the stream was when reading began; undefined where it was missing, or the user may not ask. */
  readonly seen?: StreamInfo | undefined;
}

interface StartedCursor extends Cursor {
  /** The newest entry when reading began. */
  readonly newest: string;
}

/** Runs reads on a connection, where there is one. */
type Run = <T>(work: (client: StreamClient) => Promise<T>) => Promise<T>;

interface Followed {
  readonly stream: string;
  readonly redis: ReconnectingClient;
  readonly run: Run;
}

type Batches = AsyncGenerator<StreamRecord[], void, void>;

/** How long a read waits: often enough to notice that standard output was closed. */
export const BLOCK_MS = 1_000;
/** Entries per read, at most. */
const PAGE = 1_000;
/** How often a stream that brings nothing is checked for whether it is still the same. */
const CHECK_MS = 5_000;

/**
 * What is there, in the order of its time, then what comes, as it comes, until `stopping`. `client` serves the first
 * part without `follow`; else each stream has a connection of its own, so that streams may live on different nodes of
 * a cluster. Throws `notFound` for a missing stream without `follow`, `unreachable` when the time for retries is up.
 */
export async function* followStreams(client: StreamClient, options: FollowOptions): Batches {
  const {follow, retryForMs, stopping, onProblem} = options;
  const streams = [...new Set(options.streams)];
  if (!follow) {
    const run: Run = (work) => work(client);
    const once = presentOf(
      streams.map((stream) => ({stream, run})),
      options,
    );
    return yield* untilStopped(once, client, stopping);
  }
  const connect = (): Promise<StreamClient> => client.another(BLOCK_MS);
  const followed = streams.map((stream) => {
    const redis = new ReconnectingClient({connect, mayFailOver: true, retryForMs, stopping, onProblem});
    const run: Run = (work) => redis.run(({commands}) => work(commands));
    return {stream, redis, run};
  });
  const close = (): void => {
    for (const {redis} of followed) redis.close();
  };
  try {
    yield* untilStopped(presentAndComing(followed, options), {close}, stopping);
  } finally {
    close();
  }
}

async function* presentAndComing(followed: readonly Followed[], options: FollowOptions): Batches {
  const cursors = yield* presentOf(followed, options);
  yield* merge(cursors.map((cursor, index) => followStream(followed[index]!.redis, cursor, options)));
}

/** Returns how far each stream was read. */
async function* presentOf(
  sources: readonly {stream: string; run: Run}[],
  options: FollowOptions,
): AsyncGenerator<StreamRecord[], Cursor[], void> {
  const cursors = await Promise.all(sources.map(({run, stream}) => cursorAt(run, stream, options)));
  yield* inOrder(cursors.map((cursor, index) => present(sources[index]!.run, cursor)));
  return cursors;
}

async function cursorAt(
  run: Run,
  stream: string,
  {from, lastOf, follow, onMissing}: FollowOptions,
): Promise<StartedCursor> {
  const start = await run((client) =>
    from.kind === 'last' && lastOf !== undefined ? lastMatches(client, stream, lastOf()) : locate(client, stream, from),
  );
  const after = predecessorOf(start) ?? FIRST_ID;
  try {
    const seen = await run((client) => infoUnlessDenied(client, stream));
    const newest = seen?.lastGeneratedId ?? (await run((client) => newestId(client, stream)));
    return {stream, after, newest, seen};
  } catch (error) {
    if (!follow || !isFailure(error, 'notFound')) throw error;
    onMissing(stream);
    return {stream, after, newest: FIRST_ID};
  }
}

/** XRANGE up to what was the newest entry. */
async function* present(run: Run, cursor: StartedCursor): Batches {
  const {stream, newest} = cursor;
  const size = new PageSize(PAGE);
  for (let more = true; more; ) {
    const start = successorOf(cursor.after);
    if (start === undefined) return;
    const {count} = size;
    const records = await run((client) => client.recordPage(stream, start, newest, count));
    if (records.length === 0) return;
    size.adapt(records);
    cursor.after = records.at(-1)!.id;
    more = records.length === count;
    yield records;
  }
}

/**
 * XREAD BLOCK, again and again, on connections that are replaced when they are lost: what is behind `cursor`, and what
 * comes, page by page, until `stopping`. Moves the cursor before it hands over. `onIdle` is called when BLOCK_MS went
 * by without anything new. With `onProblem`, a stream that began anew is noticed and read from its beginning.
 */
export async function* followStream(
  redis: ReconnectingClient,
  cursor: Cursor,
  options: {stopping: AbortSignal; onIdle?: () => void; onProblem?: (line: string) => void},
  size = new PageSize(PAGE),
): Batches {
  const {stopping, onIdle = () => {}, onProblem} = options;
  const {stream} = cursor;
  const check = onProblem === undefined ? undefined : new ChangeCheck(cursor, onProblem);
  while (!stopping.aborted) {
    const records = await redis.run(async (connection) => {
      await check?.before(connection.commands);
      return connection.reader.read(stream, cursor.after, {count: size.count, blockMs: BLOCK_MS});
    });
    size.adapt(records);
    if (records.length === 0) {
      check?.idle();
      onIdle();
      continue;
    }
    cursor.after = records.at(-1)!.id;
    check?.read(cursor.after);
    yield records;
  }
}

/** Finds out whether the stream of a cursor is still the same, on each new connection and while it brings nothing. */
class ChangeCheck {
  readonly #cursor: Cursor;
  readonly #onChange: (line: string) => void;
  /** What the stream was at the last check; undefined while it was missing. */
  #seen: StreamInfo | undefined;
  /** The highest ID that the stream is known to have generated. */
  #highest = FIRST_ID;
  #checkedOn: StreamClient | undefined;
  #checkedAtMs = 0;
  #mayCheck = true;

  constructor(cursor: Cursor, onChange: (line: string) => void) {
    this.#cursor = cursor;
    this.#onChange = onChange;
    this.#seen = cursor.seen;
    this.#highest = cursor.seen?.lastGeneratedId ?? FIRST_ID;
  }

  /** Before a read on `client`: moves the cursor where the stream is another one. */
  async before(client: StreamClient): Promise<void> {
    if (!this.#mayCheck || this.#checkedOn === client) return;
    try {
      this.#take(await findInfo(client, this.#cursor.stream));
      this.#checkedOn = client;
      this.#checkedAtMs = performance.now();
    } catch (error) {
      if (!isFailure(error, 'denied')) throw error;
      this.#mayCheck = false;
    }
  }

  read(upTo: string): void {
    this.#highest = upTo;
  }

  /** A read has brought nothing: the next one is preceded by a check, when that is due. */
  idle(): void {
    if (performance.now() - this.#checkedAtMs >= CHECK_MS) this.#checkedOn = undefined;
  }

  #take(now: StreamInfo | undefined): void {
    const {stream, after} = this.#cursor;
    const before = this.#seen;
    const highest = this.#highest;
    this.#seen = now;
    this.#highest = now?.lastGeneratedId ?? FIRST_ID;
    if (before === undefined) return;
    // A position ahead of the stream stays.
    const fromStart = compareStreamIds(after, highest) <= 0 ? FIRST_ID : after;
    if (now === undefined) {
      this.#cursor.after = fromStart;
      this.#onChange(`stream "${stream}" is gone; waiting for it to begin anew`);
      return;
    }
    const change = streamChange(before, highest, now);
    if (change === 'anew') {
      this.#cursor.after = fromStart;
      this.#onChange(`stream "${stream}" has begun anew; going on from its beginning`);
    } else if (change === 'shortened' && compareStreamIds(after, now.lastGeneratedId) > 0) {
      this.#cursor.after = now.lastGeneratedId;
      this.#onChange(
        `stream "${stream}" lacks what was read after ${now.lastGeneratedId}, as after a failover; going on from there`,
      );
    }
  }
}
