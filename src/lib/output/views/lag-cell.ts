/** How a lag looks to a person: `~` before what is not proven, and what it is at least where Redis has no figure. */
import type {LagFacts} from '../../reports/lag.js';

export function lagCell({lag, lagExact, lagAtLeast, lagSource}: LagFacts): string {
  if (lagExact) return String(lag);
  return lagSource === 'bound' ? `~${lag} (≥${lagAtLeast})` : `~${lag}`;
}
