/** Where the IDs of `ack`, `claim` and their like come from: the arguments, or else standard input. */
import {Args} from '@oclif/core';
import {usageError} from '../errors.js';
import {type IdReference, readIdArguments, readIds} from '../input/ids.js';
import {readSource} from '../input/source.js';
import type {StandardInput} from '../input/standard-input.js';

export const idsArgument = {
  ids: Args.string({
    ignoreStdin: true,
    multiple: true,
    description: 'IDs or records; without any, they are read from standard input, one a line',
  }),
};

export interface Surroundings {
  /** Standard input, unless it is a terminal. */
  piped: StandardInput | undefined;
  stopping: AbortSignal;
}

/**
 * References in the batches in which they arrive; ends early on `stopping`.
 * Throws a usage error when there is neither an argument nor a pipe.
 */
export function openIds(
  args: readonly string[] | undefined,
  {piped, stopping}: Surroundings,
): AsyncIterable<IdReference[]> {
  if (args !== undefined && args.length > 0) return only(readIdArguments(args));
  if (piped === undefined) {
    throw usageError('no IDs are given', 'write them as arguments, or pipe IDs or records in, one a line');
  }
  return fromInput(piped, stopping);
}

/** A bad line, and what comes behind it, is left to whoever reads the same input after us. */
async function* fromInput(piped: StandardInput, stopping: AbortSignal): AsyncGenerator<IdReference[], void, void> {
  let usedBytes = 0;
  const onRead = (bytes: number): void => {
    usedBytes += bytes;
  };
  try {
    yield* readIds(readSource(piped, {name: 'standard input', stopping}), onRead);
  } finally {
    await piped.leaveBehind(usedBytes);
  }
}

async function* only(references: IdReference[]): AsyncGenerator<IdReference[], void, void> {
  yield references;
}
