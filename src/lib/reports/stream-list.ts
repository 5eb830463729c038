/**
 * The streams of a server, for `ls`. The names of the
 * members are those of the JSON output and therefore a contract.
 */
import {ageMs, aheadMs} from '../entry-time.js';
import {isFailure} from '../errors.js';
import type {StreamClient} from '../stream-client.js';

export interface StreamSummary {
  name: string;
  length: number;
  groups: number;
  lastId: string | null;
  /** Since the last entry that is still there; null for an empty stream. */
  lastAgeMs: number | null;
  /** Only where the ID of the last entry is ahead of the clock: by how much. */
  lastAheadMs?: number | undefined;
}

/**
 * SCAN and XINFO: all streams whose names match the glob `match`, page by page
 * in no order. While keys move in Redis a name may come twice, as SCAN has it.
 */
export async function* listStreams(
  client: StreamClient,
  {match, now}: {match?: string; now: () => number},
): AsyncGenerator<StreamSummary[], void, void> {
  for await (const names of client.streams(match)) {
    const page = await Promise.all(names.map((name) => summarise(client, name, now())));
    yield page.filter((summary) => summary !== undefined);
  }
}

/** Undefined when the stream has gone since SCAN saw it, or something else has taken its name. */
async function summarise(client: StreamClient, name: string, nowMs: number): Promise<StreamSummary | undefined> {
  try {
    const {length, groups, lastEntry} = await client.info(name);
    if (lastEntry === undefined) return {name, length, groups, lastId: null, lastAgeMs: null};
    const {id} = lastEntry;
    return {name, length, groups, lastId: id, lastAgeMs: ageMs(id, nowMs), lastAheadMs: aheadMs(id, nowMs)};
  } catch (error) {
    if (isFailure(error, 'notFound') || (isFailure(error, 'data') && error.code === 'WRONGTYPE')) return undefined;
    throw error;
  }
}
