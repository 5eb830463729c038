/** References to entries, sorted by where the entries are: XACK and XCLAIM take one stream and one group at a time. */
import type {IdReference} from '../input/id-reader.js';

export interface Place {
  readonly stream: string;
  readonly group: string;
}

export interface PlacedReferences extends Place {
  /** In their order, at most `limit` of them. */
  readonly references: readonly IdReference[];
}

/** What a reference does not say itself is as in `defaults`. */
export function splitByPlace(references: readonly IdReference[], defaults: Place, limit: number): PlacedReferences[] {
  const places = new Map<string, {place: Place; references: IdReference[]}>();
  for (const reference of references) {
    const {stream = defaults.stream, group = defaults.group} = reference;
    const key = placeKey({stream, group});
    const known = places.get(key);
    if (known === undefined) places.set(key, {place: {stream, group}, references: [reference]});
    else known.references.push(reference);
  }
  return [...places.values()].flatMap(({place, references: all}) =>
    chunksOf(all, limit).map((chunk) => ({...place, references: chunk})),
  );
}

/** The same text for the same place only. */
export const placeKey = ({stream, group}: Place): string => JSON.stringify([stream, group]);

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
