/**
 * What the checker says of a history, and how it says it. Lists name values, and
 * `entry ID` where the value is not known. Invariant: `isSound` is the promise of
 * at-least-once; duplicates are allowed by it, and counted.
 */
export interface ProducingVerdict {
  readonly attempted: number;
  readonly confirmed: number;
  readonly inStream: number;
  /** Confirmed, and neither in the stream nor a dead letter. */
  readonly lost: readonly string[];
  /** Never attempted, or given out under the ID of another. */
  readonly unexpected: readonly string[];
  /** Each copy in the stream beyond the first. */
  readonly duplicatedInStream: readonly string[];
  /** In the stream after what its producer attempted later. */
  readonly outOfOrder: readonly string[];
}

export interface ConsumingVerdict {
  /** Deliveries that were seen, repeated ones included. */
  readonly handedOver: number;
  readonly succeeded: number;
  /** Entries that the group was given: by its own account, or seen with it. */
  readonly given: number;
  readonly acknowledged: number;
  readonly pending: number;
  readonly dead: number;
  /** Each delivery beyond the first that no failure asked for. */
  readonly duplicateDeliveries: readonly string[];
  /** Acknowledged, or passed over, and never finished. */
  readonly acknowledgedWithoutSuccess: readonly string[];
  /** Handed over after it was seen acknowledged, and not because someone had claimed it before. */
  readonly resurrected: readonly string[];
  /** Given to the group, and neither acknowledged nor pending nor dead. */
  readonly unaccounted: readonly string[];
  /** More than one of these, or dead twice, or no longer acknowledged. */
  readonly accountedTwice: readonly string[];
  /** In the stream, and not read by the group yet. */
  readonly undelivered: readonly string[];
}

export type Verdict = ProducingVerdict & ConsumingVerdict;

/** What at-least-once forbids. */
export const BREACHES = [
  'lost',
  'unexpected',
  'outOfOrder',
  'acknowledgedWithoutSuccess',
  'resurrected',
  'unaccounted',
  'accountedTwice',
] as const;

/** What it allows, and what a test may forbid where it can be avoided. */
export const ALLOWANCES = ['duplicatedInStream', 'duplicateDeliveries', 'undelivered'] as const;

export type Finding = (typeof BREACHES)[number] | (typeof ALLOWANCES)[number];

const MEANING: Record<Finding, string> = {
  lost: 'lost (confirmed, and neither in the stream nor dead)',
  unexpected: 'unexpected (never attempted, or another entry)',
  outOfOrder: 'out of order (after what its producer attempted later)',
  acknowledgedWithoutSuccess: 'acknowledged without success',
  resurrected: 'resurrected (delivered after it was acknowledged)',
  unaccounted: 'unaccounted (delivered, and neither acknowledged nor pending nor dead)',
  accountedTwice: 'accounted twice (of acknowledged, pending, dead)',
  duplicatedInStream: 'duplicated in the stream',
  duplicateDeliveries: 'delivered again without a failure',
  undelivered: 'not delivered yet',
};

const MAX_NAMED = 10;

/** True when nothing is found that at-least-once forbids. */
export const isSound = (verdict: Verdict): boolean => BREACHES.every((finding) => verdict[finding].length === 0);

/** The verdict for people: the balance, then everything found, the worst first. */
export function explain(verdict: Verdict): string {
  const {attempted, confirmed, inStream, handedOver, succeeded, given, acknowledged, pending, dead} = verdict;
  return [
    isSound(verdict) ? 'sound' : 'NOT SOUND',
    `attempted ${attempted}, confirmed ${confirmed}, in the stream ${inStream}`,
    `handed over ${handedOver} times, finished ${succeeded}`,
    `delivered ${given} = acknowledged ${acknowledged} + pending ${pending} + dead ${dead}`,
    ...[...BREACHES, ...ALLOWANCES]
      .filter((finding) => verdict[finding].length > 0)
      .map((finding) => `${verdict[finding].length} ${MEANING[finding]}: ${named(verdict[finding])}`),
  ].join('\n');
}

function named(values: readonly string[]): string {
  const rest = values.length - MAX_NAMED;
  return values.slice(0, MAX_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
