/** How far a group is behind, as a table shows it: `-` for nothing, `~` before what is not proven, `?` for what is not known. */
import {formatDuration} from '../../duration.js';
import type {LagFacts} from '../../reports/lag.js';
import type {Behind} from '../../reports/list-lag.js';

/** Also what it is at least, where Redis has no figure. */
export function lagCell({lag, lagExact, lagAtLeast, lagSource}: LagFacts): string {
  if (lagExact) return String(lag);
  return lagSource === 'bound' ? `~${lag} (≥${lagAtLeast})` : `~${lag}`;
}

/** The same where it may not be known at all. */
export function listedLagCell({lag, lagExact}: Pick<Behind, 'lag' | 'lagExact'>): string {
  return lagExact === false && lag !== null ? `~${lag}` : knownCell(lag);
}

/** The age of the oldest unread entry. */
export function unreadCell({behindMs, lagAtMost}: Pick<Behind, 'behindMs' | 'lagAtMost'>): string {
  return lagAtMost === 0 ? '-' : knownCell(behindMs, formatDuration);
}

export const knownCell = (figure: number | null | undefined, format: (figure: number) => string = String): string =>
  figure === null || figure === undefined ? '?' : format(figure);
