/** Whether MEMORY USAGE may be asked of a stream: it looks at each consumer, and 10,000 of them take 2 ms. */

/** For one report. */
export const MOST_CONSUMERS_MEASURED = 20_000;
/** For what is asked again and again. */
export const MOST_CONSUMERS_MEASURED_OFTEN = 10_000;

/** Consumers of all groups; no number is too large where the groups are not known. */
export const consumersOf = (groups: readonly {consumers: number}[] | null | undefined): number =>
  groups?.reduce((sum, group) => sum + group.consumers, 0) ?? Number.POSITIVE_INFINITY;
