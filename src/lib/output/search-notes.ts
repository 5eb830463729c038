/**
 * What is said of a search: how far it is, while it finds nothing for long, and at its end how much was looked at. Only for
 * people, but for a search that `--max-scan` has ended: that is always said.
 */
import type {Search} from '../filter/search.js';
import {withCommas} from '../number-text.js';
import {millisecondsOf} from '../records/stream-id.js';
import {isoTime} from './format.js';
import type {Notes} from './notes.js';
import {counted} from './sentences.js';

/** Without a match for so long, the progress is shown. */
const QUIET_MS = 1_000;
const EVERY_MS = 250;

export class SearchNotes {
  readonly #notes: Notes;
  /** `up to`, or `back to` where the newest entries are looked at first. */
  readonly #direction: string;
  #shownAtMs = performance.now() + QUIET_MS - EVERY_MS;
  #isShown = false;

  constructor(notes: Notes, {reverse = false}: {reverse?: boolean} = {}) {
    this.#notes = notes;
    this.#direction = reverse ? 'back to' : 'up to';
  }

  /** After each page of which `found` entries match, before these are printed. */
  page(search: Search, found: number): void {
    const nowMs = performance.now();
    if (found > 0) {
      if (this.#isShown) this.#notes.endProgress();
      this.#isShown = false;
      this.#shownAtMs = nowMs + QUIET_MS - EVERY_MS;
    } else if (search.isFiltered && nowMs - this.#shownAtMs >= EVERY_MS) {
      this.#shownAtMs = nowMs;
      this.#isShown = true;
      this.#notes.progress(this.#sentence(search));
    }
  }

  /** At the end of what prints the matches: how many there were, filtered or not. */
  printed(search: Search): void {
    if (search.isFiltered) this.end(search);
    else this.#notes.sumUp(`printed ${counted(search.matched, 'entry')}`, undefined);
  }

  /** At the end, if anything was filtered. */
  end(search: Search): void {
    if (this.#isShown) this.#notes.endProgress();
    if (!search.isFiltered) return;
    if (search.isCutShort) this.#notes.note(`${this.#sentence(search)}; --max-scan has ended the search there`);
    else this.#notes.status(this.#sentence(search));
  }

  /** `3 of 120,000 entries matched, back to 2026-11-30T12:00:00.000Z`: within 80 columns, so that it never wraps. */
  #sentence({matched, scanned, lastId}: Search): string {
    const reached = lastId === undefined ? '' : `, ${this.#direction} ${isoTime(millisecondsOf(lastId))}`;
    return `${withCommas(matched)} of ${counted(scanned, 'entry')} matched${reached}`;
  }
}
