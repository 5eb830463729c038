/** When something is read. */

/** The server's clock for ages, and one that never goes back. */
export interface ReadingTime {
  nowMs: number;
  atMs: number;
}
