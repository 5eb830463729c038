/**
 * From input to streams: reads items, hands the records to a Producer, and does
 * with bad lines what was asked. Invariant: when it ends, `read` = added +
 * rejected + unconfirmed + bad, whichever way it ended; and with `fail`,
 * exactly the records before the first bad line were sent.
 */
import {StreamlogError} from '../errors.js';
import {
  type BadLine,
  describeBadLine,
  type FlatRecord,
  type GoodLine,
  type InputPage,
  isBadLine,
} from '../input/records.js';
import type {Addition} from '../stream-client.js';
import type {ProduceCounts, Producer} from './producer.js';

export interface BulkOptions {
  onBadLine: 'fail' | 'skip';
  /** What to add for a record; asked once a record. */
  additionOf: (record: FlatRecord | GoodLine) => Addition;
  /** Told of each line that was skipped. */
  onSkipped: (description: string) => void;
  /** Told of the counts after each batch of input. */
  onProgress?: (counts: BulkCounts) => void;
}

export interface BulkCounts extends ProduceCounts {
  /** Records and bad lines; blank lines do not count. */
  read: number;
  bad: number;
}

export interface BulkResult {
  counts: BulkCounts;
  /** What ended the work early or makes it incomplete; undefined when every record was added. */
  failure?: unknown;
}

/** Never throws for what Redis or the input did: that is in the result, beside the counts that belong to it. */
export async function bulkProduce(
  pages: AsyncIterable<InputPage>,
  producer: Producer,
  options: BulkOptions,
): Promise<BulkResult> {
  const seen = {read: 0, bad: 0};
  const counts = (): BulkCounts => ({...seen, ...producer.counts});
  let failure: unknown;
  try {
    for await (const page of pages) {
      const stop = await takePage(page, producer, options, seen);
      if (stop !== undefined) {
        failure = badLineFailure(stop);
        break;
      }
      options.onProgress?.(counts());
      if (producer.failed) break;
    }
  } catch (error) {
    failure = error;
  }
  try {
    await producer.finish();
  } catch (error) {
    // What Redis said first is the cause; a source that broke because of it is not.
    failure = producer.counts.unconfirmed === 0 ? error : unconfirmedFailure(producer.counts.unconfirmed, error);
  }
  if (failure === undefined && seen.bad > 0) {
    failure = new StreamlogError('data', `${seen.bad} of ${seen.read} lines were skipped`);
  }
  return {counts: counts(), failure};
}

/** For people and scripts: `read 5, added 4, rejected 0, unconfirmed 0, bad lines 1`. */
export const describeCounts = ({read, added, rejected, unconfirmed, bad}: BulkCounts): string =>
  `read ${read}, added ${added}, rejected ${rejected}, unconfirmed ${unconfirmed}${bad > 0 ? `, bad lines ${bad}` : ''}`;

/** Sends one page of input; returns the bad line that ends the work, if there is one. */
async function takePage(
  page: InputPage,
  producer: Producer,
  {onBadLine, additionOf, onSkipped}: BulkOptions,
  seen: {read: number; bad: number},
): Promise<BadLine | undefined> {
  for (let item = page.next(); item !== undefined; item = page.next()) {
    seen.read++;
    if (!isBadLine(item)) {
      await producer.add(additionOf(item));
      continue;
    }
    seen.bad++;
    if (onBadLine === 'fail') return item;
    onSkipped(describeBadLine(item));
  }
  await producer.flush();
  return undefined;
}

const unconfirmedFailure = (count: number, cause: unknown): unknown =>
  cause instanceof StreamlogError && cause.kind === 'unreachable'
    ? new StreamlogError('temporary', `${count} records are unconfirmed: ${cause.message}`, {
        code: cause.code,
        hint: 'they may be in the stream or not; to run again adds them, and those that arrived a second time',
      })
    : cause;

const badLineFailure = (line: BadLine): StreamlogError =>
  new StreamlogError('data', describeBadLine(line), {
    hint: 'everything before it was added; --on-bad-line skip goes on past bad lines',
  });
