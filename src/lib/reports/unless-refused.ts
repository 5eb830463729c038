/** What Redis does not say of a stream, though it says the rest. Invariant: a lost connection ends what is asked; a refusal does not. */
import {isFailure} from '../errors.js';

/** Not allowed, a command that the server does not have, gone meanwhile, of another type, not just now. */
const REFUSALS = ['denied', 'configuration', 'notFound', 'data', 'temporary'] as const;
type Refusal = (typeof REFUSALS)[number];

/** The user may not ask, or the server does not have the command. */
export const NOT_ALLOWED: readonly Refusal[] = ['denied', 'configuration'];

/** Null where it is refused for one of `refusals`. */
export async function unlessRefused<T>(asked: Promise<T>, refusals: readonly Refusal[] = REFUSALS): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (refusals.some((kind) => isFailure(error, kind))) return null;
    throw error;
  }
}
