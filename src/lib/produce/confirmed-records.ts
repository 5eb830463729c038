/**
 * What Redis confirmed in this run, compared with what it has after a lost
 * connection: a failover may take back what the old master confirmed and the new
 * one did not get (docs/adr/0008). Numbered records are held and given back to
 * be added again; the loss of others can only be reported.
 */
import {ConfirmedIds} from '../records/confirmed-ids.js';
import type {StreamClient} from '../stream-client.js';
import {HeldBatches, type HoldLimits} from './held-batches.js';
import type {SentBatch} from './in-flight-window.js';

export interface ConfirmedRecordsOptions {
  stream: string;
  /** What is kept of confirmed records, to be added again where a failover took them back. */
  hold: HoldLimits;
  /** A client of its own that asks what a server has after a lost connection; closed afterwards. */
  inspect: () => Promise<StreamClient>;
  /** One line about what is wrong. */
  onProblem: (line: string) => void;
}

/** What a server lacks: batches to be added again, undefined where they are not held any more. */
interface Missing {
  readonly first: number;
  readonly last: number;
  readonly batches: SentBatch[] | undefined;
}

export class ConfirmedRecords {
  readonly #options: ConfirmedRecordsOptions;
  readonly #held: HeldBatches;
  readonly #ids = new ConfirmedIds();

  constructor(options: ConfirmedRecordsOptions) {
    this.#options = options;
    this.#held = new HeldBatches(options.hold);
  }

  /** The stream had all records up to `number` before this run. */
  startBehind(number: number): void {
    this.#held.startBehind(number);
  }

  /** `count` records up to the ID `lastId` are in the stream. */
  added(lastId: string, count: number): void {
    this.#ids.push(lastId, count);
  }

  /** All of a batch is in the stream. */
  push(sent: SentBatch): void {
    this.#held.push(sent);
  }

  /** What a server lacks that has the records up to number `sequence`; undefined when that is nothing. */
  takeMissing(sequence: number): Missing | undefined {
    const last = this.#held.confirmed;
    return sequence >= last ? undefined : {first: sequence + 1, last, batches: this.#held.takeAfter(sequence)};
  }

  /** Reports records without numbers that the server has not got any more. */
  async reportLost(): Promise<void> {
    const {inspect, stream, onProblem} = this.#options;
    const confirmed = this.#ids.take();
    if (confirmed.length === 0) return;
    let client: StreamClient | undefined;
    try {
      client = await inspect();
      const lost = await this.#ids.findLost(client, stream, confirmed);
      if (lost === undefined) return;
      onProblem(
        `up to ${lost.count} records that were confirmed are lost, as by a failover: the stream has none of the IDs after ` +
          `${lost.after} up to ${lost.upTo}; --exactly-once adds them again`,
      );
    } catch {
      // A user who may only add cannot know.
    } finally {
      client?.close();
    }
  }
}
