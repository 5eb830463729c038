/** Keys that move through what is larger than its window. */

/** How far a key moves, in rows; a page is the `room` of the window. */
export const SCROLL_KEYS: Readonly<Record<string, (room: number) => number>> = {
  up: () => -1,
  down: () => 1,
  'page-up': (room) => -room,
  'page-down': (room) => room,
  home: () => Number.NEGATIVE_INFINITY,
  end: () => Number.POSITIVE_INFINITY,
};

/** Where a move `by` so many rows from `at` comes to: 0 at least, `most` at most. */
export const scrolled = (at: number, by: number, most: number): number =>
  Math.min(most, Math.max(0, Math.min(most, at) + by));
