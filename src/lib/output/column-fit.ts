/**
 * Which columns there is room for, and how wide they are. Invariant: together, with a gap between them, they take no more than
 * the room; the one of the lowest `priority`, the first of equals, always stays.
 */
import {cutEnd} from './cell-width.js';
import type {Display} from './display.js';
import {wrap} from './text-layout.js';

export interface SizedColumn {
  /** The width that it wants; set to the one that it gets. */
  width: number;
  /** It may be cut to this. Undefined: never. */
  least?: number | undefined;
  /** Where there is no room, the greatest goes first. */
  priority: number;
}

export const GAP = 2;
/** Narrower than this, a name says nothing. */
export const LEAST_NAME = 12;

export function fitColumns<Column extends SizedColumn>(columns: readonly Column[], room: number): Column[] {
  const lowest = Math.min(...columns.map(({priority}) => priority));
  const first = columns.find(({priority}) => priority === lowest);
  let kept = [...columns];
  while (kept.length > 1 && taken(kept, leastOf) > room) {
    const others = kept.filter((column) => column !== first);
    const gone = others.reduce((found, column) => (column.priority >= found.priority ? column : found));
    kept = kept.filter((column) => column !== gone);
  }
  if (taken(kept, leastOf) > room) for (const column of kept) column.width = Math.max(1, room);
  else shrink(kept, room);
  return kept;
}

const leastOf = ({least, width}: SizedColumn): number => Math.min(width, least ?? width);

const taken = (columns: readonly SizedColumn[], widthOf: (column: SizedColumn) => number): number =>
  columns.reduce((sum, column) => sum + widthOf(column) + GAP, -GAP);

/** Takes from the widest column that may be cut, until all have room. */
function shrink(columns: readonly SizedColumn[], room: number): void {
  let over = taken(columns, ({width}) => width) - room;
  while (over > 0) {
    const [widest, next] = columns.filter((column) => column.width > leastOf(column)).sort((a, b) => b.width - a.width);
    const floor = Math.max(leastOf(widest!), Math.min(next?.width ?? 0, widest!.width - 1));
    const cut = Math.min(over, widest!.width - floor);
    widest!.width -= cut;
    over -= cut;
  }
}

/** Says which columns had no room. */
export const hiddenLine = (headings: readonly string[], {colors, columns}: Display): string =>
  wrap(`hidden at this width: ${headings.filter(Boolean).join(', ')}`, columns)
    .map((line) => `${colors.dim(cutEnd(line, columns))}\n`)
    .join('');
