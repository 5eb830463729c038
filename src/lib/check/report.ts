/** What a check comes to, under the names of its JSON output. Invariant: a bound that is not known, or infinite, is null. */
import type {CheckExpression} from './expression.js';
import type {MetricName, Unit} from './metrics.js';
import type {Outcome} from './outcome.js';
import {type CheckResult, STATES, type State} from './verdict.js';

export interface ResultReport {
  state: State;
  stream: string | null;
  group: string | null;
  metric: MetricName;
  unit: Unit;
  /** Null where it is not exact. */
  value: number | null;
  atLeast: number | null;
  atMost: number | null;
  warn: string[];
  critical: string[];
  /** The expression that holds, or that nothing proves. */
  because: string | null;
}

export interface CheckReport {
  state: State;
  /** The exit code. */
  code: number;
  message: string;
  results: ResultReport[];
}

export const checkReport = ({state, results}: Outcome, message: string): CheckReport => ({
  state,
  code: STATES[state],
  message,
  results: results.map(resultReport),
});

export function resultReport({bounds, limits, decisive, ...result}: CheckResult): ResultReport {
  const {state, stream, group, metric, unit} = result;
  const [atLeast, atMost] = [finite(bounds?.atLeast), finite(bounds?.atMost)];
  const value = atLeast === atMost ? atLeast : null;
  const [warn, critical] = [limits.warning.map(textOf), limits.critical.map(textOf)];
  const because = decisive === undefined ? null : textOf(decisive);
  return {state, stream, group, metric, unit, value, atLeast, atMost, warn, critical, because};
}

const finite = (bound: number | undefined): number | null =>
  bound === undefined || !Number.isFinite(bound) ? null : bound;

const textOf = ({metric, condition}: CheckExpression): string => `${metric}${condition}`;
