/**
 * The one error that users see: its kind, hence its exit code, one line of what happened and, where there is something to
 * do, one line of hint. Invariant: it never holds an error of ioredis, which has the arguments of the command, and so
 * payloads and passwords (https://github.com/redis/ioredis/blob/main/lib/DataHandler.ts).
 */
import type {Outcome} from './exit-codes.js';

export interface FailureDetails {
  /** What the user can do about it, as one line; usually a command to type. */
  hint?: string;
  /** What the user typed, and where in it the mistake is. */
  excerpt?: Excerpt;
  /** Redis' own error word (`WRONGTYPE`, `OOM`) or the system's (`ECONNREFUSED`). */
  code?: string;
  /** The stream, or the group of it, that does not exist. */
  missing?: Missing;
  /** A word that stands where no stream is named, and may be the name of one. */
  word?: string;
  cause?: unknown;
}

/** What a failure of the kind `notFound` has not found. */
export interface Missing {
  stream: string;
  group?: string;
}

/** A text, and an offset into it. */
export interface Excerpt {
  readonly text: string;
  readonly at: number;
}

export class StreamlogError extends Error {
  readonly kind: Outcome;
  readonly hint: string | undefined;
  readonly excerpt: Excerpt | undefined;
  readonly code: string | undefined;
  readonly missing: Missing | undefined;
  readonly word: string | undefined;

  constructor(kind: Outcome, message: string, {hint, excerpt, code, missing, word, cause}: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : {cause});
    this.name = 'StreamlogError';
    this.kind = kind;
    this.hint = hint;
    this.excerpt = excerpt;
    this.code = code;
    this.missing = missing;
    this.word = word;
  }
}

/** The code of a reply that Redis does not give to the command. Trying again is of no use. */
export const NOT_REDIS = 'NOT_REDIS';

/** The code of a command that was never sent, since there is no connection. */
export const NOT_CONNECTED = 'NOT_CONNECTED';

/** The failure of a command on a connection that had ended, or could not be made, as `cause` says. */
export function notConnected(cause?: unknown): StreamlogError {
  if (!(cause instanceof StreamlogError)) {
    return new StreamlogError('unreachable', 'not connected to Redis', {code: NOT_CONNECTED});
  }
  return new StreamlogError(cause.kind, cause.message, {code: NOT_CONNECTED, hint: cause.hint});
}

/** True for a failure of this kind, whatever else is thrown. */
export const isFailure = (error: unknown, kind: Outcome): error is StreamlogError =>
  error instanceof StreamlogError && error.kind === kind;

/** Not allowed, a command that the server does not have, gone meanwhile, of another type, not just now; the connection is not lost. */
const REFUSALS = ['denied', 'configuration', 'notFound', 'data', 'temporary'] as const satisfies readonly Outcome[];
type Refusal = (typeof REFUSALS)[number];

/** The user may not ask, or the server does not have the command. */
export const NOT_ALLOWED: readonly Refusal[] = ['denied', 'configuration'];

/** True for a refusal of one of these kinds. */
export const isRefusal = (error: unknown, refusals: readonly Refusal[] = REFUSALS): error is StreamlogError =>
  refusals.some((kind) => isFailure(error, kind));

/** What is asked for; undefined where it is refused for one of `refusals`. */
export async function unlessRefused<T>(
  asked: Promise<T>,
  refusals: readonly Refusal[] = REFUSALS,
): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isRefusal(error, refusals)) return undefined;
    throw error;
  }
}

/** The same; undefined for a user who may not ask. */
export const unlessDenied = <T>(asked: Promise<T>): Promise<T | undefined> => unlessRefused(asked, ['denied']);

/** The code of the failure of what is in the stream, but not as safe as it was asked to be. It is not sent again. */
export const NOT_DURABLE = 'NOT_DURABLE';

/** The code of the failure of a stream that does not exist. */
export const NO_STREAM = 'NOSTREAM';

export const isNoStream = (error: unknown): error is StreamlogError =>
  error instanceof StreamlogError && error.code === NO_STREAM;

/** Whether the same command may succeed later: the connection was lost, or the server refuses for now. */
export const isRetryable = (error: unknown): error is StreamlogError =>
  error instanceof StreamlogError &&
  (error.kind === 'unreachable' || error.kind === 'temporary') &&
  error.code !== NOT_REDIS &&
  error.code !== NOT_DURABLE;

/** A mistake in what the user typed: exit code 2. */
export const usageError = (message: string, hint?: string): StreamlogError =>
  new StreamlogError('usage', message, {hint});

/** The same for `word`, which is not what is expected where it stands, and may be the name of a stream. */
export const wrongWord = (word: string, message: string, hint: string): StreamlogError =>
  new StreamlogError('usage', message, {hint, word});

/** Errors of errno(3) that have an obvious cause. */
const SYSTEM_REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'no such file',
  ENOSPC: 'no space is left',
};

/** What an error of the system means, in words if there are any for its code. */
export const systemReason = (code: string | undefined): string =>
  code === undefined ? 'unknown error' : (SYSTEM_REASONS[code] ?? code);
