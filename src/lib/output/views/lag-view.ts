/** How far a group is behind, as a table shows it: `-` for nothing, `~` before what is not proven, `?` for what is not known. */
import {shortDuration} from '../../duration.js';
import type {Behind} from '../../reports/behind.js';
import type {LagFacts} from '../../reports/lag.js';
import type {Display} from '../display.js';

/** Also what it is at least, where Redis has no figure. */
export function lagCell({lag, lagExact, lagAtLeast, lagSource}: LagFacts, {count}: Display): string {
  if (lagExact) return count(lag);
  return lagSource === 'bound' ? `~${count(lag)} (≥${count(lagAtLeast)})` : `~${count(lag)}`;
}

/** The same where it may not be known at all. */
export function listedLagCell({lag, lagExact}: Pick<Behind, 'lag' | 'lagExact'>, {count}: Display): string {
  return lagExact === false && lag !== null ? `~${count(lag)}` : knownCell(lag, count);
}

/** The age of the oldest unread entry. */
export function unreadCell({behindMs, lagAtMost}: Pick<Behind, 'behindMs' | 'lagAtMost'>): string {
  return lagAtMost === 0 ? '-' : knownCell(behindMs, shortDuration);
}

export const knownCell = (figure: number | null | undefined, format: (figure: number) => string): string =>
  figure === null || figure === undefined ? '?' : format(figure);

/** `8.4/s`; `?` where it is not known, as before the second reading. */
export const rateCell = (perSec: number | null | undefined, {count}: Display): string =>
  knownCell(perSec, (rate) => `${rate < 100 ? rate.toFixed(1) : count(Math.round(rate))}/s`);
