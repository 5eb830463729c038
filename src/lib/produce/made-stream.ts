/**
 * Whether a run of `produce` has made its stream, as a mistyped name does. XADD does not tell; but XINFO STREAM counts all that
 * was ever added, and what is not ours was there before. Asked when all is added, for a moment, and only for a person.
 */
import {StreamlogError} from '../errors.js';
import type {Notes} from '../output/notes.js';
import {meantStream} from '../reading/known-names.js';
import type {StreamClient} from '../stream-client.js';
import {unlessAborted} from '../waiting.js';

const LIMIT_MS = 400;

/** Says `created stream oders; did you mean orders?`, and nothing where it was there before, or that cannot be known. */
export async function sayMadeStream(
  connect: () => Promise<StreamClient>,
  stream: string,
  added: number,
  notes: Notes,
): Promise<void> {
  let client: StreamClient | undefined;
  const look = async (): Promise<string | undefined> => {
    client = await connect();
    const {entriesAdded, groups} = await client.info(stream);
    if (added === 0 || entriesAdded !== added || groups > 0) return undefined;
    return `created stream ${stream}${await meantStream(client, stream)}`;
  };
  try {
    const made = await unlessAborted(look(), AbortSignal.timeout(LIMIT_MS));
    if (made !== undefined) notes.status(made);
  } catch (error) {
    if (!(error instanceof StreamlogError)) throw error;
  } finally {
    client?.close();
  }
}
