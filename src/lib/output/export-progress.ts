/** How far an export is, on a terminal: a line that is overwritten. */
import {formatDuration} from '../duration.js';
import {withCommas} from '../number-text.js';
import {formatSize} from '../size.js';
import type {Progress} from '../transfer/stream-export.js';
import type {Notes} from './notes.js';
import {counted} from './sentences.js';

export class ExportProgress {
  readonly #notes: Notes;
  #startMs = 0;
  /** What was known of this stream first: an interrupted run may have done a part of it. */
  #first: Progress | undefined;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  take(progress: Progress): void {
    const nowMs = performance.now();
    if (this.#first?.stream === progress.stream) {
      this.#notes.progress(progressLine(progress, this.#first, nowMs - this.#startMs));
      return;
    }
    this.#first = progress;
    this.#startMs = nowMs;
  }
}

/** `orders  412,000 of 1,204,112 entries (34 %)  38.0 MB/s  21s left` */
function progressLine({stream, read, length, bytes}: Progress, first: Progress, elapsedMs: number): string {
  const share = length === 0 ? 1 : Math.min(1, read / length);
  const perMs = (bytes - first.bytes) / Math.max(1, elapsedMs);
  const done = read - first.read;
  const parts = [
    stream,
    `${withCommas(read)} of ${counted(length, 'entry')} (${Math.floor(share * 100)} %)`,
    `${formatSize(Math.round(perMs * 1_000))}/s`,
  ];
  if (done > 0) parts.push(`${formatDuration((elapsedMs / done) * Math.max(0, length - read))} left`);
  return parts.join('  ');
}
