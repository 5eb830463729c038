/**
 * What may be asked of a stream without Redis being held up. MEMORY USAGE looks at each consumer, and 10,000 take 2 ms; XINFO
 * CONSUMERS has no pages, and 1,000 take a millisecond; XINFO STREAM copies the first and the last entry.
 */

/** Bytes of an entry up to which XINFO STREAM takes Redis a millisecond. */
export const LARGE_ENTRY_BYTES = 256 * 1024;

/** Consumers up to which MEMORY USAGE is asked for one report. */
export const MOST_CONSUMERS_MEASURED = 20_000;
/** For what is asked again and again. */
export const MOST_CONSUMERS_MEASURED_OFTEN = 10_000;

/** Consumers of a group up to which XINFO CONSUMERS is asked for one report. */
export const MOST_CONSUMERS_LISTED = 4_000;
/** For what is asked again and again. */
export const MOST_CONSUMERS_LISTED_OFTEN = 1_000;

/** Consumers of all groups; no number is too large where the groups are not known. */
export const consumersOf = (groups: readonly {consumers: number}[] | null | undefined): number =>
  groups?.reduce((sum, group) => sum + group.consumers, 0) ?? Number.POSITIVE_INFINITY;
