/** References to entries, sorted by where the entries are: XACK and XCLAIM take one stream and one group at a time. */
import type {IdReference} from '../input/id-reader.js';

export interface GroupKey {
  readonly stream: string;
  readonly group: string;
}

export interface GroupReferences extends GroupKey {
  /** In their order, at most `limit` of them. */
  readonly references: readonly IdReference[];
}

/** What a reference does not say itself is as in `defaults`. */
export function groupReferences(
  references: readonly IdReference[],
  defaults: GroupKey,
  limit: number,
): GroupReferences[] {
  const places = new Map<string, {place: GroupKey; references: IdReference[]}>();
  for (const reference of references) {
    const {stream = defaults.stream, group = defaults.group} = reference;
    const key = groupKeyText({stream, group});
    const known = places.get(key);
    if (known === undefined) places.set(key, {place: {stream, group}, references: [reference]});
    else known.references.push(reference);
  }
  return [...places.values()].flatMap(({place, references: all}) =>
    chunksOf(all, limit).map((chunk) => ({...place, references: chunk})),
  );
}

/** The same text for the same place only. */
export const groupKeyText = ({stream, group}: GroupKey): string => JSON.stringify([stream, group]);

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
