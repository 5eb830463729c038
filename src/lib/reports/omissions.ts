/** What a list of streams or groups leaves out. Invariant: what cannot be read is counted, never left out in silence. */
import {isFailure, StreamlogError} from '../errors.js';

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

  /** Counts a master of a cluster that did not answer. */
  lost(error: StreamlogError): void {
    this.lostMasters++;
    this.#firstFailure ??= error;
  }

  /**
   * Counts a stream that cannot be looked at, unless it has gone since SCAN saw it, or its name is another type's now.
   * Throws what ends the list: a connection that was lost, except in a cluster, where other nodes may answer.
   */
  omit(error: unknown, inCluster: boolean): void {
    if (isFailure(error, 'notFound') || (isFailure(error, 'data') && error.code === 'WRONGTYPE')) return;
    if (isFailure(error, 'denied')) {
      this.denied++;
      return;
    }
    if (!isFailure(error, 'temporary') && !(isFailure(error, 'unreachable') && inCluster)) throw error;
    this.unanswered++;
    this.#firstFailure ??= error;
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
