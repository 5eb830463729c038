/** The input of `produce`: the arguments, a file or a pipe. */
import {usageError} from '../errors.js';
import type {BadLine, InputPage, InputPosition} from '../input/input-item.js';
import type {StandardInput} from '../input/standard-input.js';
import type {FileReading} from '../input/whole-file.js';
import type {Notes} from '../output/notes.js';
import type {CheckpointedInput} from '../produce/checkpoint.js';
import type {OpenProducer} from '../produce/open-producer.js';
import type {RecordCounts} from '../produce/produce-records.js';
import {inputOptions} from './input-flags.js';
import {fromArguments} from './produce-arguments.js';
import type {ProduceFlags} from './produce-flags.js';

export interface ProduceInput {
  /** From the start, or from where an earlier run stopped, to the end, or until the producer fails. */
  pages: (opened: OpenProducer) => AsyncIterable<InputPage>;
  /** A person types it, and wants to see what becomes of each line. */
  isTyped?: boolean;
  /** False for a single entry, such as that of `produce type=login`: no counts are printed. */
  bulk: boolean;
  onProgress?: (counts: RecordCounts) => void;
  /** With --resume and --follow: what a checkpoint is kept of. */
  checkpointed?: CheckpointedInput;
  /** With --resume: whether an earlier run has added all of the file, up to `position`. */
  wasAdded?: (position: InputPosition) => boolean;
  /** Leaves what follows `usedBytes` in the input, for the next command that reads it. */
  leaveBehind?: (usedBytes: number) => Promise<void>;
  /** Says of a bad first line what the input looks like, and what to do then. */
  explain?: (badLine: BadLine) => Promise<BadLine>;
}

export interface Surroundings {
  /** Standard input, unless it is a terminal. */
  piped: StandardInput | undefined;
  /** Standard input that is one. */
  terminal: StandardInput;
  stopping: AbortSignal;
  /** For files that are values of fields. */
  reading: FileReading;
  notes: Notes;
}

const RESUME_HINT = 'write the input to a file first, or use --exactly-once --producer-id ID';

/** Throws a usage error if flags contradict each other or there is nothing to read, `io` for a file that cannot be read. */
export async function openInput(
  fieldArguments: readonly string[],
  flags: ProduceFlags,
  around: Surroundings,
): Promise<ProduceInput> {
  const options = inputOptions(flags);
  const isContinued = flags.resume || flags.follow !== undefined;
  if (flags['keep-ids'] && isContinued && !flags['exactly-once'])
    throw usageError(
      `--keep-ids with --${flags.resume ? 'resume' : 'follow'} needs --exactly-once`,
      'Redis refuses an ID that was added before',
    );
  if (flags.checkpoint !== undefined && !isContinued) throw usageError('--checkpoint goes with --resume or --follow');
  const isDash = fieldArguments.includes('-');
  if (isDash && fieldArguments.length > 1) throw usageError('give - or field=value arguments, not both');
  const other = (['file', 'follow'] as const).find((name) => flags[name] !== undefined);
  if (fieldArguments.length > 0 && other !== undefined)
    throw usageError(`give ${isDash ? '-' : 'field=value arguments'} or --${other}, not both`);
  if (fieldArguments.length > 0 && !isDash) return fromArguments(fieldArguments, flags, around);
  const misplaced = (['id', 'count', 'rate'] as const).find((name) => flags[name] !== undefined);
  if (misplaced !== undefined) throw usageError(`--${misplaced} goes with an entry given as field=value arguments`);

  const {formatHints, fromFile, fromOpenFile, fromStandardInput} = await import('./bulk-input.js');
  const file = flags.file === '-' ? undefined : flags.file;
  const hints = formatHints({stream: flags.stream, input: flags.input, file: flags.follow ?? file});
  if (flags.follow !== undefined) {
    const {followedInput} = await import('./follow-input.js');
    const input = await followedInput(flags.follow, {from: flags.from, input: options}, around);
    return {...input, explain: hints.explain};
  }
  if (file === undefined) {
    if (flags.resume) throw usageError('--resume takes a file, which can be read again', RESUME_HINT);
    return fromStandardInput(options, hints, around);
  }
  const hinted = {...around, ...hints};
  return flags.resume ? fromOpenFile(file, options, flags['last-line'], hinted) : fromFile(file, options, hinted);
}
