/** Where the IDs of `ack`, `claim` and their like come from: the arguments, or else standard input. */
import {Args} from '@oclif/core';
import {usageError} from '../errors.js';
import {type IdReference, readIdArguments, readIds} from '../input/ids.js';
import {readSource} from '../input/source.js';

export const idsArgument = {
  ids: Args.string({
    ignoreStdin: true,
    multiple: true,
    description: 'IDs or records; without any, they are read from standard input, one a line',
  }),
};

export interface Surroundings {
  /** Standard input, unless it is a terminal. */
  piped: AsyncIterable<Uint8Array | string> | undefined;
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
  return readIds(readSource(piped, {name: 'standard input', stopping}));
}

async function* only(references: IdReference[]): AsyncGenerator<IdReference[], void, void> {
  yield references;
}
