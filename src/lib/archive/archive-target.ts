/** A copy of a stream that goes into files. Invariant: `settle` says that everything is there when it is on disk. */
import type {CopyNames, CopyWords} from '../copy/copy-failures.js';
import type {CopyTarget} from '../copy/copy-target.js';
import type {StreamRecord} from '../records/entry.js';
import type {StreamInfo} from '../stream-client.js';
import type {StreamArchive} from './stream-archive.js';

const ARCHIVE_WORDS: CopyWords = {
  done: 'archived',
  there: 'the archive',
  anewHint: 'run again with --from start to archive the new one behind it',
  trimmedHint: '--from start archives what is left; trim --safe removes only what is archived',
};

export class ArchiveTarget implements CopyTarget {
  readonly names: CopyNames;
  readonly words = ARCHIVE_WORDS;
  readonly keepsIds = false;
  readonly #archive: StreamArchive;

  constructor(names: CopyNames, archive: StreamArchive) {
    this.names = names;
    this.#archive = archive;
  }

  get confirmed(): string {
    return this.#archive.confirmed;
  }

  async look(): Promise<string> {
    await this.#archive.open();
    await this.#archive.settle(true);
    return this.#archive.last;
  }

  requireSource(info: StreamInfo, has: (id: string) => Promise<boolean>): Promise<void> {
    return this.#archive.requireSource(info, has);
  }

  begin(): void {}

  async add(records: readonly StreamRecord[]): Promise<boolean> {
    await this.#archive.add(records);
    return true;
  }

  async check(): Promise<boolean> {
    return true;
  }

  settle(now: boolean): Promise<boolean> {
    return this.#archive.settle(now);
  }

  finish(): Promise<void> {
    return this.#archive.finish();
  }

  leave(): Promise<void> {
    return this.#archive.leave();
  }
}
