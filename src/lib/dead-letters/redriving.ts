/**
 * Puts dead letters back into their streams, at a limited rate. Invariants: what `redrive` yields has moved, and every entry is
 * counted once. An entry goes back only to the stream that was named, unless that is asked for: its fields could name any
 * other, and every user who may add to the stream can write them.
 */
import {StreamlogError, usageError} from '../errors.js';
import type {Entry} from '../records/entry.js';
import type {StreamClient} from '../stream-client.js';
import {Throttle} from '../throttle.js';
import {deadLetterOrigin} from './dead-letter-origin.js';
import {putBack} from './moving.js';

export interface RedriveOptions {
  deadLetter: string;
  /** Where all entries go; undefined puts each back where it came from. */
  to?: string;
  /** Without `to`, only entries of this stream go; undefined takes them all. */
  origin?: string;
  /** Entries a second; undefined is as fast as it goes. */
  ratePerSecond?: number;
  /** Only says what would be done. */
  dryRun: boolean;
  stopping: AbortSignal;
}

/** An entry that was put back; its `newId` is null when it only would be. */
export interface Redriven {
  id: string;
  stream: string;
  newId: string | null;
}

export interface RedriveCounts {
  redriven: number;
  /** Redriven or purged by another at the same time. */
  gone: number;
  /** Without a stream to go back to. */
  withoutOrigin: number;
  /** Of another stream than was named. */
  foreign: number;
}

/** The names of streams that are kept, of those that entries came from that were left. */
const MOST_NAMES = 5;

/** Scripts under way at once. */
const PAGE = 100;

export class Redriver {
  readonly counts: RedriveCounts = {redriven: 0, gone: 0, withoutOrigin: 0, foreign: 0};
  /** Some of the streams that the foreign ones came from. */
  readonly foreignStreams = new Set<string>();
  readonly #client: StreamClient;
  readonly #options: RedriveOptions;
  readonly #throttle: Throttle | undefined;

  /** Throws a usage error when the entries would go to where they are. */
  constructor(client: StreamClient, options: RedriveOptions) {
    if (options.to === options.deadLetter) throw usageError(`the dead letters are in "${options.to}" already`);
    this.#client = client;
    this.#options = options;
    if (options.ratePerSecond !== undefined && !options.dryRun) this.#throttle = new Throttle(options.ratePerSecond);
  }

  /** What was put back, page by page, until `stopping`. Throws the failure of the first entry that could not be moved. */
  async *redrive(pages: AsyncIterable<Entry[]>): AsyncGenerator<Redriven[], void, void> {
    const {dryRun, stopping} = this.#options;
    // Learns before the first XADD whether the XDEL after it will be allowed.
    if (!dryRun) await this.#client.delete(this.#options.deadLetter, [NO_ENTRY]);
    for await (const page of pages) {
      for (let at = 0; at < page.length; ) {
        const most = Math.min(PAGE, page.length - at);
        const permitted = this.#throttle === undefined ? most : await this.#throttle.take(most, stopping);
        if (stopping.aborted) return;
        const entries = page.slice(at, at + permitted);
        at += entries.length;
        yield* this.#move(entries);
      }
    }
  }

  async *#move(entries: readonly Entry[]): AsyncGenerator<Redriven[], void, void> {
    const results = await Promise.allSettled(entries.map((entry) => this.#moveOne(entry)));
    const moved = results.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
    const redriven = moved.filter((one) => one !== undefined);
    if (redriven.length > 0) yield redriven;
    for (const outcome of results) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #moveOne({id, fields}: Entry): Promise<Redriven | undefined> {
    const {deadLetter, to, origin, dryRun} = this.#options;
    const stream = to ?? deadLetterOrigin(fields).stream;
    if (stream === undefined || stream === deadLetter) {
      this.counts.withoutOrigin++;
      return undefined;
    }
    if (to === undefined && origin !== undefined && stream !== origin) {
      this.counts.foreign++;
      if (this.foreignStreams.size < MOST_NAMES) this.foreignStreams.add(stream);
      return undefined;
    }
    const newId = dryRun ? null : await putBack(this.#client, deadLetter, {id, fields}, stream);
    if (newId === undefined) this.counts.gone++;
    else this.counts.redriven++;
    return newId === undefined ? undefined : {id, stream, newId};
  }
}

/** XDEL takes this ID, and no entry can have it. */
const NO_ENTRY = '0-0';

/** `3 put back, 1 were no longer there`, for people. */
export function describeRedrive({redriven, gone, withoutOrigin, foreign}: RedriveCounts, dryRun: boolean): string {
  const rest = [
    ...(gone > 0 ? [`${gone} were no longer there`] : []),
    ...(withoutOrigin > 0 ? [`${withoutOrigin} left in place`] : []),
    ...(foreign > 0 ? [`${foreign} of another stream left in place`] : []),
  ];
  return [`${redriven} ${dryRun ? 'would be put back' : 'put back'}`, ...rest].join(', ');
}

/** The failure of having left entries where they are. */
export const entriesWithoutOrigin = (count: number): StreamlogError =>
  new StreamlogError('data', `${count} entries do not name the stream that they came from`, {
    hint: 'choose one with --to',
  });

/** The failure of having left entries that came from elsewhere. */
export const entriesForeign = (count: number, streams: Iterable<string>, stream: string): StreamlogError =>
  new StreamlogError(
    'data',
    `${count} entries came from another stream than "${stream}": ${[...streams].map((name) => `"${name}"`).join(', ')}`,
    {hint: 'name that one with --stream, or add --any-stream to put each back where its own fields say'},
  );
