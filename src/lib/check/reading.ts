/**
 * Reads what a check is about. Invariant: what is missing, or may not be read, is a failure beside the facts, so that
 * what is known can still be worse.
 */
import {StreamlogError} from '../errors.js';
import {Collector} from '../observe/collector.js';
import type {GroupFacts, SkippedStreams, Snapshot, StreamFacts} from '../observe/snapshot.js';
import {snapshotWithRates} from '../observe/snapshots.js';
import type {StreamClient} from '../stream-client.js';
import {isGroupMetric, isServerMetric, type MetricName, ofMissingStream} from './metrics.js';
import type {CheckedFacts} from './verdict.js';

export interface Question {
  /** Undefined for all that match. */
  streams: readonly string[] | undefined;
  match: string | undefined;
  group: string | undefined;
  metrics: readonly MetricName[];
}

export interface Answer extends CheckedFacts {
  failures: StreamlogError[];
}

/** Between two readings, where a rate is asked for. */
const RATE_MS = 1_000;
/** Pending entries that are looked at for their deliveries, in all. */
const MOST_PENDING = 20_000;
/** Aborted by nothing: the deadline ends the process. */
const NEVER = new AbortController().signal;

export async function readFacts(client: StreamClient, question: Question): Promise<Answer> {
  const {group, metrics} = question;
  const connectMs = metrics.includes('connect') ? await timeToConnect(client) : 0;
  const snapshot = await read(client, question);
  const found = new Map(snapshot.streams.map((facts) => [facts.stream, facts]));
  const failures = [...snapshot.skipped.map(describeSkipped), ...undiscovered(question, snapshot)];
  const streams: {stream: string; facts: StreamFacts | undefined}[] = [];
  for (const stream of namesIn(question, snapshot)) {
    const facts = found.get(stream);
    // It may be one of those that were not looked at.
    if (facts === undefined && failures.length > 0) continue;
    const failure = await missing(client, question, stream, facts);
    if (failure === undefined) streams.push({stream, facts});
    else failures.push(failure);
  }
  if (question.match !== undefined) failures.push(...nothingFound(question, snapshot));
  if (metrics.includes('deliveries')) await countDeliveries(client, streams, group);
  return {server: {...snapshot.server, connectMs}, streams, group, failures};
}

/** A second time, without what is loaded and read for the first. */
async function timeToConnect(client: StreamClient): Promise<number> {
  const startMs = performance.now();
  (await client.another()).close();
  return Math.round(performance.now() - startMs);
}

async function read(client: StreamClient, {metrics, streams, match}: Question): Promise<Snapshot> {
  const named = metrics.every(isServerMetric) ? [] : streams;
  const options = {streams: named, match, everyMs: RATE_MS, maxStreams: Number.POSITIVE_INFINITY};
  if (!metrics.includes('drain')) return new Collector(options).readAll(client);
  return (await snapshotWithRates(client, options, NEVER))!;
}

const namesIn = ({metrics, streams}: Question, snapshot: Snapshot): readonly string[] =>
  metrics.every(isServerMetric) ? [] : (streams ?? snapshot.streams.map(({stream}) => stream));

/** What a named stream lacks; undefined where it has all, and where nothing was named. */
async function missing(
  client: StreamClient,
  {metrics, streams, group}: Question,
  stream: string,
  facts: StreamFacts | undefined,
): Promise<StreamlogError | undefined> {
  if (streams === undefined) return undefined;
  const wantsGroups = metrics.some(isGroupMetric);
  try {
    if (facts === undefined) {
      const isKnown = metrics.every((metric) => isServerMetric(metric) || ofMissingStream(metric) !== undefined);
      // Either fails where the key holds something else.
      await (isKnown ? client.length(stream) : client.info(stream));
    } else if (wantsGroups && facts.groups?.length === 0 && group === undefined) {
      return new StreamlogError('notFound', `stream "${stream}" has no groups`);
    } else if (wantsGroups && group !== undefined && facts.groups?.every((one) => one.group !== group)) {
      await client.group(stream, group);
    }
    return undefined;
  } catch (error) {
    if (error instanceof StreamlogError && error.kind !== 'unreachable' && error.kind !== 'temporary') return error;
    throw error;
  }
}

/** Never OK where a pattern matches nothing. */
function nothingFound({match, metrics, group}: Question, {streams}: Snapshot): StreamlogError[] {
  const needsStreams = !metrics.every(isServerMetric);
  if (needsStreams && streams.length === 0)
    return [new StreamlogError('notFound', `no stream matches "${match}"`, {hint: 'see: streamlog ls'})];
  const isThere = ({groups}: StreamFacts): boolean =>
    groups === null || groups.some((one) => group === undefined || one.group === group);
  if (!metrics.some(isGroupMetric) || streams.some(isThere)) return [];
  return [
    new StreamlogError(
      'notFound',
      `no stream that matches "${match}" has ${group === undefined ? 'a group' : `a group "${group}"`}`,
    ),
  ];
}

const REASONS: Record<SkippedStreams['reason'], string> = {
  limit: 'too many',
  budget: 'not read',
  denied: 'not authorised',
  unanswered: 'their server does not answer',
};

const describeSkipped = ({streams, reason}: SkippedStreams): StreamlogError =>
  new StreamlogError(
    reason === 'denied' ? 'denied' : reason === 'unanswered' ? 'unreachable' : 'incomplete',
    `${streams} ${streams === 1 ? 'stream was' : 'streams were'} not looked at: ${REASONS[reason]}`,
  );

/** What is on a server that does not answer, nobody knows. */
const undiscovered = ({streams, metrics}: Question, {discovered}: Snapshot): StreamlogError[] =>
  discovered || streams !== undefined || metrics.every(isServerMetric)
    ? []
    : [new StreamlogError('unreachable', 'a server of the cluster does not answer, so not all streams are known')];

/** Looks at more pending entries than a snapshot does, where those of a group are not all known. */
async function countDeliveries(client: StreamClient, streams: Answer['streams'], group: string | undefined) {
  let left = MOST_PENDING;
  for (const {stream, facts} of streams) {
    for (const found of facts?.groups ?? []) {
      if (found.maxDeliveriesExact || (group !== undefined && found.group !== group)) continue;
      if (found.pending > left) continue;
      left -= found.pending;
      Object.assign(found, await deliveriesOf(client, stream, found));
    }
  }
}

async function deliveriesOf(
  client: StreamClient,
  stream: string,
  {group}: GroupFacts,
): Promise<Pick<GroupFacts, 'maxDeliveries' | 'maxDeliveriesExact'>> {
  let most = 0;
  for await (const page of client.pending(stream, group))
    for (const {deliveries} of page) most = Math.max(most, Number(deliveries));
  return {maxDeliveries: most, maxDeliveriesExact: true};
}
