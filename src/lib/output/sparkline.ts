/**
 * Charts of characters: a sparkline in one row, a chart in several, with the block elements of Unicode, or with plain characters
 * where a terminal has only those. Invariant: what is not known is blank; what is known and not zero can be seen.
 */

/** Values in the order of time, at equal distances; null where one is not known. */
export type Series = readonly (number | null)[];

const BLOCKS = '▁▂▃▄▅▆▇█';
const PLAIN = ' .:-=+*#';
const EIGHTHS = 8;

/** One row of `cells` characters; the greatest value is the full height. */
export function sparkline(series: Series, cells: number, unicode: boolean): string {
  const values = condensed(series, cells);
  const greatest = greatestOf(values);
  const levels = unicode ? BLOCKS : PLAIN;
  return values
    .map((value) => {
      if (value === null) return ' ';
      const level = greatest === 0 ? 0 : Math.ceil((value / greatest) * (EIGHTHS - 1));
      return levels[Math.min(EIGHTHS - 1, level)];
    })
    .join('');
}

/** `rows` rows from the top down, of `cells` characters each; the greatest value is the full height. */
export function chart(
  series: Series,
  {cells, rows, unicode}: {cells: number; rows: number; unicode: boolean},
): string[] {
  const values = condensed(series, cells);
  const greatest = greatestOf(values);
  const heights = values.map((value) => {
    if (value === null) return 0;
    // A line at the bottom says that the value is known.
    return greatest === 0 ? 1 : Math.max(1, Math.round((value / greatest) * rows * EIGHTHS));
  });
  return Array.from({length: rows}, (_, row) => {
    const below = (rows - 1 - row) * EIGHTHS;
    return heights.map((height) => barPart(height - below, unicode)).join('');
  });
}

/** What a bar fills of one cell, in eighths. */
function barPart(eighths: number, unicode: boolean): string {
  if (eighths <= 0) return ' ';
  if (unicode) return BLOCKS[Math.min(EIGHTHS, eighths) - 1]!;
  return eighths >= EIGHTHS / 2 ? '#' : '.';
}

export const greatestOf = (series: Series): number => Math.max(0, ...series.map((value) => value ?? 0));

/** In `cells` values, each the mean of those that it stands for. */
function condensed(series: Series, cells: number): Series {
  return Array.from({length: cells}, (_, cell) => {
    const start = Math.floor((cell * series.length) / cells);
    const end = Math.max(start + 1, Math.floor(((cell + 1) * series.length) / cells));
    const known = series.slice(start, end).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}
