/** Snapshots of a server, one after the other, on a connection that is replaced when it is lost. Invariant: an abort ends them at once, whatever Redis does. */
import {setTimeout as sleep} from 'node:timers/promises';
import {untilStopped} from '../reading/until-stopped.js';
import {ReconnectingClient, type ReconnectingOptions} from '../reconnecting-client.js';
import type {StreamClient} from '../stream-client.js';
import {Collector, type CollectorOptions} from './collector.js';
import type {Snapshot} from './snapshot.js';

export type SnapshotOptions = CollectorOptions & Omit<ReconnectingOptions, 'mayFailOver' | 'blockMs'>;

/** One each `everyMs`, until `stopping`. Throws `unreachable` when the time for retries is up. */
export async function* snapshots(options: SnapshotOptions): AsyncGenerator<Snapshot, void, void> {
  const {everyMs, stopping} = options;
  const collector = new Collector(options);
  const redis = new ReconnectingClient({...options, mayFailOver: true});
  const readings = redis.repeat(async (client) => {
    const snapshot = await collector.read(client);
    // A lost node of a cluster is found again by a new connection.
    if (collector.lostNode !== undefined) redis.invalidate(collector.lostNode, redis.current);
    return snapshot;
  }, everyMs);
  try {
    yield* untilStopped(readings, redis, stopping);
  } finally {
    redis.close();
  }
}

/** Two readings of everything, `everyMs` apart: the second one has rates. Undefined after `stopping`. */
export async function twoSnapshots(
  client: StreamClient,
  options: CollectorOptions,
  stopping: AbortSignal,
): Promise<readonly [Snapshot, Snapshot] | undefined> {
  const collector = new Collector(options);
  const first = await collector.readAll(client);
  await sleep(options.everyMs, undefined, {signal: stopping}).catch(() => {});
  return stopping.aborted ? undefined : [first, await collector.readAll(client)];
}

/** The second of them. */
export const snapshotWithRates = async (
  client: StreamClient,
  options: CollectorOptions,
  stopping: AbortSignal,
): Promise<Snapshot | undefined> => (await twoSnapshots(client, options, stopping))?.[1];
