/**
 * The streams of a server, for `ls`. Invariants: what cannot be read is counted, never left out in silence, and ends nothing;
 * what is read does not grow with the size of entries.
 */
import {isFailure, StreamlogError} from '../errors.js';
import {ageMs, aheadMs} from '../records/entry-time.js';
import type {BriefInfo, StreamClient} from '../stream-client.js';

export interface StreamSummary {
  name: string;
  length: number;
  groups: number;
  /** Null for an empty stream; absent where its entries are too large to be read for a list. */
  lastId?: string | null | undefined;
  /** Since the last entry that is still there; as `lastId`. */
  lastAgeMs?: number | null | undefined;
  /** Only where the ID of the last entry is ahead of the clock: by how much. */
  lastAheadMs?: number | undefined;
}

/** What a list leaves out. */
export class Omissions {
  /** Streams that the user may not look at. */
  denied = 0;
  /** Streams whose last ID is left out. */
  large = 0;
  /** Streams that could not be asked for just now. */
  unanswered = 0;
  /** Masters of a cluster that could not be asked for their streams. */
  lostMasters = 0;
  #firstFailure: StreamlogError | undefined;

  /** Keeps why something could not be asked. */
  failed(error: StreamlogError): void {
    if (error.kind !== 'denied') this.#firstFailure ??= error;
  }

  get isEmpty(): boolean {
    return this.denied + this.unanswered + this.lostMasters === 0;
  }

  /** The failure of a list that is not whole, though running again may help; undefined otherwise. */
  get failure(): StreamlogError | undefined {
    if (this.#firstFailure === undefined) return undefined;
    const {message, code} = this.#firstFailure;
    const {lostMasters, unanswered} = this;
    const parts = [
      ...(lostMasters > 0 ? [`${lostMasters} master${lostMasters === 1 ? '' : 's'} of the cluster`] : []),
      ...(unanswered > 0 ? [`${unanswered} stream${unanswered === 1 ? '' : 's'}`] : []),
    ];
    return new StreamlogError(
      'temporary',
      `the list is incomplete, ${parts.join(' and ')} did not answer: ${message}`,
      {
        code,
        hint: 'run again when the cluster is healthy; see: redis-cli CLUSTER NODES',
      },
    );
  }
}

/**
 * SCAN and XINFO: all streams whose names match the glob `match`, page by page
 * in no order. While keys move in Redis a name may come twice, as SCAN has it.
 */
export async function* listStreams(
  client: StreamClient,
  {match, now, omissions = new Omissions()}: {match?: string; now: () => number; omissions?: Omissions},
): AsyncGenerator<StreamSummary[], void, void> {
  const onLost = (error: StreamlogError): void => {
    omissions.lostMasters++;
    omissions.failed(error);
  };
  const infoOf = briefInfo(client);
  const summarise = async (name: string): Promise<StreamSummary | undefined> => {
    try {
      return summaryOf(name, await infoOf(name), now(), omissions);
    } catch (error) {
      omit(error, client.server.isCluster, omissions);
      return undefined;
    }
  };
  for await (const names of client.server.streams(match, onLost)) {
    // One before the others: it may show that the script has to be sent, or may not be run.
    const [first, ...others] = names;
    const page = [await summarise(first!), ...(await Promise.all(others.map(summarise)))];
    yield page.filter((summary) => summary !== undefined);
  }
}

/** By script, which reads no entry, and where the user may not run one by XINFO STREAM. */
function briefInfo(client: StreamClient): (stream: string) => Promise<BriefInfo> {
  let mayRunScripts = true;
  return async (stream) => {
    if (!mayRunScripts) return client.info(stream);
    try {
      return await client.scripts.briefInfo(stream);
    } catch (error) {
      if (!isFailure(error, 'denied') && !isFailure(error, 'configuration')) throw error;
      const info = await client.info(stream);
      // The stream may be looked at, so it was the script that was refused.
      mayRunScripts = false;
      return info;
    }
  };
}

function summaryOf(
  name: string,
  {length, groups, lastEntry}: BriefInfo,
  nowMs: number,
  omissions: Omissions,
): StreamSummary {
  if (length === 0) return {name, length, groups, lastId: null, lastAgeMs: null};
  if (lastEntry === undefined) {
    omissions.large++;
    return {name, length, groups};
  }
  const {id} = lastEntry;
  return {name, length, groups, lastId: id, lastAgeMs: ageMs(id, nowMs), lastAheadMs: aheadMs(id, nowMs)};
}

/** Counts a stream that cannot be looked at, unless it has gone since SCAN saw it, or its name is another type's now. */
function omit(error: unknown, inCluster: boolean, omissions: Omissions): void {
  if (isFailure(error, 'notFound') || (isFailure(error, 'data') && error.code === 'WRONGTYPE')) return;
  if (isFailure(error, 'denied')) omissions.denied++;
  else if (isFailure(error, 'temporary') || (isFailure(error, 'unreachable') && inCluster)) omissions.unanswered++;
  else throw error;
  omissions.failed(error);
}
