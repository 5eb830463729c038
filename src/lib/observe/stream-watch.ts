/**
 * Streams that are looked at again and again: reports with rates, and what has become of a stream since the last look. Invariant: a stream that
 * is another one than before is said to be, once, and its rates begin anew.
 */
import {isFailure} from '../errors.js';
import {streamChange} from '../reading/stream-change.js';
import {untilStopped} from '../reading/until-stopped.js';
import {ReconnectingClient, type ReconnectingOptions} from '../reconnecting-client.js';
import {type ReportOptions, readStream, type StreamReading, type StreamReport} from '../reports/stream-report.js';
import type {StreamClient} from '../stream-client.js';
import {countersOf, NO_RATES, RateMeter, type StreamRates} from './rates.js';

export interface WatchedStream {
  stream: string;
  /** Undefined while there is no such stream. */
  report: StreamReport | undefined;
  rates: StreamRates;
}

export interface WatchOptions extends Omit<ReportOptions, 'nowMs'> {
  /** Whether a stream that is gone is waited for; otherwise that throws `notFound`. One that was never there always does. */
  waitsForGone: boolean;
  /** One line about what has become of a stream. */
  onChange: (line: string) => void;
}

interface Watched {
  readonly stream: string;
  meter: RateMeter;
  last: StreamReading | undefined;
  isGone: boolean;
}

export class StreamWatch {
  readonly #options: WatchOptions;
  readonly #streams: Watched[];

  constructor(streams: readonly string[], options: WatchOptions) {
    this.#options = options;
    this.#streams = streams.map((stream) => ({stream, meter: new RateMeter(), last: undefined, isGone: false}));
  }

  /** Looks at all of them. */
  async read(client: StreamClient, nowMs: number): Promise<WatchedStream[]> {
    const found: WatchedStream[] = [];
    for (const watched of this.#streams) found.push(await this.#look(client, watched, nowMs));
    return found;
  }

  async #look(client: StreamClient, watched: Watched, nowMs: number): Promise<WatchedStream> {
    const {stream} = watched;
    try {
      const reading = await readStream(client, stream, {...this.#options, nowMs});
      this.#notice(watched, reading);
      const counters = countersOf(reading.info, reading.groups, performance.now());
      return {stream, report: reading.report, rates: watched.meter.take(counters)};
    } catch (error) {
      const mayWait = this.#options.waitsForGone && watched.last !== undefined;
      if (!mayWait || !isFailure(error, 'notFound')) throw error;
      if (!watched.isGone) this.#options.onChange(`stream "${stream}" is gone; waiting for it to begin anew`);
      watched.isGone = true;
      return {stream, report: undefined, rates: NO_RATES};
    }
  }

  #notice(watched: Watched, reading: StreamReading): void {
    const {stream, last, isGone} = watched;
    watched.last = reading;
    watched.isGone = false;
    if (last === undefined) return;
    const change = isGone ? 'anew' : streamChange(last.info, last.info.lastGeneratedId, reading.info);
    if (change === 'none') return;
    watched.meter = new RateMeter();
    this.#options.onChange(
      change === 'anew'
        ? `stream "${stream}" has begun anew`
        : `stream "${stream}" lacks what was added after ${reading.info.lastGeneratedId}, as after a failover`,
    );
  }
}

/**
 * Looks at `streams` again every `everyMs`, on a connection that is replaced when it is lost, until `stopping`. Throws `notFound` as StreamWatch does,
 * and `unreachable` when the time for retries is up.
 */
export async function* watchStreams(
  streams: readonly string[],
  {everyMs, ...options}: WatchOptions & Omit<ReconnectingOptions, 'mayFailOver'> & {everyMs: number},
): AsyncGenerator<WatchedStream[], void, void> {
  const watch = new StreamWatch(streams, options);
  const redis = new ReconnectingClient({...options, mayFailOver: true});
  const readings = redis.repeat((client) => watch.read(client, Date.now()), everyMs);
  try {
    yield* untilStopped(readings, redis, options.stopping);
  } finally {
    redis.close();
  }
}
