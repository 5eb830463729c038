/**
 * Whether a stream that is followed is still the one that was read, on each new connection and while it brings nothing; and
 * where to go on when it is not. Invariant: a position ahead of the stream stays.
 */
import {isFailure} from '../errors.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {findInfo} from './locate.js';
import {streamChange} from './stream-change.js';

/** How far a stream has been read. */
export interface Cursor {
  readonly stream: string;
  /** The last ID that was handed over, or is to be passed over. */
  after: string;
  /** What the stream was when reading began; undefined where it was missing, or the user may not ask. */
  readonly seen?: StreamInfo | undefined;
}

/** How often a stream that brings nothing is checked for whether it is still the same. */
const CHECK_MS = 5_000;

export class ChangeCheck {
  readonly #cursor: Cursor;
  readonly #onChange: (line: string) => void;
  /** What the stream was at the last check; undefined while it was missing. */
  #seen: StreamInfo | undefined;
  /** The highest ID that the stream is known to have generated. */
  #highest: string;
  #checkedOn: StreamClient | undefined;
  #checkedAtMs = 0;
  #mayCheck = true;

  constructor(cursor: Cursor, onChange: (line: string) => void) {
    this.#cursor = cursor;
    this.#onChange = onChange;
    this.#seen = cursor.seen;
    this.#highest = cursor.seen?.lastGeneratedId ?? FIRST_ID;
  }

  /** Before a read on `client`: moves the cursor where the stream is another one. */
  async before(client: StreamClient): Promise<void> {
    if (!this.#mayCheck || this.#checkedOn === client) return;
    try {
      this.#take(await findInfo(client, this.#cursor.stream));
      this.#checkedOn = client;
      this.#checkedAtMs = performance.now();
    } catch (error) {
      if (!isFailure(error, 'denied')) throw error;
      this.#mayCheck = false;
    }
  }

  read(upTo: string): void {
    this.#highest = upTo;
  }

  /** A read has brought nothing: the next one is preceded by a check, when that is due. */
  idle(): void {
    if (performance.now() - this.#checkedAtMs >= CHECK_MS) this.#checkedOn = undefined;
  }

  #take(now: StreamInfo | undefined): void {
    const {stream, after} = this.#cursor;
    const before = this.#seen;
    const highest = this.#highest;
    this.#seen = now;
    this.#highest = now?.lastGeneratedId ?? FIRST_ID;
    if (before === undefined) return;
    // A position ahead of the stream stays.
    const fromStart = compareStreamIds(after, highest) <= 0 ? FIRST_ID : after;
    if (now === undefined) {
      this.#cursor.after = fromStart;
      this.#onChange(`stream "${stream}" is gone; waiting for it to begin anew`);
      return;
    }
    const change = streamChange(before, highest, now);
    if (change === 'anew') {
      this.#cursor.after = fromStart;
      this.#onChange(`stream "${stream}" has begun anew; going on from its beginning`);
    } else if (change === 'shortened' && compareStreamIds(after, now.lastGeneratedId) > 0) {
      this.#cursor.after = now.lastGeneratedId;
      this.#onChange(
        `stream "${stream}" lacks what was read after ${now.lastGeneratedId}, as after a failover; going on from there`,
      );
    }
  }
}
