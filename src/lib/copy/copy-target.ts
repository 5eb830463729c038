/** Where a copy goes: what there is to know of it, whichever way it keeps how far it is. */
import type {StreamRecord} from '../records/entry.js';
import type {StreamInfo} from '../stream-client.js';
import type {CopyNames, CopyWords} from './copy-failures.js';

export interface CopyTarget {
  readonly names: CopyNames;
  readonly words: CopyWords;
  /** The ID of the source up to which everything is copied, as far as is confirmed. */
  readonly confirmed: string;
  /** Where its entries have the IDs of the source, and can be compared. */
  readonly keepsIds: boolean;
  /** Up to which entry of the source it is a copy, as it says itself. Reports that it has gone back. */
  look(): Promise<string>;
  /** It is a copy as far as the last look said. */
  begin(): void;
  /**
   * Adds entries that follow each other. False where it is not known whether all of them are there, after a pause: where it
   * stands has to be looked at again. Throws `data` where it cannot take one of them.
   */
  add(records: readonly StreamRecord[]): Promise<boolean>;
  /** False where it is not what it was, and has to be looked at again. Throws where it cannot be a copy any more. */
  check(): Promise<boolean>;
  /** Throws, or reports, where the source cannot be the stream that is there so far; `has` tells which entries it has. */
  requireSource?(info: StreamInfo, has: (id: string) => Promise<boolean>): Promise<void>;
  /** Where what was added is not there at once: false until it is; `now` sees to it. No group is moved before. */
  settle?(now: boolean): Promise<boolean>;
  /** Everything was added. */
  finish?(): Promise<void>;
  /** Called last, however it ended. */
  leave?(): Promise<void>;
}
