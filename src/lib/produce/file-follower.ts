/**
 * Follows a log line by line, through rotation, as an input of `produce`. Invariant: a file is left only when all that was
 * read of it is confirmed, and the next one is kept in the checkpoint before anything of it is added. So a run that was
 * killed left one file only, and its records have the same numbers in the next run.
 */
import {FileWatch} from '../input/file-watch.js';
import type {GrowingFile} from '../input/growing-file.js';
import {type InputPage, type InputPosition, START} from '../input/line-page.js';
import {type InputOptions, readRecords} from '../input/record-reader.js';
import {InputCut, readSource} from '../input/source.js';
import type {Checkpoint, CheckpointedInput} from './checkpoint.js';
import type {Kept} from './checkpoint-file.js';
import {FileDigest} from './file-digest.js';
import {type FoundFile, LogFiles, openLog, type ReadFile} from './log-files.js';
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
/** By which a file is known again of which nothing is confirmed yet. */
const FIRST_BYTES = 1_024;
/** Before all files, and behind them. */
const NOTHING_READ: ReadFile = {id: '', writtenMs: Number.POSITIVE_INFINITY};

export class FileFollower implements CheckpointedInput {
  readonly #options: FollowOptions;
  readonly #files: LogFiles;
  readonly #watch: FileWatch;
  /** That which is read; none before the first one has data. */
  #file: GrowingFile | undefined;
  /** Nothing is written to it any more. */
  #isCopy = false;
  #isTruncated = false;

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
    this.#file = found?.file;
    this.#isCopy = found?.isCopy ?? false;
    return found;
  }

  /** The records of whole lines, until a signal, or a failure of the producer. */
  async *pages({producer, start, checkpoint}: OpenProducer): AsyncGenerator<InputPage, void, void> {
    if (checkpoint === undefined) throw new Error('a file is followed with a checkpoint');
    const {input, stopping} = this.#options;
    const ended = AbortSignal.any([stopping, producer.failing]);
    let {records} = start;
    let [read, position] = await this.#resume(start.position, checkpoint);
    while (!ended.aborted) {
      let first: Buffer | undefined;
      if (this.#file === undefined) {
        first = await this.#begin(read, records, checkpoint, ended);
        if (first === undefined) break;
        position = START;
      }
      const chunks = this.#chunks(first, producer, checkpoint);
      yield* readRecords(readSource(chunks, {name: this.name, stopping: ended}), {...input, from: position});
      if (ended.aborted) break;
      // What came last of the file, without its newline.
      await producer.settled();
      if (producer.failed) break;
      ({records} = checkpoint.progress);
      read = this.#leave();
    }
    this.#end(producer);
  }

  /** Goes to where an earlier run stopped, or where a first one is to begin. Gives what was read, and the position in the file. */
  async #resume(position: InputPosition, checkpoint: Checkpoint): Promise<[ReadFile, InputPosition]> {
    if (this.#file !== undefined) {
      await this.#file.seek(position.bytes);
      await checkpoint.moveTo(this.#file);
      return [NOTHING_READ, position];
    }
    if (checkpoint.isFileGone) {
      const read = checkpoint.file ?? {id: '', writtenMs: 0};
      await this.#files.reportGone(read, checkpoint.progress.position.bytes);
      return [read, START];
    }
    if (this.#options.from === 'start') return [NOTHING_READ, START];
    this.#file = openLog(this.name);
    const end = (await this.#file?.lastLineEnd()) ?? START;
    await this.#file?.seek(end.bytes);
    const digest = this.#file && (await FileDigest.of().upTo(end.bytes, this.#file));
    await checkpoint.begin(this.#file, digest ?? FileDigest.of(), {position: end, records: 0});
    return [NOTHING_READ, end];
  }

  /** Begins the next file, once there is one with data: its first bytes; undefined when `ended` is aborted before. */
  async #begin(
    read: ReadFile,
    records: number,
    checkpoint: Checkpoint,
    ended: AbortSignal,
  ): Promise<Buffer | undefined> {
    while (!ended.aborted) {
      const file = await this.#files.next(read);
      const first = await file?.read();
      if (file !== undefined && first !== undefined && first.length > 0) {
        this.#file = file;
        await checkpoint.begin(file, FileDigest.of(first.subarray(0, FIRST_BYTES)), {position: START, records});
        return first;
      }
      file?.close();
      await this.#watch.wait();
    }
    return undefined;
  }

  /** What is written to the file, until it is to be left. Throws InputCut when it was truncated: a line that had no end by then has none. */
  async *#chunks(first: Buffer | undefined, producer: Producer, checkpoint: Checkpoint): AsyncGenerator<Buffer> {
    if (first !== undefined) yield first;
    let quietSinceMs: number | undefined;
    for (;;) {
      const file = this.#file!;
      const chunk = await file.read();
      if (chunk === undefined && !(await this.#moveToCopy(file, checkpoint))) {
        this.#isTruncated = true;
        throw new InputCut();
      } else if (chunk !== undefined && chunk.length > 0) {
        quietSinceMs = undefined;
        yield chunk;
      } else if (chunk !== undefined) {
        quietSinceMs = (await this.#isContinued(file)) ? (quietSinceMs ?? performance.now()) : undefined;
        const isQuiet =
          quietSinceMs !== undefined && performance.now() - quietSinceMs >= (this.#isCopy ? 0 : SETTLED_MS);
        if (isQuiet) {
          await producer.settled();
          // That may have taken long.
          if (producer.failed || !(await file.hasMore())) return;
        } else await this.#watch.wait();
      }
    }
  }

  /** Whether the log goes on in another file, which has data. */
  async #isContinued(file: GrowingFile): Promise<boolean> {
    if (!this.#isCopy && !this.#files.isRotated(file)) return false;
    const next = await this.#files.next(file);
    next?.close();
    return next !== undefined;
  }

  /** What was not read of a file that was truncated is in the copy that was made of it before. */
  async #moveToCopy(file: GrowingFile, checkpoint: Checkpoint): Promise<boolean> {
    const copy = await this.#files.copyOf(file, (some) => checkpoint.isOf(some));
    if (copy === undefined) return false;
    this.#file = copy;
    this.#isCopy = true;
    await checkpoint.moveTo(copy);
    file.close();
    return true;
  }

  /** Closes the file, which was read to its end. */
  #leave(): ReadFile {
    const file = this.#file!;
    const {id, writtenMs, isInLine, offset} = file;
    const isTruncated = this.#isTruncated;
    this.#file = undefined;
    this.#isCopy = false;
    this.#isTruncated = false;
    file.close();
    if (!isTruncated) return {id, writtenMs};
    this.#options.note(`${this.name} was truncated after ${offset} bytes were read; going on with its start`);
    if (isInLine) this.#options.warn(`the last line that was read before had no newline yet; it is not added`);
    return NOTHING_READ;
  }

  #end(producer: Producer): void {
    this.#watch.close();
    if (this.#options.stopping.aborted && !producer.failed && this.#file?.isInLine)
      this.#options.note(`the last line of ${this.name} has no newline yet; it waits for the next run`);
  }
}
