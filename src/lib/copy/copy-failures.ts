/** Why a copy ends: what is in the target does not come from the source, or what answers cannot be believed. */
import {NOT_REDIS, StreamlogError} from '../errors.js';
import {counted} from '../output/sentences.js';

/** The two streams, for messages. */
export interface CopyNames {
  readonly source: string;
  readonly target: string;
}

/** How messages say what becomes of entries. */
export interface CopyWords {
  /** `copied` */
  readonly done: string;
  /** What has them then. */
  readonly there: string;
  /** What to do where the source has begun anew, and where entries were trimmed too early. */
  readonly anewHint: string;
  readonly trimmedHint: string;
}

export const COPY_WORDS: CopyWords = {
  done: 'copied',
  there: 'the target',
  anewHint: 'to copy the new one, give another --to, or remove the stream in the target first',
  trimmedHint: '--from start copies what is left; --follow keeps trim --safe from removing what is not copied yet',
};

const OWN_STREAM = 'copy to a stream of its own, with --to NAME; what was copied is still there';

/** The target has an entry that did not come from the source. */
export const foreignEntry = ({source, target}: CopyNames, id: string, how: string): StreamlogError =>
  new StreamlogError(
    'data',
    `entry ${id} of target stream "${target}" ${how} "${source}": somebody else writes there`,
    {
      hint: OWN_STREAM,
    },
  );

/** The same of so many entries among those that were copied. */
export const foreignEntries = ({source, target}: CopyNames, count: number): StreamlogError =>
  new StreamlogError(
    'data',
    `${counted(count, 'entry')} of target stream "${target}" did not come from "${source}": somebody else writes there`,
    {hint: OWN_STREAM},
  );

/** Entries that were copied are not in it any more, and later ones are. */
export const replaced = ({target}: CopyNames): StreamlogError =>
  new StreamlogError('incomplete', `target stream "${target}" is not the one that was copied to before`, {
    hint: 'it was deleted or replaced meanwhile; remove it, and run again',
  });

/** An entry cannot be added, since the target has gone past its ID without it. */
export const passedOver = ({target}: CopyNames, id: string, isThere: boolean): StreamlogError =>
  new StreamlogError(
    'data',
    isThere
      ? `target stream "${target}" has another entry with the ID ${id}`
      : `entry ${id} cannot be added to target stream "${target}", which has a later one: somebody else writes there`,
    {hint: OWN_STREAM},
  );

/** An entry of the source is not in the copy, which has later ones. */
export const missingEntry = ({source, target}: CopyNames, id: string): StreamlogError =>
  new StreamlogError('data', `entry ${id} of "${source}" is not in its copy "${target}"`, {
    hint: 'it was deleted there, or the copy began later; a copy under another name, with --to NAME, has all entries',
  });

/** As `notRedis`, for a reply that has the right form and cannot be true. */
export const notInOrder = (stream: string, id: string): StreamlogError =>
  new StreamlogError('unreachable', `what answers is not Redis: entry ${id} of stream "${stream}" comes out of order`, {
    code: NOT_REDIS,
  });

export const otherId = (stream: string, asked: string, given: string): StreamlogError =>
  new StreamlogError(
    'unreachable',
    `what answers is not Redis: entry ${asked} was added to stream "${stream}" as ${given}`,
    {
      code: NOT_REDIS,
    },
  );
