/**
 * Where entries go that cannot be processed. One script reads the entry and
 * writes it there, so in a cluster both streams must be in the same slot:
 * `events` → `{events}:dead`, whose hash tag is the whole name of the other; a
 * name that has a hash tag keeps it.
 */
import {usageError} from './errors.js';

/** The default dead letter stream of `stream`. Throws a usage error where no name can be sure to share its slot. */
export function deadLetterStream(stream: string): string {
  if (hasHashTag(stream)) return `${stream}:dead`;
  if (!stream.includes('}') && stream !== '') return `{${stream}}:dead`;
  throw usageError(
    `the stream "${stream}" has braces that are no hash tag`,
    'name a stream of the same slot with --dead-letter',
  );
}

/** Redis Cluster hashes only what is between the first { and the next }, unless that is empty. */
function hasHashTag(stream: string): boolean {
  const open = stream.indexOf('{');
  return open !== -1 && stream.indexOf('}', open + 1) > open + 1;
}
