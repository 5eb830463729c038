/**
 * The streams of a server, for `ls`. The names of the members are those of the
 * JSON output and therefore a contract. Invariants: what cannot be looked at is
 * counted, never left out in silence, and ends nothing; and what is read does not
 * grow with the size of entries, since none is read for a list.
 */

import {isFailure, StreamlogError} from '../errors.js';
import {ageMs, aheadMs} from '../records/entry-time.js';
import type {StreamClient} from '../stream-client.js';

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
    return new StreamlogError('temporary', `the list is not whole, ${parts.join(' and ')} did not answer: ${message}`, {
      code,
      hint: 'run again when the cluster is whole; see: redis-cli CLUSTER NODES',
    });
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
  for await (const names of client.streams(match, onLost)) {
    // One before the others: it may show that the script has to be sent, or may not be run.
    const [first, ...others] = names;
    const page = [await summarise(client, first!, now(), omissions)];
    page.push(...(await Promise.all(others.map((name) => summarise(client, name, now(), omissions)))));
    yield page.filter((summary) => summary !== undefined);
  }
}

/** Undefined when the stream cannot be looked at, has gone since SCAN saw it, or something else has taken its name. */
async function summarise(
  client: StreamClient,
  name: string,
  nowMs: number,
  omissions: Omissions,
): Promise<StreamSummary | undefined> {
  try {
    const {length, groups, lastEntry} = await client.info(name, {brief: true});
    if (length === 0) return {name, length, groups, lastId: null, lastAgeMs: null};
    if (lastEntry === undefined) {
      omissions.large++;
      return {name, length, groups};
    }
    const {id} = lastEntry;
    return {name, length, groups, lastId: id, lastAgeMs: ageMs(id, nowMs), lastAheadMs: aheadMs(id, nowMs)};
  } catch (error) {
    if (isFailure(error, 'notFound') || (isFailure(error, 'data') && error.code === 'WRONGTYPE')) return undefined;
    if (isFailure(error, 'denied')) omissions.denied++;
    else if (isFailure(error, 'temporary') || (isFailure(error, 'unreachable') && client.inCluster))
      omissions.unanswered++;
    else throw error;
    omissions.failed(error);
    return undefined;
  }
}
