/**
 * Follows a log line by line, through rotation, as an input of `produce`. Invariant: a file is left only when all that was
 * read of it is confirmed, and the next one is kept in the checkpoint before anything of it is added. So a run that was
 * killed left one file only, and its records have the same numbers in the next run.
 */
import {FileWatch} from '../input/file-watch.js';
import type {GrowingFile} from '../input/growing-file.js';
import {type InputPage, type InputPosition, START} from '../input/input-item.js';
import {type InputOptions, readRecords} from '../input/record-reader.js';
import {InputCut, readSource} from '../input/source.js';
import type {Checkpoint, CheckpointedInput, FollowedFile} from './checkpoint.js';
import type {Kept} from './checkpoint-file.js';
import {FileDigest} from './file-digest.js';
import {LeftFile} from './left-file.js';
import {ALL_READ, type FoundFile, LogFiles, openLog} from './log-files.js';
import {type Beginning, beginningOf, FIRST_BYTES, isTelling, LogPart, type ReadPart, zerosSkipped} from './log-part.js';
import type {OpenProducer} from './open-producer.js';
import type {Producer} from './producer.js';

export interface FollowOptions {
  path: string;
  /** Where to begin where no earlier run has. */
  from: 'start' | 'end';
  input: InputOptions;
  stopping: AbortSignal;
  note: (text: string) => void;
  /** What may be lost, or is waited for. */
  warn: (text: string) => void;
}

