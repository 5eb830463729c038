/**
 * Writes one section, line by line, to whatever takes bytes. Invariant: what the trailer says is of all bytes that were taken,
 * those of an interrupted run included, which `totals` has then.
 */
import {Buffer} from 'node:buffer';
import type {RecordFilter} from '../filter/record-filter.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {Masking} from './masking.js';
import type {PendingMember, SectionHash, SectionHeader, SectionTrailer} from './section.js';
import {entryLines, goneLine, hashLine, headerLine, trailerLine} from './section-lines.js';
import type {SectionPart} from './section-source.js';
import {SectionTotals} from './section-totals.js';

/** Resolves when the bytes were taken. */
export type TakeBytes = (bytes: Buffer) => Promise<void>;

export interface WritingOptions {
  readonly filter?: RecordFilter | undefined;
  readonly masking?: Masking | undefined;
  /** False leaves out entries that are gone. */
  readonly withGone?: boolean;
}

export class SectionWriter {
  readonly totals: SectionTotals;
  readonly #stream: string;
  readonly #take: TakeBytes;
  readonly #options: WritingOptions;

  constructor(stream: string, take: TakeBytes, options: WritingOptions, totals = new SectionTotals()) {
    this.#stream = stream;
    this.#take = take;
    this.#options = options;
    this.totals = totals;
  }

  /** All of it at once: a section that was interrupted has the lines of its hashes, or does not have its header. */
  begin(header: SectionHeader, hashes: readonly SectionHash[]): Promise<void> {
    return this.#write(Buffer.concat([headerLine(header), ...hashes.map((hash) => hashLine(this.#stream, hash))]));
  }

  async part({records, pending, gone}: SectionPart): Promise<void> {
    const {filter, masking, withGone = filter === undefined} = this.#options;
    const wanted = filter === undefined ? records : records.filter((record) => filter.matches(record));
    const shown = masking === undefined ? wanted : wanted.map((record) => masking.of(record));
    const lines: Buffer[] = [];
    let at = 0;
    for (const id of withGone ? gone : []) {
      const start = at;
      while (at < shown.length && compareStreamIds(shown[at]!.id, id) < 0) at++;
      if (at > start) lines.push(this.#entries(shown.slice(start, at), pending));
      lines.push(this.#gone(id, pending.get(id)!));
    }
    if (at < shown.length) lines.push(this.#entries(at === 0 ? shown : shown.slice(at), pending));
    if (lines.length > 0) await this.#write(lines.length === 1 ? lines[0]! : Buffer.concat(lines));
  }

  /** `missing`: entries of T0 that were not there any more. */
  async end(missing: number): Promise<SectionTrailer> {
    const trailer = this.totals.trailer(missing);
    await this.#take(trailerLine(this.#stream, trailer));
    return trailer;
  }

  #gone(id: string, members: readonly PendingMember[]): Buffer {
    this.totals.gone++;
    this.totals.pending += members.length;
    return goneLine(this.#stream, id, members);
  }

  #entries(records: readonly StreamRecord[], pending: SectionPart['pending']): Buffer {
    this.totals.entries += records.length;
    if (pending.size === 0) return entryLines(records);
    return entryLines(records, (id) => {
      const members = pending.get(id);
      this.totals.pending += members?.length ?? 0;
      return members;
    });
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#take(bytes);
    this.totals.take(bytes);
  }
}
