/**
 * What a check comes to: a state for each figure, and the worst of them. Invariant: `ok` says that each expression was proven
 * not to hold, of at least one figure; what is not known, or only a bound that proves nothing, is `unknown`.
 */
import type {GroupFacts, StreamFacts} from '../observe/snapshot.js';
import {type CheckExpression, decide} from './expression.js';
import {
  type Bounds,
  type CheckedServer,
  isGroupMetric,
  isServerMetric,
  isStreamMetric,
  type MetricName,
  ofGroup,
  ofMissingStream,
  ofServer,
  ofStream,
  type Unit,
  unitOf,
} from './metrics.js';

/** From the worst to the best, with the exit codes that Nagios has for them (https://nagios-plugins.org/doc/guidelines.html). */
export const STATES = {critical: 2, unknown: 3, warning: 1, ok: 0} as const;
export type State = keyof typeof STATES;
const FROM_WORST = Object.keys(STATES) as State[];

export interface Limits {
  readonly critical: readonly CheckExpression[];
  readonly warning: readonly CheckExpression[];
}

/** One figure, and what it comes to. */
export interface CheckResult {
  state: State;
  /** Null for what is of the server. */
  stream: string | null;
  /** Null for what is of a stream. */
  group: string | null;
  metric: MetricName;
  unit: Unit;
  bounds: Bounds | undefined;
  /** Those about this metric. */
  limits: Limits;
  /** The expression that made the state; undefined where none holds. */
  decisive: CheckExpression | undefined;
}

/** What is checked. A stream without facts does not exist. */
export interface CheckedFacts {
  server: CheckedServer;
  streams: readonly {stream: string; facts: StreamFacts | undefined}[];
  /** Only this one of each stream; all where it is undefined. */
  group: string | undefined;
}

/** The worst first; of the same state in the order of `facts`. */
export function checkFacts({server, streams, group}: CheckedFacts, limits: Limits): CheckResult[] {
  const metrics = metricsOf(limits);
  const results = metrics
    .filter(isServerMetric)
    .map((metric) => resultOf({stream: null, group: null}, metric, ofServer(metric, server), limits));
  for (const {stream, facts} of streams) {
    for (const metric of metrics.filter(isStreamMetric)) {
      const bounds = facts === undefined ? ofMissingStream(metric) : ofStream(metric, facts);
      results.push(resultOf({stream, group: null}, metric, bounds, limits));
    }
    for (const found of groupsOf(facts, group))
      for (const metric of metrics.filter(isGroupMetric)) {
        const bounds = typeof found === 'string' ? undefined : ofGroup(metric, found);
        results.push(
          resultOf({stream, group: typeof found === 'string' ? found : found.group}, metric, bounds, limits),
        );
      }
  }
  return results.toSorted((one, other) => FROM_WORST.indexOf(one.state) - FROM_WORST.indexOf(other.state));
}

/** In the order in which they were first named. */
export const metricsOf = ({critical, warning}: Limits): MetricName[] => [
  ...new Set([...warning, ...critical].map(({metric}) => metric)),
];

/** A name alone where the user may not ask for groups: then nothing is known of any. */
function groupsOf(facts: StreamFacts | undefined, group: string | undefined): readonly (GroupFacts | string)[] {
  if (facts?.groups === null) return [group ?? '*'];
  return (facts?.groups ?? []).filter((one) => group === undefined || one.group === group);
}

function resultOf(
  key: {stream: string | null; group: string | null},
  metric: MetricName,
  bounds: Bounds | undefined,
  all: Limits,
): CheckResult {
  const isOfMetric = (expression: CheckExpression): boolean => expression.metric === metric;
  const limits = {critical: all.critical.filter(isOfMetric), warning: all.warning.filter(isOfMetric)};
  return {...key, metric, unit: unitOf(metric), bounds, limits, ...stateOf(bounds, limits)};
}

function stateOf(bounds: Bounds | undefined, {critical, warning}: Limits): Pick<CheckResult, 'state' | 'decisive'> {
  const outcome = (expression: CheckExpression): boolean | undefined =>
    bounds === undefined ? undefined : decide(expression, bounds);
  const holding = (expressions: readonly CheckExpression[]) => expressions.find((one) => outcome(one) === true);
  const undecided = (expressions: readonly CheckExpression[]) => expressions.find((one) => outcome(one) === undefined);
  const tries: [State, CheckExpression | undefined][] = [
    ['critical', holding(critical)],
    ['unknown', undecided(critical)],
    ['warning', holding(warning)],
    ['unknown', undecided(warning)],
  ];
  const [state, decisive] = tries.find(([, expression]) => expression !== undefined) ?? ['ok', undefined];
  return {state, decisive};
}

/** Of `results`; unknown where there are none, and at least where something could not be looked at. */
export function worstOf(results: readonly Pick<CheckResult, 'state'>[], isIncomplete = results.length === 0): State {
  const states = [...results.map(({state}) => state), ...(isIncomplete ? ['unknown' as const] : [])];
  return FROM_WORST.find((state) => states.includes(state)) ?? 'unknown';
}