/** Of several programs that write to one log, not all open the new one at once. */
const SETTLED_MS = 1_000;
const NOTHING = Buffer.alloc(0);
export class FileFollower implements CheckpointedInput {
  readonly #options: FollowOptions;
  readonly #files: LogFiles;
  readonly #watch: FileWatch;
  #part: LogPart | undefined;
  /** The one before: the checkpoint is about it until the next one begins. */
  #left: GrowingFile | undefined;
  /** The one before, once the next one has begun. */
  #leftFile: LeftFile | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#files = new LogFiles(options.path, options.warn);
    this.#watch = new FileWatch(options.path);
  }

  get name(): string {
    return this.#options.path;
  }

  async find(kept: Kept): Promise<FoundFile | undefined> {
    const found = await this.#files.find(kept);
    this.#part = found && this.#partOf(found);
    return found;
  }

  /** The records of whole lines, until a signal, or a failure of the producer. */
  async *pages({producer, start, checkpoint}: OpenProducer): AsyncGenerator<InputPage, void, void> {
    if (checkpoint === undefined) throw new Error('a file is followed with a checkpoint');
    const {input, stopping} = this.#options;
    const ended = AbortSignal.any([stopping, producer.failing]);
    let {records} = start;
    let read: ReadPart = ALL_READ;
    let beginning: Beginning | undefined;
    while (this.#part !== undefined && beginning === undefined) {
      beginning = await this.#goOn(this.#part, start.position, checkpoint);
      if (beginning === undefined) await this.find(checkpoint.kept);
    }
    if (beginning === undefined) [read, beginning] = await this.#begin(checkpoint);
    while (!ended.aborted) {
      beginning ??= await this.#next(read, records, checkpoint, ended);
      if (beginning === undefined) break;
      const source = readSource(this.#chunks(beginning, producer, checkpoint), {name: this.name, stopping: ended});
      yield* readRecords(source, {...input, from: beginning.position});
      if (ended.aborted) break;
      // What came last of the file, without its newline.
      await producer.settled();
      if (producer.failed) break;
      ({records} = checkpoint.progress);
      read = this.#leave();
      beginning = undefined;
    }
    await this.#leftFile?.check();
    this.#end(producer);
  }

  /** Where an earlier run stopped; undefined when the file was truncated since it was found. */
  async #goOn(part: LogPart, position: InputPosition, checkpoint: Checkpoint): Promise<Beginning | undefined> {
    const {file, isCopy} = part;
    await checkpoint.moveTo(file, isCopy);
    if (position.line > 0) return beginningOf(undefined, position);
    await file.seek(0);
    const first = (await file.readFirst()) ?? NOTHING;
    if (!(await checkpoint.isOf(file))) return undefined;
    return beginningOf(checkpoint.file?.carried, {bytes: file.offset - first.length, line: 0}, first);
  }

  /** Where there is no file of an earlier run: behind the one that is gone, or where a first run is to begin, which is kept at once. */
  async #begin(checkpoint: Checkpoint): Promise<[ReadPart, Beginning | undefined]> {
    const {file: gone, hasRead} = checkpoint;
    if (gone !== undefined || hasRead) {
      // What was carried into it is the beginning of a line of that file, and of no other.
      const {id, writtenMs, isCopy}: FollowedFile = gone ?? {id: '', writtenMs: 0};
      const read = {id, writtenMs, isCopy, isUnread: !hasRead};
      if (hasRead) await this.#files.reportGone(read, checkpoint.progress.position.bytes);
      return [read, undefined];
    }
    const file = openLog(this.name);
    const position = this.#options.from === 'start' || file === undefined ? START : await file.lastLineEnd();
    const start = {position, records: 0};
    const read = {id: file?.id ?? '', writtenMs: file?.writtenMs ?? Date.now(), isUnread: true};
    if (file === undefined || position.bytes === 0) {
      file?.close();
      await checkpoint.begin(read, start);
      return [read, undefined];
    }
    await file.seek(position.bytes);
    this.#part = this.#partOf({file, isCopy: false});
    await checkpoint.begin(read, start, {file, digest: await FileDigest.of().upTo(position.bytes, file)});
    return [ALL_READ, beginningOf(undefined, position)];
  }

  /** Begins the next file, once there is one with data; undefined when `ended` is aborted before. */
  async #next(
    read: ReadPart,
    records: number,
    checkpoint: Checkpoint,
    ended: AbortSignal,
  ): Promise<Beginning | undefined> {
    while (!ended.aborted) {
      const file = await this.#files.next(read);
      const first = await file?.readFirst();
      if (file !== undefined && first !== undefined && (await this.#isNext(file, first, read))) {
        // Where the name still has the file that was not read, that was truncated.
        const isTruncated = read.isCopy === true || (read.isUnread === true && !this.#files.isRotated(read));
        const isCopy = isTruncated && this.#files.isRotated(file);
        this.#part = this.#partOf({file, isCopy});
        const position = {bytes: file.offset - first.length, line: 0};
        if (position.bytes > 0) this.#options.warn(zerosSkipped(this.name, position.bytes));
        const {id, writtenMs} = file;
        const {carried} = read;
        const beginning = FileDigest.of(first.subarray(0, FIRST_BYTES));
        const digest = position.bytes === 0 ? beginning : await FileDigest.of().upTo(file.offset, file);
        await checkpoint.begin({id, writtenMs, isCopy, carried}, {position, records}, {file, digest});
        await this.#keepLeft(file, read);
        return beginningOf(carried, position, first);
      }
      file?.close();
      await this.#watch.wait();
    }
    return undefined;
  }

  /** What was left may still be written to; not so a copy, nor what has become `next` itself. */
  async #keepLeft(next: GrowingFile, {isCopy = false}: ReadPart): Promise<void> {
    await this.#leftFile?.check();
    this.#leftFile?.close();
    this.#leftFile = undefined;
    if (this.#left !== undefined && !isCopy && this.#left.id !== next.id)
      this.#leftFile = new LeftFile(this.#left, this.#options.warn);
    else this.#left?.close();
    this.#left = undefined;
  }

  /**
   * What is written to the file, until it is to be left. Throws InputCut where that is in the midst of a line which goes on in
   * the next one: a program that writes to a file which is truncated notices nothing.
   */
  async *#chunks({chunks}: Beginning, producer: Producer, checkpoint: Checkpoint): AsyncGenerator<Buffer> {
    const part = this.#part!;
    for (const chunk of chunks) yield part.take(chunk);
    let quietSinceMs: number | undefined;
    for (;;) {
      const chunk = await part.file.read();
      if (chunk === undefined) {
        if (!(await part.moveToCopy(checkpoint))) throw new InputCut();
      } else if (chunk.length > 0) {
        quietSinceMs = undefined;
        this.#watch.found();
        yield part.take(chunk);
      } else {
        await this.#leftFile?.check();
        quietSinceMs = (await part.isContinued(checkpoint)) ? (quietSinceMs ?? part.quietSinceMs) : undefined;
        const settlesInMs = quietSinceMs === undefined ? undefined : quietSinceMs + SETTLED_MS - performance.now();
        if (settlesInMs === undefined || settlesInMs > 0) await this.#watch.wait(settlesInMs);
        else {
          await producer.settled();
          // That may have taken long.
          if (!producer.failed && (await part.file.hasMore())) continue;
          if (part.isCopy) throw new InputCut();
          return;
        }
      }
    }
  }

  /** The file was read to its end. */
  #leave(): ReadPart {
    const part = this.#part!;
    const {file, isCopy, isTruncated} = part;
    const {id, writtenMs, offset} = file;
    const carried = part.carried();
    this.#part = undefined;
    this.#left = file;
    if (!isTruncated) return {id, writtenMs, isCopy, carried};
    this.#options.warn(
      `${this.name} was truncated, and no copy of it is there: what was written to it after the ${offset} bytes that were read is not added`,
    );
    return {...ALL_READ, carried};
  }

  /** Whether `file` begins with a whole line, or, once rotated, with all that it will have; and, as it may have been truncated before, is still the next. */
  async #isNext(file: GrowingFile, first: Buffer, read: ReadPart): Promise<boolean> {
    if (!isTelling(first) && (first.length === 0 || !this.#files.isRotated(file))) return false;
    const next = await this.#files.next(read);
    next?.close();
    return next?.id === file.id;
  }

  #partOf(found: {file: GrowingFile; isCopy: boolean}): LogPart {
    return new LogPart(found, {files: this.#files, maxRecordBytes: this.#options.input.maxRecordBytes});
  }

  #end(producer: Producer): void {
    this.#watch.close();
    this.#leftFile?.close();
    if (this.#options.stopping.aborted && !producer.failed && this.#part?.isInLine)
      this.#options.note(`the last line of ${this.name} has no newline yet; it waits for the next run`);
  }
}
