/**
 * Streams and their groups as the rows of one list: filtered, in an order, limited. Invariants: a group stands below its stream; what
 * is not known comes last, in every order; and equals are in the order of their names.
 */
import type {GroupFacts, StreamFacts} from './snapshot.js';

export const ROW_ORDERS = ['lag', 'rate', 'pending', 'oldest', 'bytes', 'name'] as const;
export type RowOrder = (typeof ROW_ORDERS)[number];

export interface FactsRow {
  /** Of this row alone, whatever its names are. */
  key: string;
  stream: StreamFacts;
  /** Undefined in the row of the stream itself. */
  group: GroupFacts | undefined;
}

export interface RowOptions {
  order: RowOrder;
  isReversed: boolean;
  /** A part of the name of a stream or a group, in small or capital letters. */
  filter: string;
  groupsOnly: boolean;
  /** At most so many streams, or groups with `groupsOnly`. */
  limit: number;
}

/** Names may have any characters, so the length of one says where the other begins. */
export const rowKey = (stream: string, group?: string): string =>
  group === undefined ? `${stream.length}:${stream}` : `${stream.length}:${stream}/${group}`;

export function snapshotRows(streams: readonly StreamFacts[], options: RowOptions): FactsRow[] {
  const {groupsOnly, limit} = options;
  const found = streams.flatMap((stream) => matching(stream, options.filter.toLowerCase()));
  if (groupsOnly) {
    const rows = found.flatMap(({stream, groups}) => groups.map((group) => rowOf(stream, group)));
    return inOrder(rows, options, ({stream, group}) => sortedBy([stream.stream, group!.group], options, group!)).slice(
      0,
      limit,
    );
  }
  return inOrder(found, options, ({stream}) => sortedBy([stream.stream], options, ...(stream.groups ?? []), stream))
    .slice(0, limit)
    .flatMap(({stream, groups}) => [
      rowOf(stream, undefined),
      ...inOrder(groups, options, (group) => sortedBy([group.group], options, group)).map((group) =>
        rowOf(stream, group),
      ),
    ]);
}

/** The streams alone, in the order that their rows have. */
export const inRowOrder = (streams: readonly StreamFacts[], order: RowOrder): StreamFacts[] =>
  inOrder(streams, {order, isReversed: false}, (stream) =>
    sortedBy([stream.stream], {order}, ...(stream.groups ?? []), stream),
  );

/** A stream whose name matches has all its groups. */
function matching(stream: StreamFacts, filter: string): {stream: StreamFacts; groups: readonly GroupFacts[]}[] {
  const matches = (name: string): boolean => name.toLowerCase().includes(filter);
  const all = stream.groups ?? [];
  if (matches(stream.stream)) return [{stream, groups: all}];
  const groups = all.filter(({group}) => matches(group));
  return groups.length === 0 ? [] : [{stream, groups}];
}

const rowOf = (stream: StreamFacts, group: GroupFacts | undefined): FactsRow => ({
  key: rowKey(stream.stream, group?.group),
  stream,
  group,
});

type Figure = number | null;

/** What the order goes by, of a group, and of a stream without its groups. */
const FIGURES: Record<Exclude<RowOrder, 'name'>, (facts: GroupFacts | StreamFacts) => Figure> = {
  lag: (facts) => ('group' in facts ? facts.lag : null),
  rate: (facts) => ('group' in facts ? facts.deliveredPerSec : facts.addedPerSec),
  pending: (facts) => ('group' in facts ? facts.pending : null),
  oldest: (facts) => ('group' in facts ? facts.oldestPendingAgeMs : null),
  bytes: (facts) => ('group' in facts ? null : facts.bytes),
};

interface SortedBy {
  figure: Figure;
  names: readonly string[];
}

/** The greatest figure of all `facts`. */
function sortedBy(
  names: readonly string[],
  {order}: Pick<RowOptions, 'order'>,
  ...facts: (GroupFacts | StreamFacts)[]
): SortedBy {
  if (order === 'name') return {names, figure: null};
  const figures = facts.map(FIGURES[order]).filter((figure) => figure !== null);
  return {names, figure: figures.length === 0 ? null : figures.reduce((one, other) => Math.max(one, other))};
}

/** The greatest figure first, or with `isReversed` the least; names from A to Z, or from Z to A. */
function inOrder<Item>(
  items: readonly Item[],
  {order, isReversed}: Pick<RowOptions, 'order' | 'isReversed'>,
  by: (item: Item) => SortedBy,
): Item[] {
  const nameSign = order === 'name' && isReversed ? -1 : 1;
  return items
    .map((item) => ({item, ...by(item)}))
    .sort(
      (one, other) =>
        compareFigures(one.figure, other.figure, isReversed) || nameSign * compareNames(one.names, other.names),
    )
    .map(({item}) => item);
}

function compareFigures(one: Figure, other: Figure, isReversed: boolean): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return isReversed ? one - other : other - one;
}

function compareNames(names: readonly string[], others: readonly string[]): number {
  const at = names.findIndex((name, index) => name !== others[index]);
  return at < 0 ? 0 : names[at]! < others[at]! ? -1 : 1;
}
