/**
 * Summaries of dead letter streams, for `dlq list`. Invariant: the causes and `otherCauses` add up to the entries, in memory
 * that does not grow with them.
 */
import type {RecordFilter} from '../filter/record-filter.js';
import {Search} from '../filter/search.js';
import type {Between} from '../reading/stream-range.js';
import {millisecondsOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import {DEAD_LETTER_PATTERN, deadLetterOrigin} from './dead-letter-origin.js';
import {deadLettersBetween} from './selection.js';

/** Entries that died of the same; null is what they do not say. */
export interface Cause {
  stream: string | null;
  group: string | null;
  reason: string | null;
  count: number;
}

export interface DeadLetterSummary {
  deadLetter: string;
  entries: number;
  oldestId: string | null;
  newestId: string | null;
  /** Since the first and the last of these deaths. */
  oldestAgeMs: number | null;
  newestAgeMs: number | null;
  /** The most frequent ones first. */
  causes: Cause[];
  /** Entries of causes beyond the first hundred. */
  otherCauses: number;
}

/** Reasons are texts that others chose, so there may be one for each entry. */
const MAX_CAUSES = 100;

/** SCAN: the names of the default dead letter streams, each once. */
export async function* deadLetterNames(client: StreamClient): AsyncGenerator<string, void, void> {
  const seen = new Set<string>();
  for await (const page of client.server.streams(DEAD_LETTER_PATTERN)) {
    for (const name of page) {
      if (seen.has(name)) continue;
      seen.add(name);
      yield name;
    }
  }
}

/** Which entries count. */
export type Selected = Between & {filter: RecordFilter | undefined};

/** One after the other, as they are read. */
export async function* listDeadLetters(
  client: StreamClient,
  names: AsyncIterable<string> | Iterable<string>,
  options: Selected & {now: () => number},
): AsyncGenerator<DeadLetterSummary, void, void> {
  for await (const name of names) yield await summariseDeadLetters(client, name, options, options.now());
}

/** XRANGE of `deadLetter`. Without entries when there is no such stream. */
async function summariseDeadLetters(
  client: StreamClient,
  deadLetter: string,
  {filter, since, until}: Selected,
  nowMs: number,
): Promise<DeadLetterSummary> {
  const causes = new Map<string, Cause>();
  let [entries, otherCauses] = [0, 0];
  let oldestId: string | null = null;
  let newestId: string | null = null;
  const search = new Search({filter});
  for await (const page of search.of(deadLettersBetween(client, deadLetter, {since, until}))) {
    entries += page.length;
    oldestId ??= page[0]!.id;
    newestId = page.at(-1)!.id;
    for (const {fields} of page) if (!count(causes, deadLetterOrigin(fields))) otherCauses++;
  }
  return {
    deadLetter,
    entries,
    oldestId,
    newestId,
    oldestAgeMs: oldestId === null ? null : Math.max(0, nowMs - millisecondsOf(oldestId)),
    newestAgeMs: newestId === null ? null : Math.max(0, nowMs - millisecondsOf(newestId)),
    causes: [...causes.values()].sort((a, b) => b.count - a.count),
    otherCauses,
  };
}

/** False when it is one cause too many. */
function count(
  causes: Map<string, Cause>,
  {stream = null, group = null, reason = null}: {[Key in 'stream' | 'group' | 'reason']: string | null | undefined},
): boolean {
  const key = JSON.stringify([stream, group, reason]);
  const cause = causes.get(key) ?? {stream, group, reason, count: 0};
  if (cause.count === 0 && causes.size >= MAX_CAUSES) return false;
  cause.count++;
  causes.set(key, cause);
  return true;
}
