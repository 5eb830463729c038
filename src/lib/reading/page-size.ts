/**
 * How many entries to ask for at a time. Redis takes a number of entries, never
 * of bytes, and entries may hold ten bytes or ten megabytes: so the first pages
 * are small, and each one tells how large the next may be. Invariant: a page is
 * expected to hold about `maxBytes`, and never more than `max` entries.
 */
import type {Entry} from '../records/entry.js';
import {RawRecord} from '../records/raw-record.js';

/** What a page is expected to hold, where nothing else is said. */
export const PAGE_BYTES = 4 * 1024 * 1024;
const FIRST_PAGE = 16;
const GROWTH = 4;

export class PageSize {
  readonly #max: number;
  readonly #maxBytes: number;
  #count: number;

  constructor(max: number, first = FIRST_PAGE, maxBytes = PAGE_BYTES) {
    this.#max = max;
    this.#maxBytes = maxBytes;
    this.#count = Math.min(first, max);
  }

  /** Where an entry is known to take about `entryBytes`, so that the first page need not be a guess. */
  static expecting(max: number, entryBytes: number | undefined, maxBytes = PAGE_BYTES): PageSize {
    const first = entryBytes === undefined ? FIRST_PAGE : Math.floor(maxBytes / (GROWTH * Math.max(1, entryBytes)));
    return new PageSize(max, Math.max(1, Math.min(first, FIRST_PAGE * GROWTH)), maxBytes);
  }

  /** Entries to ask for now. */
  get count(): number {
    return this.#count;
  }

  /** For a page that says nothing about the size of entries: the next one may be larger. */
  widen(): void {
    this.#count = Math.min(this.#count * GROWTH, this.#max);
  }

  /** Learns from a page that came. */
  adapt(entries: readonly Entry[]): void {
    if (entries.length > 0) this.adaptTo(entries.length, lengthOf(entries));
  }

  /** Learns from a page of `count` entries that held `bytes`. */
  adaptTo(count: number, bytes: number): void {
    if (count === 0) return;
    const fitting = Math.floor((this.#maxBytes * count) / Math.max(1, bytes));
    this.#count = Math.max(1, Math.min(fitting, this.#count * GROWTH, this.#max));
  }
}

/** About the bytes that `entries` hold: text counts its characters, since to count bytes takes long. At least 1. */
function lengthOf(entries: readonly Entry[]): number {
  let length = 0;
  for (const entry of entries) {
    if (entry instanceof RawRecord) length += entry.length;
    else for (const [name, value] of entry.fields) length += name.length + value.length;
  }
  return Math.max(1, length);
}
