/**
 * What `check` prints for Nagios and its like (https://nagios-plugins.org/doc/guidelines.html): the worst in the first line, figures
 * behind a `|`, and with several streams or groups a line for each. Invariant: no name can end a line, or begin the figures.
 */
import type {CheckExpression, Operator} from '../../check/expression.js';
import type {Bounds, Unit} from '../../check/metrics.js';
import type {Outcome} from '../../check/outcome.js';
import {type CheckResult, type State, worstOf} from '../../check/verdict.js';
import {formatDuration} from '../../duration.js';
import {formatSize} from '../../size.js';
import {cutEnd} from '../cell-width.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {escapeForTerminal} from '../sanitize.js';
import {renderTable} from '../table.js';

/** What monitoring systems take of the figures; some take no more of all. */
const MOST_PERFDATA = 4_096;
/** Of the name of a stream or group. */
const MOST_NAME = 100;

/** What is checked: a stream, a group of it, or the server. */
interface Target {
  name: string;
  results: CheckResult[];
}

/** Without a newline at the end. */
export function renderForNagios(outcome: Outcome): string {
  const {state, results} = outcome;
  const first = [nagiosLine(state, describeOutcome(outcome)), ...perfdataOf(results)].join(' ');
  return isOneLine(results) ? first : [first, ...targetsOf(results).map(describeTarget)].join('\n');
}

/** One group of one stream, or less. */
function isOneLine(results: readonly CheckResult[]): boolean {
  const groups = new Set(results.flatMap(({group}) => group ?? []));
  const streams = new Set(results.flatMap(({stream}) => stream ?? []));
  return groups.size <= 1 && streams.size <= 1;
}

/** What it comes to, in one sentence. */
export function describeOutcome({state, results, failed}: Outcome): string {
  if (failed !== undefined && results.every((result) => result.state === 'ok')) return failed;
  const describe = isOneLine(results) ? describeAll : describeWorst;
  return [describe(state, targetsOf(results)), failed].filter(Boolean).join('; ');
}

/** `UNKNOWN - no stream "ordres"`, in one line. */
const nagiosLine = (state: State, text: string): string => `${state.toUpperCase()} - ${plain(text)}`;

export function renderCheck(results: readonly CheckResult[], display: Display): string {
  return renderTable(
    results,
    [
      {heading: 'state', cell: ({state}) => state},
      {heading: 'stream', least: LEAST_NAME, cell: ({stream}) => stream ?? ''},
      {heading: 'group', least: LEAST_NAME, cell: ({group}) => group ?? ''},
      {heading: 'metric', cell: ({metric}) => metric},
      {heading: 'value', right: true, cell: ({bounds, unit}) => describeBounds(bounds, unit)},
      {heading: 'warn', priority: 1, cell: ({limits}) => conditions(limits.warning)},
      {heading: 'critical', priority: 1, cell: ({limits}) => conditions(limits.critical)},
    ],
    display,
  );
}

const conditions = (expressions: readonly CheckExpression[]): string =>
  expressions.map(({condition}) => condition).join(' ');

/** In the order of `results`: the worst first. */
function targetsOf(results: readonly CheckResult[]): Target[] {
  const targets = new Map<string, Target>();
  for (const result of results) {
    const key = JSON.stringify([result.stream, result.group]);
    const target = targets.get(key) ?? {name: nameOf(result), results: []};
    targets.set(key, target);
    target.results.push(result);
  }
  return [...targets.values()];
}

const nameOf = ({stream, group}: CheckResult): string =>
  [stream, group]
    .filter((name) => name !== null)
    .map((name) => cutEnd(plain(name), MOST_NAME))
    .join('/');

/** All that is of the state; where all is well, all. */
const describeAll = (state: State, targets: readonly Target[]): string =>
  targets
    .map((target) => described(target, (result) => state === 'ok' || result.state !== 'ok'))
    .filter(Boolean)
    .join(', ');

function describeWorst(state: State, targets: readonly Target[]): string {
  const named = targets.filter(({name}) => name !== '');
  if (state === 'ok') return `all ${named.length} streams and groups are within their limits`;
  const bad = targets.filter((target) => worstOf(target.results) !== 'ok');
  const worst = described(bad[0]!, (result) => result.state !== 'ok');
  return bad.length === 1 ? worst : `${worst}; and ${bad.length - 1} more of ${targets.length}`;
}

