/**
 * Where `ack`, `claim`, `nack`, `get` and `delete` get their IDs from: the arguments or else
 * standard input; and which flags were typed, since those win over records.
 */
import {Args} from '@oclif/core';
import {usageError} from '../errors.js';
import {type IdReference, readIdArguments, readIds} from '../input/id-reader.js';
import {readSource} from '../input/source.js';
import type {StandardInput} from '../input/standard-input.js';
import {refuseOtherTargets, type TypedTargets} from '../input/typed-targets.js';
import type {Notes} from '../output/notes.js';
import {WaitingNote} from '../output/waiting-note.js';

export const idsArgument = {
  ids: Args.string({
    ignoreStdin: true,
    multiple: true,
    description: 'IDs or records (default: one per line from standard input)',
  }),
};

export interface Surroundings {
  /** Standard input, unless it is a terminal. */
  piped: StandardInput | undefined;
  stopping: AbortSignal;
  notes: Notes;
  /** What records must be of. */
  typed?: TypedTargets;
}

/** The part of the target that was typed, not a default and not from the environment. */
export function typedTargets(
  flags: TypedTargets,
  raw: readonly {type: string; flag?: string | undefined}[],
): TypedTargets {
  const typed = (name: keyof TypedTargets): string | undefined =>
    raw.some(({type, flag}) => type === 'flag' && flag === name) ? flags[name] : undefined;
  return {stream: typed('stream'), group: typed('group'), consumer: typed('consumer')};
}

/**
 * References in the batches in which they arrive; ends early on `stopping`, and with a `data`
 * failure at a record of another target than was typed. Throws a usage error if there is
 * neither an argument nor a pipe.
 */
export function openIds(
  args: readonly string[] | undefined,
  {typed = {}, ...surroundings}: Surroundings,
): AsyncIterable<IdReference[]> {
  return refuseOtherTargets(openAny(args, surroundings), typed);
}

function openAny(
  args: readonly string[] | undefined,
  {piped, stopping, notes}: Surroundings,
): AsyncIterable<IdReference[]> {
  if (args !== undefined && args.length > 0) return only(readIdArguments(args));
  if (piped === undefined) {
    throw usageError('no IDs are given', 'give them as arguments, or pipe IDs or records in, one per line');
  }
  return fromInput(piped, stopping, notes);
}

/** A bad line and what follows it are left in the input, for the next command that reads it. */
async function* fromInput(
  piped: StandardInput,
  stopping: AbortSignal,
  notes: Notes,
): AsyncGenerator<IdReference[], void, void> {
  let usedBytes = 0;
  const onRead = (bytes: number): void => {
    usedBytes += bytes;
  };
  const waiting = new WaitingNote(notes, 'waiting for IDs on standard input; Ctrl-C ends');
  try {
    yield* readIds(readSource(piped, {name: 'standard input', stopping, onBytes: waiting.watch()}), onRead);
  } finally {
    await piped.leaveBehind(usedBytes);
  }
}

async function* only(references: IdReference[]): AsyncGenerator<IdReference[], void, void> {
  yield references;
}
