/**
 * Names of keys that belong to a stream and must live in its slot of a
 * cluster, since one script touches both: `events` → `{events}:dead`, whose
 * hash tag is the whole name of the other; a name that has a hash tag keeps it.
 */

/** The key beside `stream` called `suffix`; undefined where no name can be sure to share its slot. */
export function neighbourOf(stream: string, suffix: string): string | undefined {
  if (hasHashTag(stream)) return `${stream}:${suffix}`;
  return stream === '' || stream.includes('}') ? undefined : `{${stream}}:${suffix}`;
}

/** Redis Cluster hashes only what is between the first { and the next }, unless that is empty. */
function hasHashTag(stream: string): boolean {
  const open = stream.indexOf('{');
  return open !== -1 && stream.indexOf('}', open + 1) > open + 1;
}
