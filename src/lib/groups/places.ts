/** References to entries, sorted by where the entries are: XACK and XCLAIM take one stream and one group at a time. */
import type {IdReference} from '../input/ids.js';

export interface Place {
  readonly stream: string;
  readonly group: string;
}

export interface PlacedIds extends Place {
  /** In their order, at most `limit` of them. */
  readonly ids: readonly string[];
}

/** What a reference does not say itself is as in `defaults`. */
export function splitByPlace(references: readonly IdReference[], defaults: Place, limit: number): PlacedIds[] {
  const places = new Map<string, {place: Place; ids: string[]}>();
  for (const {id, stream = defaults.stream, group = defaults.group} of references) {
    const key = placeKey({stream, group});
    const known = places.get(key);
    if (known === undefined) places.set(key, {place: {stream, group}, ids: [id]});
    else known.ids.push(id);
  }
  return [...places.values()].flatMap(({place, ids}) => chunksOf(ids, limit).map((chunk) => ({...place, ids: chunk})));
}

/** The same text for the same place only. */
export const placeKey = ({stream, group}: Place): string => JSON.stringify([stream, group]);

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
