/**
 * What was typed wins over what records say: with `--stream a`, a record of
 * stream b is refused and not acted on, in a or in b. What comes from the
 * environment is not typed: it stands for a default, and records go before it.
 * Invariant: nothing of a batch is passed on that has such a record in it, nor
 * anything behind it. What came in earlier batches has been passed on, as with a bad
 * line: a pipe has no end that could be waited for, and memory is to stay flat.
 */
import {StreamlogError} from '../errors.js';
import type {IdReference} from './id-reader.js';

/** What was typed; undefined where it was not. */
export interface TypedTargets {
  readonly stream?: string | undefined;
  readonly group?: string | undefined;
  readonly consumer?: string | undefined;
}

/** The same batches. Throws `data` for a record that is of something else than was typed. */
export async function* refuseOtherTargets(
  batches: AsyncIterable<IdReference[]>,
  typed: TypedTargets,
): AsyncGenerator<IdReference[], void, void> {
  for await (const batch of batches) {
    for (const reference of batch) refuseOther(reference, typed);
    yield batch;
  }
}

function refuseOther(reference: IdReference, typed: TypedTargets): void {
  for (const what of ['stream', 'group', 'consumer'] as const) {
    const [wanted, said] = [typed[what], reference[what]];
    if (wanted === undefined || said === undefined || wanted === said) continue;
    throw new StreamlogError(
      'data',
      `the record of entry ${reference.id} is of ${what} "${said}", not of "${wanted}"`,
      {
        hint: `leave --${what} out to go by the records, or give only those of this ${what}`,
      },
    );
  }
}
