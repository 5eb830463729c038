/** What Redis does not say of a stream, though it says the rest. Invariant: a lost connection ends what is asked; a refusal does not. */
import {isFailure} from '../errors.js';

/** Null where it is refused. */
export async function unlessRefused<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (KINDS.some((kind) => isFailure(error, kind))) return null;
    throw error;
  }
}

/** Not allowed, a command that the server does not have, gone meanwhile, of another type, not just now. */
const KINDS = ['denied', 'configuration', 'notFound', 'data', 'temporary'] as const;
