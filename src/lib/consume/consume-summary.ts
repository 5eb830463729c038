/** What `consume` reports: which group it reads, failures as they come, counts at the end. */
import {formatDuration} from '../duration.js';
import {StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import type {Notes} from '../output/notes.js';
import {counted} from '../output/sentences.js';
import type {StreamRecord} from '../records/entry.js';
import type {Loss} from './ownership.js';

export class ConsumeSummary {
  written = 0;
  /** Whether a group was joined: before, there is nothing to sum up. */
  hasJoined = false;
  readonly #notes: Notes;
  readonly #isHandled: boolean;
  #gone = 0;
  #dead = 0;
  #failures = 0;
  #lost = 0;

  /** `isHandled`: entries go to handlers, so that none are written. */
  constructor(notes: Notes, {isHandled}: {isHandled: boolean}) {
    this.#notes = notes;
    this.#isHandled = isHandled;
  }

  failed({stream, id, deliveries}: StreamRecord, reason: string, retryInMs: number | undefined): void {
    this.#failures++;
    const next = retryInMs === undefined ? 'it stays pending' : `trying again in ${formatDuration(retryInMs)}`;
    this.#notes.note(`${stream} ${id}: the handler failed (${reason}, delivery ${deliveries ?? 1}); ${next}`);
  }

  dead({stream, id}: StreamRecord, reason: string): void {
    this.#dead++;
    this.#notes.warn(`${stream} ${id} went to the dead letters: ${reason}`);
  }

  /** An entry that was delivered and will not be processed here. */
  lost(stream: string, id: string, loss: Loss): void {
    this.#lost++;
    if (loss.kind === 'deleted') {
      this.#gone++;
      const how = loss.reference === 'kept' ? 'trimmed or deleted' : 'deleted with its pending reference';
      this.#notes.warn(`${stream} ${id} is no longer in the stream, ${how} before it was consumed`);
    } else {
      const who = loss.kind === 'taken' ? `consumer "${loss.by}" has taken it over` : 'it was acknowledged elsewhere';
      this.#notes.note(`${stream} ${id}: ${who}; here, nothing more is done with it`);
    }
  }

  /** The counts, on a terminal or with --verbose, and how many entries were gone; `skipped` where some were filtered. */
  report(acknowledged: number, acknowledges: boolean, skipped?: number): void {
    if (this.hasJoined) this.#notes.sumUp(this.#sentence(acknowledged, acknowledges, skipped), undefined);
    this.#notes.detail(
      `written ${this.written}, acknowledged ${acknowledged}, failed attempts ${this.#failures}, dead letters ${this.#dead}, ` +
        `lost ${this.#lost}${skipped === undefined ? '' : `, skipped ${skipped}`}`,
    );
    if (this.#gone > 0) this.#notes.warn(this.#goneText);
  }

  #sentence(acknowledged: number, acknowledges: boolean, skipped: number | undefined): string {
    return [
      ...(this.#isHandled ? [] : [`${withCommas(this.written)} written`]),
      ...(acknowledges ? [`${withCommas(acknowledged)} acknowledged`] : []),
      ...(this.#failures > 0 ? [counted(this.#failures, 'failed attempt')] : []),
      ...(this.#dead > 0 ? [counted(this.#dead, 'dead letter')] : []),
      ...(skipped === undefined ? [] : [`${withCommas(skipped)} skipped`]),
      ...(this.#lost > 0 ? [`${withCommas(this.#lost)} lost`] : []),
    ].join(', ');
  }

  /** Throws `data` when entries were trimmed or deleted before they were consumed. */
  failOnGone(): void {
    if (this.#gone > 0) throw new StreamlogError('data', this.#goneText);
  }

  get #goneText(): string {
    const [what, they] = this.#gone === 1 ? ['entry was', 'it was'] : ['entries were', 'they were'];
    return `${this.#gone} pending ${what} no longer in the stream, trimmed or deleted before ${they} consumed`;
  }
}
