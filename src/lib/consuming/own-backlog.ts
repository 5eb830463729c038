/**
 * What is pending with this consumer and not in hand: at the start what an
 * earlier run left, after each new connection what Redis had given us in a reply
 * that was lost. Knows when to look, and which deliveries Redis has counted
 * although nobody saw them. Invariant: nothing is handed out that is in hand, and after
 * each new connection nothing new is read before what it may have cost is found.
 */
import type {StreamRecord} from '../entry.js';
import type {StreamClient} from '../stream-client.js';
import {compareStreamIds} from '../stream-id.js';
import {deliverBacklog, lookAtBacklog, type PendingWorkContext} from './pending-work.js';
import type {PlaceInGroup} from './place-in-group.js';

/** Records that were delivered before, and whether Redis has counted that they are handed out now. */
export interface LeftOver {
  records: StreamRecord[];
  counted: boolean;
}

export class OwnBacklog {
  readonly #place: PlaceInGroup;
  /** Whether handing out what was delivered before counts as one more delivery. */
  readonly #counts: boolean;
  #begun = false;
  /** The connections after which all was looked at. */
  #lookedAt: number | undefined;

  constructor(place: PlaceInGroup, counts: boolean) {
    this.#place = place;
    this.#counts = counts;
  }

  /** What is left over, when it is time to look; `generation` is that of the link that `control` is of. */
  async *take(
    control: StreamClient,
    generation: number,
    context: PendingWorkContext,
  ): AsyncGenerator<LeftOver, void, void> {
    if (generation === this.#lookedAt) return;
    const atStart = !this.#begun;
    this.#begun = true;
    if (atStart && this.#counts) {
      for await (const records of deliverBacklog(control, context)) yield {records, counted: true};
    } else {
      const seenUpTo = atStart ? undefined : this.#place.readUpTo;
      for await (const records of lookAtBacklog(control, context)) yield* this.#sorted(records, seenUpTo);
    }
    this.#lookedAt = generation;
  }

  /** Of what came after `seenUpTo`, in a reply that was lost, the delivery has been counted, although nobody saw it. */
  *#sorted(records: StreamRecord[], seenUpTo: string | undefined): Generator<LeftOver, void, void> {
    const wasLost = ({id}: StreamRecord): boolean => seenUpTo !== undefined && compareStreamIds(id, seenUpTo) > 0;
    const lost = records.filter(wasLost);
    const known = records.filter((record) => !wasLost(record));
    if (known.length > 0) yield {records: known, counted: this.#counts};
    this.#place.advance(lost.at(-1)?.id);
    if (lost.length > 0) yield {records: lost, counted: true};
  }
}
