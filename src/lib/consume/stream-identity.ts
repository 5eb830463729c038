/**
 * Whether a stream is still the one that was read, or one that began anew under
 * its name: after DEL or FLUSHALL it may have been filled again past where we
 * had got to before anyone looked, and then its last ID tells nothing. What a
 * stream cannot lose tells: XINFO STREAM's entries-added only grows, its first
 * entry only moves up, and stays where nothing was ever removed; and an entry
 * never changes, so the one that came last is compared.
 *
 * Invariant: a stream is called another one only when what was seen of it cannot
 * be of the same. Where nothing can be seen it is taken for the same.
 */

import {isFailure} from '../errors.js';
import {sameBytes} from '../records/bytes.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';

export class StreamIdentity {
  readonly #stream: string;
  #seen: StreamInfo | 'absent' | undefined;
  #highest = FIRST_ID;
  /** Entries that we were given first of all, and that had not been there yet when we looked. */
  #addedSince = 0;
  #last: StreamRecord | undefined;

  constructor(stream: string) {
    this.#stream = stream;
  }

  /** XINFO STREAM; what may not be asked or is not there is left out. */
  async remember(control: StreamClient): Promise<void> {
    this.#seen = await this.#look(control);
    this.#addedSince = 0;
  }

  /** Takes note of new entries, in ascending order. */
  read(records: readonly StreamRecord[]): void {
    const [first] = records;
    if (first === undefined) return;
    this.#last = records.at(-1);
    const known = this.#seen === undefined || this.#seen === 'absent' ? FIRST_ID : this.#seen.lastGeneratedId;
    // What a group was moved back to comes again, and was added once.
    if (compareStreamIds(first.id, known) > 0 && compareStreamIds(first.id, this.#highest) > 0)
      this.#addedSince += records.length;
    if (compareStreamIds(this.#last!.id, this.#highest) > 0) this.#highest = this.#last!.id;
  }

  /** Whether what stands under the name now is another stream than the one that was read up to `readUpTo`. */
  async hasBegunAnew(control: StreamClient, readUpTo: string): Promise<boolean> {
    const now = await this.#look(control);
    if (now === undefined) return false;
    if (now === 'absent' || compareStreamIds(now.lastGeneratedId, readUpTo) < 0) return true;
    const {entriesAdded, length} = now;
    const before = this.#seen === 'absent' ? undefined : this.#seen;
    if (entriesAdded !== undefined && before?.entriesAdded !== undefined) {
      if (entriesAdded < before.entriesAdded + this.#addedSince) return true;
      // Nothing was ever removed from it, so it begins where it always began.
      const firstBefore = before.firstEntry?.id;
      if (entriesAdded === length && firstBefore !== undefined && now.firstEntry?.id !== firstBefore) return true;
      if (entriesAdded === length && before.entriesAdded > before.length) return true;
    }
    return this.#lastHasChanged(control, entriesAdded !== undefined && entriesAdded === length);
  }

  /** `isWhole` says that nothing was ever removed from the stream of now. */
  async #lastHasChanged(control: StreamClient, isWhole: boolean): Promise<boolean> {
    const last = this.#last;
    if (last === undefined) return false;
    for await (const [entry] of control.range(this.#stream, last.id, last.id, 1)) {
      if (entry === undefined) continue;
      if (entry.fields.length !== last.fields.length) return true;
      return !entry.fields.every(([name, value], at) => {
        const [nameBefore, valueBefore] = last.fields[at]!;
        return sameBytes(name, nameBefore) && sameBytes(value, valueBefore);
      });
    }
    return isWhole;
  }

  /** Undefined for one who may not ask. */
  async #look(control: StreamClient): Promise<StreamInfo | 'absent' | undefined> {
    try {
      return await control.info(this.#stream);
    } catch (error) {
      if (isFailure(error, 'notFound')) return 'absent';
      if (isFailure(error, 'denied')) return undefined;
      throw error;
    }
  }
}
