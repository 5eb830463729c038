/**
 * What a check comes to as a whole. Invariants: Redis that does not serve is critical; whatever else keeps a stream or group from being looked
 * at makes it unknown at least.
 */
import {isFailure, type StreamlogError} from '../errors.js';
import type {Answer} from './reading.js';
import {type CheckResult, checkFacts, type Limits, type State, worstOf} from './verdict.js';

export interface Outcome {
  state: State;
  results: readonly CheckResult[];
  /** Why something was not looked at, in one line. */
  failed?: string | undefined;
  /** Where nothing was. */
  failure?: StreamlogError;
}

export function outcomeOf({failures, ...facts}: Answer, limits: Limits): Outcome {
  const results = checkFacts(facts, limits);
  const failed = failures.map(describeFailure).join('; ') || undefined;
  const state = failures.some(isServerAway) ? 'critical' : worstOf(results, failed !== undefined);
  return {state, results, failed};
}

const isServerAway = (failure: StreamlogError): boolean =>
  isFailure(failure, 'unreachable') || isFailure(failure, 'temporary');

/** A Redis that does not serve is critical. */
export function outcomeOfFailure(failure: StreamlogError): Outcome {
  const isAway = isServerAway(failure);
  // What there is to do about it depends on where it is read.
  const failed = isAway ? failure.message : describeFailure(failure);
  return {state: isAway ? 'critical' : 'unknown', results: [], failed, failure};
}

const describeFailure = ({message, hint}: StreamlogError): string =>
  hint === undefined ? message : `${message}; ${hint}`;