const describeTarget = (target: Target): string => {
  const state = worstOf(target.results);
  return nagiosLine(
    state,
    described(target, (result) => state === 'ok' || result.state !== 'ok'),
  );
};

/** `orders/billing behind 6m 12s (critical >5m), lag 12304 (warn >1000)` */
function described({name, results}: Target, isShown: (result: CheckResult) => boolean): string {
  const shown = results.filter(isShown).map(describeResult);
  return shown.length === 0 ? '' : [name, shown.join(', ')].filter(Boolean).join(' ');
}

function describeResult({metric, bounds, unit, decisive, limits}: CheckResult): string {
  const figure = `${metric} ${describeBounds(bounds, unit)}`;
  if (decisive === undefined) return figure;
  return `${figure} (${limits.critical.includes(decisive) ? 'critical' : 'warn'} ${decisive.condition})`;
}

function describeBounds(bounds: Bounds | undefined, unit: Unit): string {
  if (bounds === undefined) return 'not known';
  const {atLeast, atMost} = bounds;
  if (atLeast === atMost) return formatValue(atLeast, unit);
  if (atMost === Number.POSITIVE_INFINITY) return `at least ${formatValue(atLeast, unit)}`;
  return `between ${formatValue(atLeast, unit)} and ${formatValue(atMost, unit)}`;
}

function formatValue(value: number, unit: Unit): string {
  if (value === Number.POSITIVE_INFINITY) return 'never';
  switch (unit) {
    case 'ms':
      return formatDuration(value);
    case 'bytes':
      return formatSize(value);
    case 'percent':
      return `${rounded(value, 1)}%`;
    case 'count':
      return String(value);
  }
}

const UNITS_OF_MEASURE: Record<Unit, string> = {count: '', ms: 's', bytes: 'B', percent: '%'};

/** ` | 'orders/billing lag'=12304;1000;;0 …`: as many as there is room for, the worst first; none without results. */
function perfdataOf(results: readonly CheckResult[]): string[] {
  const items: string[] = [];
  let bytes = 0;
  for (const result of results) {
    const item = perfdatum(result);
    bytes += Buffer.byteLength(item) + 1;
    if (bytes > MOST_PERFDATA) break;
    items.push(item);
  }
  return items.length === 0 ? [] : ['|', ...items];
}

function perfdatum(result: CheckResult): string {
  const {metric, bounds, unit, limits} = result;
  const label = [nameOf(result), metric].filter(Boolean).join(' ').replaceAll('=', '\\x3d').replaceAll("'", "''");
  const exact = bounds !== undefined && bounds.atLeast === bounds.atMost && Number.isFinite(bounds.atLeast);
  const value = exact ? `${inUnit(bounds.atLeast, unit)}${UNITS_OF_MEASURE[unit]}` : 'U';
  const [warning, critical] = [limits.warning, limits.critical].map(([first]) => rangeOf(first, unit));
  return `'${label}'=${value};${warning};${critical};0${unit === 'percent' ? ';100' : ''}`;
}

/** The range outside of which, or with `@` inside of which, the expression holds of what is never negative. */
function rangeOf(expression: CheckExpression | undefined, unit: Unit): string {
  return expression === undefined ? '' : RANGES[expression.operator](inUnit(expression.limit, unit));
}

const RANGES: Record<Operator, (limit: string) => string> = {
  '>': (limit) => limit,
  '>=': (limit) => `@${limit}:`,
  '<': (limit) => `${limit}:`,
  '<=': (limit) => `@0:${limit}`,
  '=': (limit) => `@${limit}:${limit}`,
  '!=': (limit) => `${limit}:${limit}`,
};

const inUnit = (value: number, unit: Unit): string =>
  unit === 'ms' ? rounded(value / 1_000, 3) : unit === 'percent' ? rounded(value, 2) : String(value);

const rounded = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

const plain = (text: string): string => escapeForTerminal(text).replaceAll('|', '\\x7c');
