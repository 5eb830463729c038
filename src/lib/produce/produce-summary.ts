/** What is said at the end of a run of `produce`: in numbers, and what they may hide. */

import {withCommas} from '../number-text.js';
import {counted, took} from '../output/sentences.js';
import type {RecordCounts} from './produce-records.js';

/** For people and scripts: `read 5, added 4, rejected 0, unconfirmed 0, bad lines 1`. */
export const describeCounts = ({read, added, already, rejected, unconfirmed, bad}: RecordCounts): string =>
  [
    `read ${read}`,
    `added ${added}`,
    ...(already > 0 ? [`already there ${already}`] : []),
    `rejected ${rejected}`,
    `unconfirmed ${unconfirmed}`,
    ...(bad > 0 ? [`bad lines ${bad}`] : []),
  ].join(', ');

/** For people: `added 3 entries to events in 0.1 s; 1 bad line skipped`. */
export const describeAdded = ({added, already, rejected, bad}: RecordCounts, stream: string, ms: number): string =>
  [
    `added ${counted(added, 'entry')} to ${stream} ${took(ms)}`,
    ...(already > 0 ? [`${withCommas(already)} were there already`] : []),
    ...(rejected > 0 ? [`${withCommas(rejected)} rejected`] : []),
    ...(bad > 0 ? [`${counted(bad, 'bad line')} skipped`] : []),
  ].join('; ');

/** What to do about records that may be in the stream or not; `again` is what a later run knows of this one. */
export const unconfirmedHint = (again: {exactlyOnce: boolean; resume: boolean; producerId: boolean}): string => {
  if (again.exactlyOnce && (again.resume || again.producerId)) return 'run the same again: it adds what is missing';
  if (again.resume) return 'run the same again: it goes on there; those that arrived are then added a second time';
  return 'they may be in the stream or not; to run again adds them, and those that arrived a second time';
};

/** What a lost connection or a refusal has done to the stream that the counts do not show; a line each. */
export function describeUncertain({
  maybeTwice,
  late,
  again,
}: {
  maybeTwice: number;
  late: number;
  again: number;
}): string[] {
  const lines: string[] = [];
  if (again > 0)
    lines.push(
      `${again} records were added again, as a failover had taken them back; their IDs are not those that were printed`,
    );
  if (maybeTwice > 0)
    lines.push(
      `up to ${maybeTwice} records may be in the stream twice: the connection was lost before they were confirmed; --exactly-once avoids it`,
    );
  if (late > 0)
    lines.push(
      `${late} records are behind later ones, as Redis refused them for a while; --exactly-once keeps the order`,
    );
  return lines;
}
