/**
 * The one error that users see. It carries its kind (hence its exit code), one
 * line of what happened and, where there is something to do, one line of hint.
 * It refuses to know how it is printed, and never holds a raw ioredis error:
 * those carry the arguments of the command, and with them payloads and
 * passwords.
 */
import type {Outcome} from './exit-codes.js';

export interface FailureDetails {
  /** What the user can do about it, as one line; usually a command to type. */
  hint?: string;
  /** Redis' own error word (`WRONGTYPE`, `OOM`) or the system's (`ECONNREFUSED`). */
  code?: string;
  cause?: unknown;
}

export class StreamlogError extends Error {
  readonly kind: Outcome;
  readonly hint: string | undefined;
  readonly code: string | undefined;

  constructor(kind: Outcome, message: string, {hint, code, cause}: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : {cause});
    this.name = 'StreamlogError';
    this.kind = kind;
    this.hint = hint;
    this.code = code;
  }
}

/** True for a failure of this kind, whatever else is thrown. */
export const isFailure = (error: unknown, kind: Outcome): error is StreamlogError =>
  error instanceof StreamlogError && error.kind === kind;

/** A mistake in what the user typed: exit code 2. */
export const usageError = (message: string, hint?: string): StreamlogError =>
  new StreamlogError('usage', message, {hint});
