/**
 * How a producer comes from a lost connection, or a refusal that passes, to a connection on which all that is open is sent again.
 * Invariant: what a server lacks of what was confirmed, as after a failover, is sent before anything else, or the run fails.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isRetryable, StreamlogError} from '../errors.js';
import type {Retries} from '../retry-policy.js';
import type {Adder} from '../stream-client.js';
import {unlessAborted} from '../waiting.js';
import type {ConfirmedRecords} from './confirmed-records.js';
import {failoverLasts, newMasterAway, recordsLost, stoppedConnecting} from './produce-failures.js';
import type {Sender} from './sender.js';

export interface ReconnectionOptions {
  adder: Adder;
  sender: Sender;
  confirmed: ConfirmedRecords;
  retries: Retries;
  /** The run has failed, or is closed. */
  isOver: () => boolean;
  /** Called when something else is in flight or confirmed than before. */
  onChange: () => void;
  onFailure: (error: unknown) => void;
  /** Resolves when it is so, or the run has failed. */
  until: (isSo: () => boolean) => Promise<void>;
}

/** How often the sentinels are asked for the outcome of a failover. */
const FAILOVER_LOOK_MS = 100;

export class Reconnection {
  /** Records that were confirmed, taken back by a failover, and sent again. */
  again = 0;
  /** Confirmed records that were lost, and are not held any more. */
  lost = 0;
  /** Resolves when a loss of confirmed records was reported. */
  lossReported: Promise<void> | undefined;
  /** All is confirmed, and it remains to be seen that the master confirmed it. */
  #isEnding = false;
  readonly #options: ReconnectionOptions;

  constructor(options: ReconnectionOptions) {
    this.#options = options;
  }

  /**
   * Throws as `StreamClient.connect` does; what Redis refuses for now, as while it loads its data, is waited for, and with
   * `mayFailOver` a server that is away.
   */
  async connectFirst({stopping, mayFailOver}: {stopping: AbortSignal; mayFailOver: boolean}): Promise<void> {
    const {adder, confirmed, retries} = this.#options;
    for (;;) {
      try {
        const connected = adder.connect().then(() => true);
        if ((await unlessAborted(connected, stopping)) !== true) throw stoppedConnecting();
        confirmed.startBehind(adder.accumulator.confirmedByServer ?? 0);
        return;
      } catch (error) {
        const passes =
          error instanceof StreamlogError &&
          (error.kind === 'temporary' || (mayFailOver && error.kind === 'unreachable'));
        if (!passes || stopping.aborted || retries.areOver) throw error;
        await retries.pause(error);
      }
    }
  }

  /** Connects again, for as long as that may help. */
  async after(cause: StreamlogError): Promise<void> {
    const {adder, sender, retries, isOver, onChange, onFailure} = this.#options;
    let failure: unknown = cause;
    sender.rewind();
    onChange();
    while (!isOver()) {
      if (!isRetryable(failure)) return onFailure(failure);
      // Only what waits to be added can have waited for too long.
      if ((!sender.isDone || this.#isEnding) && retries.areOver)
        return onFailure(sender.isDone ? newMasterAway(failure) : failure);
      await retries.pause(failure);
      if (isOver()) break;
      try {
        await adder.connect(failure);
        if (isOver()) break;
        this.#addAgain();
        sender.pump();
        return onChange();
      } catch (error) {
        failure = error;
      }
    }
    onChange();
  }

  /**
   * Nothing tells of a failover sooner than its sentinels, and what the old master confirmed meanwhile is lost: so
   * they are asked before success is reported (docs/adr/0008). What they name is connected to as after a lost connection.
   */
  async confirmedByMaster(): Promise<void> {
    const {adder, sender, retries, isOver, onFailure, until} = this.#options;
    this.#isEnding = true;
    while (!isOver()) {
      await until(() => adder.isConnected && sender.isDone);
      const {connections} = adder;
      const standing = await adder.standing();
      if (standing === 'master') return;
      if (standing === 'ended') await until(() => !adder.isConnected || adder.connections > connections);
      else if (retries.areOver) onFailure(failoverLasts());
      else {
        retries.say('a failover is under way; waiting for its outcome');
        await sleep(FAILOVER_LOOK_MS);
      }
    }
  }

  /** What the server lacks of what was confirmed is sent first. Fails where that is not held any more. */
  #addAgain(): void {
    const {adder, sender, confirmed, retries, onFailure} = this.#options;
    const has = adder.accumulator.confirmedByServer;
    if (has === undefined) {
      this.lossReported = confirmed.reportLost();
      return;
    }
    const missing = confirmed.takeMissing(has);
    if (missing === undefined) return;
    const {first, last, batches} = missing;
    if (batches === undefined) {
      this.lost = Math.min(last - has, sender.added);
      onFailure(recordsLost(first, last));
      return;
    }
    for (const {batch} of batches) this.again += batch.reopen(has);
    sender.restore(batches);
    retries.say(
      `the server has not got records ${first} to ${last}, which were confirmed, as after a failover; adding them again`,
    );
  }
}
