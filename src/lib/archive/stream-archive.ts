/**
 * The files of one stream in a directory of their own. Invariants: one process writes there; together, in the order of their
 * names, the finished files and the one that is not hold each entry once, in the order of IDs; `confirmed` is on disk.
 */
import {constants} from 'node:fs';
import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {StreamlogError} from '../errors.js';
import {ProcessLock} from '../process-lock.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import {withFile} from '../replaced-file.js';
import type {StreamInfo} from '../stream-client.js';
import type {Compression} from '../transfer/compression.js';
import {compressionOfName, directoryNameOf} from '../transfer/export-file-name.js';
import {makeDirectory, orIo, partOf} from '../transfer/part-file.js';
import {ArchiveFile, MEMBER_BYTES, readFinished} from './archive-file.js';
import {ArchiveIndex} from './archive-index.js';
import {archiveFiles, archiveName} from './archive-name.js';
import type {Rotation} from './rotation.js';

export interface ArchiveOptions {
  /** With a directory for each stream. */
  directory: string;
  compression: Compression | undefined;
  rotation: Rotation;
  /** Finished files that are older are removed; undefined keeps all. */
  keepMs: number | undefined;
}

/** How long entries may be in memory alone. */
const MEMBER_MS = 5_000;
/** Entries that are written at a time, so that a file is not much larger than it should be. */
const SLICE = 64;

export class StreamArchive {
  readonly path: string;
  readonly #stream: string;
  readonly #options: ArchiveOptions;
  readonly #onProblem: (line: string) => void;
  #lock: ProcessLock | undefined;
  #index!: ArchiveIndex;
  #file: ArchiveFile | undefined;
  #last = FIRST_ID;
  #confirmed = FIRST_ID;
  #syncedAtMs = performance.now();
  /** Files that this run has finished. */
  #finished = 0;

  constructor(stream: string, options: ArchiveOptions, onProblem: (line: string) => void) {
    this.path = join(options.directory, directoryNameOf(stream));
    this.#stream = stream;
    this.#options = options;
    this.#onProblem = onProblem;
  }

  /** The last ID that is on disk for sure. */
  get confirmed(): string {
    return this.#confirmed;
  }

  /** The last ID that was written. */
  get last(): string {
    return this.#last;
  }

  get finished(): number {
    return this.#finished;
  }

