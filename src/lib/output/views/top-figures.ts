/** Figures as `top` shows them. Invariant: what is not known is `-`, and a bound has a sign: never 0, never blank. */
import {formatDuration, shortDuration} from '../../duration.js';
import type {GroupFacts, StreamFacts, Trend} from '../../observe/snapshot.js';
import type {Display} from '../display.js';

/** A display that may have no more than the characters of ASCII. */
export interface TopDisplay extends Display {
  unicode: boolean;
}

export const UNKNOWN = '-';

export const known = <Figure>(figure: Figure | null | undefined, format: (figure: Figure) => string): string =>
  figure === null || figure === undefined ? UNKNOWN : format(figure);

export const atLeastSign = ({unicode}: TopDisplay): string => (unicode ? '≥' : '>=');

/** A lag that Redis has no figure for is what it is at least. */
export function lagText({lag, lagExact, lagAtLeast, lagSource}: GroupFacts, display: TopDisplay): string {
  if (lag === null) return UNKNOWN;
  if (lagExact) return display.count(lag);
  if (lagSource === 'bound' && lagAtLeast !== null && lagAtLeast > 0)
    return `${atLeastSign(display)}${display.count(lagAtLeast)}`;
  return `~${display.count(lag)}`;
}

/** In the time that a screen is looked at, milliseconds say nothing. */
export const ageText = (ms: number): string =>
  ms === 0 ? '0s' : ms < 1_000 ? '<1s' : ms < 86_400_000 ? formatDuration(ms) : shortDuration(ms);

export const rateText = (perSec: number, {count}: Display): string =>
  perSec < 1_000 ? perSec.toFixed(1) : count(Math.round(perSec));

export const drainText = ({trend, drainMs}: GroupFacts): string =>
  trend === 'draining' ? known(drainMs, ageText) : trend === 'unknown' ? UNKNOWN : trend;

export const deliveriesText = ({maxDeliveries, maxDeliveriesExact}: GroupFacts, display: TopDisplay): string =>
  known(maxDeliveries, (most) => `${maxDeliveriesExact ? '' : atLeastSign(display)}${display.count(most)}`);

export const needsHelp = (trend: Trend): boolean => trend === 'growing' || trend === 'stalled';

/** Read so long ago that it is not what is going on now. */
export const isOld = ({ageMs}: StreamFacts, everyMs: number): boolean => ageMs > 2 * everyMs;
