/**
 * Adds the records of an input, which is any source of pages, and does with bad
 * lines what was asked. Invariant: when it ends, `read` = added + already +
 * rejected + unconfirmed + bad, whichever way it ended; and with `fail`, exactly
 * the records before the first bad line were sent.
 */
import {NOT_REDIS, StreamlogError} from '../errors.js';
import {
  type BadLine,
  describeBadLine,
  type GoodLine,
  type InputPage,
  type InputPosition,
  isBadLine,
  START,
} from '../input/input-item.js';
import {countOf, FlatRecord} from '../records/raw-fields.js';
import type {AddRequest} from '../stream-client.js';
import type {ProduceCounts, Producer} from './producer.js';

export interface ProduceOptions {
  onBadLine: 'fail' | 'skip';
  /** Asked once a page; gives the request for a record of it, one object for all of them. Its fields are set here. */
  requestsOf: () => (record: FlatRecord | GoodLine) => AddRequest;
  /** Records that come before the first page, from the start of the input. */
  recordsBefore: number;
  /** All records or none: they are sent when the input has ended well. */
  atomic: boolean;
  /** Aborted when the input may have been cut off. */
  stopping: AbortSignal;
  /** What to do about records that are unconfirmed. */
  unconfirmedHint: string;
  /** Gives a first line that is bad a hint, where the input looks like one of another format. */
  explain?: ((badLine: BadLine) => Promise<BadLine>) | undefined;
  /** Called with each line that was skipped; what it returns is waited for. */
  onSkipped: (description: string) => Promise<void> | undefined;
  /** Called with the counts after each page of input. */
  onProgress?: ((counts: RecordCounts) => void) | undefined;
}

export interface RecordCounts extends ProduceCounts {
  /** Records and bad lines; blank lines do not count. */
  read: number;
  bad: number;
}

export interface ProduceResult {
  counts: RecordCounts;
  /** How much of the input was dealt with: a bad line that ended the work is behind that. */
  usedBytes: number;
  /** What ended the work early or makes it incomplete; undefined when every record was added. */
  failure?: unknown;
}

/** Never throws for what Redis or the input did: that is in the result, beside the counts that belong to it. */
export async function produceRecords(
  pages: AsyncIterable<InputPage>,
  producer: Producer,
  options: ProduceOptions,
): Promise<ProduceResult> {
  const seen: Seen = {read: 0, bad: 0, usedBytes: 0, hint: undefined};
  const counts = (): RecordCounts => ({read: seen.read, bad: seen.bad, ...producer.counts});
  let failure: unknown;
  try {
    for await (const page of pages) {
      const stop = await takePage(page, producer, options, seen);
      if (stop !== undefined) {
        failure = badLineFailure(stop, options.atomic);
        break;
      }
      options.onProgress?.(counts());
      if (producer.failed) break;
    }
    if (options.atomic && failure === undefined) {
      if (options.stopping.aborted)
        failure = new StreamlogError('incomplete', 'the input was cut off; nothing was added');
      else await producer.flush({position: START, records: 0});
    }
  } catch (error) {
    failure = error;
  }
  try {
    await producer.finish();
  } catch (error) {
    // What Redis said first is the cause; a source that broke because of it is not.
    const {unconfirmed} = producer.counts;
    failure = unconfirmed === 0 ? error : unconfirmedFailure(unconfirmed, error, options.unconfirmedHint);
  }
  if (failure === undefined && seen.bad > 0) {
    failure = new StreamlogError('data', `${seen.bad} of ${seen.read} lines were skipped`, {hint: seen.hint});
  }
  return {counts: counts(), usedBytes: seen.usedBytes, failure};
}

interface Seen {
  read: number;
  bad: number;
  usedBytes: number;
  /** What to do about an input whose first line was skipped. */
  hint: string | undefined;
}

/** Sends one page of input; returns the bad line that ends the work, if there is one. */
async function takePage(
  page: InputPage,
  producer: Producer,
  options: ProduceOptions,
  seen: Seen,
): Promise<BadLine | undefined> {
  const {onBadLine, recordsBefore, atomic, onSkipped} = options;
  const requestOf = options.requestsOf();
  const mostFields = producer.mostFieldsTogether;
  const flush = (position: InputPosition = page.position ?? START, isRead = 0): Promise<void> =>
    producer.flush({position, records: recordsBefore + seen.read - seen.bad - isRead});
  for (let item = page.next(); item !== undefined; item = page.next()) {
    seen.read++;
    if (!isBadLine(item)) {
      const request = requestOf(item);
      request.fields = item instanceof FlatRecord ? item : item.fields;
      const isAlone = mostFields !== undefined && countOf(request.fields) > mostFields;
      if (isAlone) await flush(page.positionBefore, 1);
      const isFull = producer.add(request, item.line);
      if (isAlone || (isFull && !atomic)) await flush();
      continue;
    }
    const bad = item.head === undefined || options.explain === undefined ? item : await options.explain(item);
    seen.bad++;
    if (onBadLine === 'fail') {
      seen.usedBytes = page.positionBefore?.bytes ?? 0;
      if (!atomic) await flush(page.positionBefore);
      return bad;
    }
    seen.hint ??= bad.hint;
    const said = onSkipped(describeBadLine(bad));
    if (said !== undefined) await said;
  }
  seen.usedBytes = page.position?.bytes ?? 0;
  if (!atomic) await flush();
  return undefined;
}

const unconfirmedFailure = (count: number, cause: unknown, hint: string): unknown =>
  cause instanceof StreamlogError && cause.kind === 'unreachable' && cause.code !== NOT_REDIS
    ? new StreamlogError('temporary', `${count} records are unconfirmed: ${cause.message}`, {
        code: cause.code,
        hint,
      })
    : cause;

const badLineFailure = (line: BadLine, atomic: boolean): StreamlogError =>
  new StreamlogError('data', describeBadLine(line), {
    hint:
      line.hint ??
      (atomic
        ? 'nothing was added; --on-bad-line skip adds the other lines'
        : 'everything before it was added; --on-bad-line skip goes on past bad lines'),
  });
