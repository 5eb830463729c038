/**
 * Streams from some position on, and then whatever is added: what `tail` prints
 * and `serve` sends as events. Joins no group. Invariant: reading goes on behind
 * the last ID that was handed over, never at "the end as it is now": XREAD with
 * `$` in a loop loses what is added between two reads.
 */

import {isFailure, unlessDenied} from '../errors.js';
import type {Search} from '../filter/search.js';
import {ReconnectingClient, type RunOn} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import type {Position} from '../records/position.js';
import {FIRST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import {ChangeCheck, type Cursor} from './change-check.js';
import {inOrder} from './in-order.js';
import {lastMatches} from './last-matches.js';
import {locate, newestId} from './locate.js';
import {merge} from './merge.js';
import {PageSize} from './page-size.js';
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

interface StartedCursor extends Cursor {
  /** The newest entry when reading began. */
  readonly newest: string;
}

interface Followed {
  readonly stream: string;
  readonly redis: ReconnectingClient;
  readonly run: RunOn;
}

type Batches = AsyncGenerator<StreamRecord[], void, void>;

/** How long a read waits: often enough to notice that standard output was closed. */
export const BLOCK_MS = 1_000;
/** Entries per read, at most. */
const PAGE = 1_000;

/**
 * What is there, in the order of its time, then what comes, as it comes, until `stopping`. `client` serves the first
 * part without `follow`; else each stream has a connection of its own, so that streams may live on different nodes of
 * a cluster. Throws `notFound` for a missing stream without `follow`, `unreachable` when the time for retries is up.
 */
export async function* followStreams(client: StreamClient, options: FollowOptions): Batches {
  const {follow, retryForMs, stopping, onProblem} = options;
  const streams = [...new Set(options.streams)];
  if (!follow) {
    const run: RunOn = (work) => work(client);
    const once = presentOf(
      streams.map((stream) => ({stream, run})),
      options,
    );
    return yield* untilStopped(once, client, stopping);
  }
  const connect = (): Promise<StreamClient> => client.another(BLOCK_MS);
  const followed = streams.map((stream) => {
    const redis = new ReconnectingClient({connect, mayFailOver: true, retryForMs, stopping, onProblem});
    return {stream, redis, run: redis.runCommands};
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
  sources: readonly {stream: string; run: RunOn}[],
  options: FollowOptions,
): AsyncGenerator<StreamRecord[], Cursor[], void> {
  const cursors = await Promise.all(sources.map(({run, stream}) => cursorAt(run, stream, options)));
  yield* inOrder(cursors.map((cursor, index) => present(sources[index]!.run, cursor)));
  return cursors;
}

async function cursorAt(
  run: RunOn,
  stream: string,
  {from, lastOf, follow, onMissing}: FollowOptions,
): Promise<StartedCursor> {
  const start = await run((client) =>
    from.kind === 'last' && lastOf !== undefined ? lastMatches(client, stream, lastOf()) : locate(client, stream, from),
  );
  const after = predecessorOf(start) ?? FIRST_ID;
  try {
    const seen = await run((client) => unlessDenied(client.info(stream)));
    const newest = seen?.lastGeneratedId ?? (await run((client) => newestId(client, stream)));
    return {stream, after, newest, seen};
  } catch (error) {
    if (!follow || !isFailure(error, 'notFound')) throw error;
    onMissing(stream);
    return {stream, after, newest: FIRST_ID};
  }
}

/** XRANGE up to what was the newest entry. */
async function* present(run: RunOn, cursor: StartedCursor): Batches {
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
