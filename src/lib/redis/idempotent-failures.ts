/** What goes wrong when records are added once, as failures that say what can be done. */
import {StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import type {IdempotentResult} from './producer-state.js';
import {MOST_FIELDS_IN_SCRIPT} from './script.js';
import {noStream} from './server-errors.js';

/** What stopped a call whose first record has the number `first`; undefined when nothing did. */
export function failureOf(
  {stopped, lastSequence}: IdempotentResult,
  stream: string,
  first: number,
): StreamlogError | undefined {
  if (stopped === undefined || stopped instanceof StreamlogError) return stopped;
  if (stopped === 'no stream') return noStream(stream);
  if (stopped === 'gone') return streamGone(stream);
  if (stopped === 'gap') return gap(first - 1, lastSequence);
  return new StreamlogError('data', `another producer of the same --producer-id adds to "${stream}"`);
}

/** What Redis refused a call of the script for. */
export function scriptFailure(failure: StreamlogError): StreamlogError {
  const {code} = failure;
  if (code === 'NOPERM') return scriptForbidden(failure);
  if (code !== 'NOSCRIPT') return failure;
  // After SCRIPT FLUSH. The script is loaded again at each new connection.
  return new StreamlogError('temporary', 'Redis has forgotten the script of --exactly-once', {code});
}

/** A failure of opening a connection that is about the state of the producer, where it would seem to be about the stream. */
export function stateFailure(failure: unknown, key: string): unknown {
  if (!(failure instanceof StreamlogError)) return failure;
  if (failure.code === 'NOPERM') return scriptForbidden(failure);
  if (failure.code !== 'WRONGTYPE') return failure;
  return new StreamlogError('data', `"${key}" does not say how far a producer has come, but holds something else`, {
    code: failure.code,
    hint: 'give another --producer-id',
  });
}

/** A user who may add to a stream may still not run scripts, or write beside the stream. */
const scriptForbidden = ({message, code}: StreamlogError): StreamlogError =>
  new StreamlogError('denied', `${message} (--exactly-once adds by a script, and keeps a hash beside the stream)`, {
    code,
    hint: '--exactly-once needs the keys {STREAM}:streamlog:*, scripts, and the commands of hashes',
  });

export const transactionForbidden = ({message, code}: StreamlogError): StreamlogError =>
  new StreamlogError(
    'denied',
    `${message} (a record of more than ${withCommas(MOST_FIELDS_IN_SCRIPT)} fields is added in a transaction)`,
    {
      code,
      hint: 'it needs MULTI, EXEC, DISCARD, WATCH, XLEN and XREVRANGE, beside what other records need with --exactly-once',
    },
  );

/** On a connection that was not lost it is no failover: data was deleted on purpose. */
const gap = (confirmed: number, lastSequence: number): StreamlogError =>
  new StreamlogError(
    'incomplete',
    lastSequence === 0
      ? `what Redis knew of this producer is gone, though ${confirmed} records were confirmed: it was deleted, ` +
          'perhaps with the stream, or dropped for want of memory'
      : `the stream has only ${lastSequence} records of this producer, where ${confirmed} were confirmed: the others are lost`,
    {code: 'GAP', hint: 'with --resume, running again adds what is missing'},
  );

/** What this producer has added is not in the stream any more, though it was not trimmed: it is another stream. */
export const streamGone = (stream: string): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `the stream "${stream}" was deleted, and perhaps begun anew, since this producer added to it: those records are lost`,
    {
      code: 'STREAM_GONE',
      hint: 'another --producer-id adds all records again; with --resume, so does removing the checkpoint',
    },
  );

/** To go on could add records twice: those that were sent and not confirmed may be in the stream. */
export const producerForgotten = (confirmed: number): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `Redis has forgotten this producer, of which ${confirmed} records were added: its state was deleted, or dropped for want of memory`,
    {
      code: 'PRODUCER_FORGOTTEN',
      hint: 'the stream has those records; with --resume, running again goes on behind its checkpoint',
    },
  );
