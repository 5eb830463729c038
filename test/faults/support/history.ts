/**
 * The history of one run: what was attempted, confirmed, handed over, finished
 * and acknowledged, and what the server has in the end. `judge` holds the two
 * against each other. Pure; knows no server, no process and no clock.
 * Invariant: every attempt has a value of its own, so what comes twice was done twice.
 */
import {judgeConsuming} from './judge-consuming.js';
import {judgeProducing} from './judge-producing.js';
import type {Verdict} from './verdict.js';

/** One thing that was seen; `id` is the entry's in the stream. */
export type HistoryEvent =
  /** Producer `by` is about to add `value`, after all that it attempted before. */
  | {what: 'attempted'; value: string; by: string}
  /** Its producer was told the ID of `value`. */
  | {what: 'confirmed'; value: string; id: string}
  /** Consumer `by` printed the entry or started a handler with it; `deliveries` is the count that it gave. */
  | {what: 'delivered'; id: string; value: string; by: string; deliveries?: number}
  /** The handler ended with 0, or the line is written. */
  | {what: 'succeeded'; id: string}
  /** The handler ended otherwise, so that the entry has to come again. */
  | {what: 'failed'; id: string}
  /** By now the server has it acknowledged: `acknowledgedIn` an ending that was collected half-way. */
  | {what: 'acknowledged'; id: string}
  /** Its dead letter was put back into the stream, where it is another entry. */
  | {what: 'redriven'; id: string};

/** What a server holds, as `collect` reads it. */
export interface Ending {
  readonly stream: readonly {readonly id: string; readonly value: string}[];
  /** Absent where nobody consumes. */
  readonly group?: GroupEnding;
  /** Dead letters, with the ID that the entry had in the stream. */
  readonly dead: readonly {readonly id: string; readonly value: string}[];
}

export interface GroupEnding {
  readonly lastDeliveredId: string;
  readonly pending: readonly {readonly id: string; readonly consumer: string; readonly deliveries: number}[];
  /** Where the group began: entries up to this one are not for it. `0-0` when absent. */
  readonly beganAfter?: string;
}

/** The verdict on a run whose `events` are in the order in which they happened. */
export const judge = (events: readonly HistoryEvent[], ending: Ending): Verdict => ({
  ...judgeProducing(events, ending),
  ...judgeConsuming(events, ending),
});

/** The events of one kind, in their order. */
export const eventsOf = <What extends HistoryEvent['what']>(
  events: readonly HistoryEvent[],
  what: What,
): Extract<HistoryEvent, {what: What}>[] =>
  events.filter((event): event is Extract<HistoryEvent, {what: What}> => event.what === what);