  /**
   * Takes the directory, and finds out how far it is: at first, and again without effect. Throws `configuration` while another process
   * has it, `data` for files that are not of this archive.
   */
  async open(): Promise<void> {
    if (this.#lock !== undefined) return;
    await makeDirectory(this.path);
    this.#lock = await ProcessLock.acquire(join(this.path, 'archive.lock'));
    if (this.#lock === undefined)
      throw new StreamlogError('configuration', `another streamlog archives into ${this.path}`, {
        hint: 'give another --dir, and with it another --group',
      });
    this.#index = await ArchiveIndex.open(this.path);
    this.#last = this.#index.last?.last ?? FIRST_ID;
    const {finished, parts} = archiveFiles(await orIo(this.path, () => readdir(this.path)));
    const {names} = this.#index;
    for (const name of finished) if (!names.has(name)) await this.#addFinished(name);
    for (const name of parts) await this.#recover(name);
    await this.#keep();
    this.#confirmed = this.#last;
  }

  /** Throws `incomplete` where the stream ends before the archive does; reports an entry that it has lost. */
  async requireSource(info: StreamInfo, has: (id: string) => Promise<boolean>): Promise<void> {
    const {lastGeneratedId, firstEntry, maxDeletedId} = info;
    if (compareStreamIds(lastGeneratedId, this.#last) < 0)
      throw wentBack(this.#stream, `ends at ${lastGeneratedId}`, this.#last);
    const isKnown = firstEntry !== undefined && compareStreamIds(firstEntry.id, this.#last) <= 0;
    if (!isKnown || maxDeletedId === undefined || compareStreamIds(maxDeletedId, this.#last) >= 0) return;
    if (await has(this.#last)) return;
    this.#onProblem(
      `stream "${this.#stream}" lacks the entry ${this.#last}, which is archived, as after a failover; ` +
        'what it has before that is not archived again',
    );
  }

  /** Entries behind the last one. Throws `incomplete` where they are not, `io` where they cannot be written. */
  async add(records: readonly StreamRecord[]): Promise<void> {
    const first = records[0];
    if (first === undefined) return;
    if (compareStreamIds(first.id, this.#last) <= 0)
      throw wentBack(this.#stream, `has the entry ${first.id}`, this.#last);
    for (let at = 0; at < records.length; ) {
      const file = await this.#fileFor(records[at]!.id);
      const most = Math.min(at + SLICE, records.length);
      let end = at + 1;
      while (end < most && !this.#options.rotation.isBetween(file.first, records[end]!.id)) end++;
      await file.write(records.slice(at, end));
      this.#last = records[end - 1]!.id;
      at = end;
    }
  }

  /**
   * Puts what was written on disk, where that is due, or `now`. False where it is not due. Throws `io`, also where the directory was
   * taken away.
   */
  async settle(now: boolean): Promise<boolean> {
    const file = this.#file;
    const isDue =
      now ||
      this.#last === this.#confirmed ||
      performance.now() - this.#syncedAtMs >= MEMBER_MS ||
      (file?.unsyncedBytes ?? 0) >= MEMBER_BYTES;
    if (!isDue) return false;
    await this.#requireThere();
    await file?.sync();
    this.#syncedAtMs = performance.now();
    this.#confirmed = this.#last;
    if (file !== undefined && this.#options.rotation.isOver(performance.now() - file.openedAtMs)) await this.#rotate();
    return true;
  }

  /** Finishes the file that is open. Throws `io`. */
  async finish(): Promise<void> {
    await this.#requireThere();
    await this.#rotate();
    this.#confirmed = this.#last;
  }

  /** Leaves the file that is open for another run. */
  async leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.leave();
    this.#lock?.release();
  }

  /** The file that an entry goes into. */
  async #fileFor(id: string): Promise<ArchiveFile> {
    const {rotation, compression} = this.#options;
    const file = this.#file;
    if (file !== undefined && !rotation.isBetween(file.first, id) && !rotation.isFull(file.sizeBytes)) return file;
    await this.#rotate();
    this.#file = await ArchiveFile.create(join(this.path, archiveName(id, compression)), id);
    this.#syncedAtMs = performance.now();
    return this.#file;
  }

  async #rotate(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    await this.#requireThere();
    this.#file = undefined;
    await this.#index.add(await file.finish());
    this.#finished++;
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const {keepMs} = this.#options;
    if (keepMs !== undefined) await this.#index.keep(keepMs, Date.now());
  }

  /** One that was finished, and then the process was killed. */
  async #addFinished(name: string): Promise<void> {
    const path = join(this.path, name);
    const {O_RDONLY, O_NOFOLLOW} = constants;
    const found = await withFile(path, O_RDONLY | O_NOFOLLOW, ({fd}) => readFinished(path, this.#stream, fd));
    this.#requireBehind(path, found.first);
    await this.#index.add(found);
    this.#last = found.last;
  }

  /** Goes on with a file that was not finished; one that is compressed in another way is finished. */
  async #recover(name: string): Promise<void> {
    const path = join(this.path, name);
    await this.#rotate();
    const file = await ArchiveFile.recover(path, this.#stream, (part, bytes) =>
      this.#onProblem(
        `${part}: cut off ${bytes} bytes at its end, which an interrupted run has left; reading them again`,
      ),
    );
    if (file === undefined) return orIo(path, () => rm(partOf(path)));
    this.#file = file;
    this.#requireBehind(file.name, file.first);
    this.#last = file.last;
    if (compressionOfName(name) !== this.#options.compression) await this.#rotate();
  }

  #requireBehind(path: string, first: string): void {
    if (compareStreamIds(first, this.#last) > 0) return;
    throw new StreamlogError(
      'data',
      `${path} begins at ${first}, before the end of the file before it, ${this.#last}`,
      {
        hint: 'an entry would be there twice; move the file elsewhere',
      },
    );
  }

  async #requireThere(): Promise<void> {
    if (this.#lock?.isHeld && (this.#file === undefined || (await this.#file.isThere()))) return;
    throw new StreamlogError('io', `${this.path} was moved or removed while entries were archived into it`, {
      hint: 'run again: what is not on disk is archived again',
    });
  }
}

const wentBack = (stream: string, what: string, last: string): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `stream "${stream}" ${what}, and entries up to ${last} are archived: it has begun anew, or lost entries, as in a failover`,
    {hint: 'give another --dir to archive it anew; what is archived stays as it is'},
  );
