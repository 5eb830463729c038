/**
 * Streams from some position on, and then whatever is added: what `tail`
 * prints. Joins no group. Invariant: where to go on is always the last ID that
 * was handed over, never "the end as it is now", so nothing falls into the gap
 * between two reads (XREAD with `$` in a loop has that gap).
 */

import {isFailure} from '../errors.js';
import type {StreamRecord} from '../records/entry.js';
import type {Position} from '../records/position.js';
import {FIRST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import {inOrder} from './in-order.js';
import {lastIdOf, locate} from './locate.js';
import {merge} from './merge.js';
import {PageSize} from './page-size.js';
import {untilStopped} from './until-stopped.js';

export interface FollowOptions {
  streams: readonly string[];
  from: Position;
  /** False ends with the newest entry of the time of asking. */
  follow: boolean;
  stopping: AbortSignal;
  /** Told of a stream that does not exist yet. Without `follow` it is a failure instead. */
  onMissing: (stream: string) => void;
  /** Called each time a second went by without anything new. */
  onIdle: () => void;
}

/** How far a stream has been read. */
export interface Cursor {
  readonly stream: string;
  /** What was handed over, or is to be passed over, ends here. */
  after: string;
}

interface StartedCursor extends Cursor {
  /** The newest entry when the stream was looked at. */
  readonly newest: string;
}

type Batches = AsyncGenerator<StreamRecord[], void, void>;

/** How long a read waits: often enough to notice that nobody reads our output any more. */
export const BLOCK_MS = 1_000;
/** Entries a read at most. */
const PAGE = 1_000;

/**
 * What is there, in the order of its time, then what comes, as it comes, until
 * `stopping`. Throws `notFound` for a missing stream without `follow`,
 * `unreachable` when the connection is lost.
 */
export function followStreams(client: StreamClient, options: FollowOptions): Batches {
  return untilStopped(presentAndComing(client, options), client, options.stopping);
}

async function* presentAndComing(client: StreamClient, options: FollowOptions): Batches {
  const {streams, follow} = options;
  const cursors: StartedCursor[] = [];
  for (const stream of new Set(streams)) cursors.push(await cursorAt(client, stream, options));
  yield* inOrder(cursors.map((cursor) => present(client, cursor)));
  if (follow) yield* coming(client, cursors, options);
}

async function cursorAt(client: StreamClient, stream: string, options: FollowOptions): Promise<StartedCursor> {
  const {from, follow, onMissing} = options;
  const after = predecessorOf(await locate(client, stream, from)) ?? FIRST_ID;
  try {
    return {stream, after, newest: await lastIdOf(client, stream)};
  } catch (error) {
    if (!follow || !isFailure(error, 'notFound')) throw error;
    onMissing(stream);
    return {stream, after, newest: FIRST_ID};
  }
}

/** XRANGE up to what was the newest entry. */
async function* present(client: StreamClient, cursor: StartedCursor): Batches {
  const {stream, newest} = cursor;
  const start = successorOf(cursor.after);
  if (start === undefined) return;
  for await (const entries of client.range(stream, start, newest)) {
    cursor.after = entries.at(-1)!.id;
    yield entries.map((entry) => ({stream, ...entry}));
  }
}

/** XREAD BLOCK, on a connection for each stream, so that they may live on different nodes of a cluster. */
async function* coming(client: StreamClient, cursors: readonly Cursor[], options: FollowOptions): Batches {
  const {stopping} = options;
  const readers = await Promise.all(cursors.map(() => client.another(BLOCK_MS)));
  const close = (): void => {
    for (const reader of readers) reader.close();
  };
  stopping.addEventListener('abort', close, {once: true});
  try {
    yield* merge(cursors.map((cursor, index) => entriesBehind(readers[index]!, cursor, options)));
  } finally {
    stopping.removeEventListener('abort', close);
    close();
  }
}

/**
 * XREAD BLOCK, again and again: what is behind `cursor`, and what comes, page by
 * page, until `stopping`. Moves the cursor before it hands over. `onIdle` is
 * called when BLOCK_MS went by without anything new; `reader` must allow for that.
 */
export async function* entriesBehind(
  reader: StreamClient,
  cursor: Cursor,
  {stopping, onIdle = () => {}}: {stopping: AbortSignal; onIdle?: () => void},
  size = new PageSize(PAGE),
): Batches {
  const {stream} = cursor;
  while (!stopping.aborted) {
    const entries = await reader.read(stream, cursor.after, {count: size.count, blockMs: BLOCK_MS});
    size.adapt(entries);
    if (entries.length === 0) {
      onIdle();
      continue;
    }
    cursor.after = entries.at(-1)!.id;
    yield entries.map((entry) => ({stream, ...entry}));
  }
}
