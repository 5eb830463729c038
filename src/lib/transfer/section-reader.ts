/**
 * Reads an export file, section by section, as a stream. Invariant: the line that ends a section comes out only if all of
 * it was read as it was written: header and trailer, ascending IDs, counts and SHA-256. All that is wrong is a `data`
 * failure with the number of the line. What was before it has come out by then.
 */
import {type Buffer, isUtf8} from 'node:buffer';
import {StreamlogError} from '../errors.js';
import {BadJson} from '../input/bad-json.js';
import {asBuffer} from '../input/byte-reader.js';
import {type Run, RunSplitter, tooLongReason, withoutBom} from '../input/lines.js';
import {compareStreamIds} from '../records/stream-id.js';
import {EntryFastPath} from './entry-fast-path.js';
import type {SectionHeader} from './section.js';
import {readSectionLine, type SectionLine} from './section-line.js';
import {SectionTotals} from './section-totals.js';

export interface SectionReading {
  /** For messages: a path, or "standard input". */
  name: string;
  /**
   * False for what somebody has edited, or `range` has printed: counts, SHA-256 and trailer are not looked at, a header may
   * be missing, and blank lines are passed over. IDs still ascend.
   */
  isSealed?: boolean;
  /** With it, a section without a trailer at the end of the file is no failure: it is reported. */
  onOpen?: (section: OpenSection) => void;
}

/** What was read of a section. */
export interface OpenSection {
  readonly stream: string;
  /** Undefined where a file need not have one. */
  readonly header: SectionHeader | undefined;
  /** Of all lines so far, but for the hash of a section whose trailer was read. */
  readonly totals: SectionTotals;
  /** Undefined before the first entry. */
  lastId: string | undefined;
}

/** A line, with its number in the file. */
export type NumberedLine = SectionLine & {readonly line: number};

/** A string of V8 is not longer; nor is a value of Redis. */
const MAX_LINE_BYTES = 512 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The lines of all sections, in pages as they arrive. `source` is what `readContent` gives of the file, so that gzip and
 * Zstandard are plain text by now. Throws `data` as said above, and whatever `source` throws.
 */
export async function* readSections(
  source: AsyncIterable<Uint8Array | string>,
  reading: SectionReading,
): AsyncGenerator<NumberedLine[], void, void> {
  const splitter = new RunSplitter(MAX_LINE_BYTES);
  const sections = new Sections(reading);
  for await (const chunk of source) yield* pagesOf(sections, splitter.split(asBuffer(chunk)));
  yield* pagesOf(sections, splitter.end(), true);
  sections.end();
}

/** One page at most, and behind it the failure of the line after its last one. */
function* pagesOf(sections: Sections, runs: readonly Run[], isTorn = false): Generator<NumberedLine[], void, void> {
  const page: NumberedLine[] = [];
  let failure: unknown;
  try {
    for (const run of runs) sections.read(run, page, isTorn);
  } catch (error) {
    failure = error;
  }
  if (page.length > 0) yield page;
  if (failure !== undefined) throw failure;
}

class Sections {
  readonly #name: string;
  readonly #isSealed: boolean;
  readonly #onOpen: SectionReading['onOpen'];
  #line = 0;
  #section: OpenSection | undefined;
  #fastPath: EntryFastPath | undefined;
  /** Of its header. */
  #groups: ReadonlySet<string> | undefined;

  constructor({name, isSealed = true, onOpen}: SectionReading) {
    this.#name = name;
    this.#isSealed = isSealed;
    this.#onOpen = onOpen;
  }

  /** The lines of `run` are added to `page`. `isTorn`: its line has no newline in the file. */
  read({bytes, tooLongBytes}: Run, page: NumberedLine[], isTorn: boolean): void {
    let hashedTo = 0;
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, start);
      this.#line++;
      if (tooLongBytes !== undefined) throw this.#fault(tooLongReason(tooLongBytes, MAX_LINE_BYTES));
      const text = this.#line === 1 ? withoutBom(bytes.subarray(start, end)) : bytes.subarray(start, end);
      const line = this.#parse(text, isTorn);
      if (line?.kind === 'header') hashedTo = end - text.length;
      if (line?.kind === 'end') this.#section?.totals.take(bytes.subarray(hashedTo, start));
      if (line !== undefined) {
        this.#check(line);
        page.push(line);
      }
      start = end + 1;
      if (line?.kind === 'end') hashedTo = start;
    }
    this.#section?.totals.take(bytes.subarray(hashedTo));
  }

  /** Throws where a section has not ended. */
  end(): void {
    const section = this.#section;
    if (section !== undefined) this.#onOpen?.(section);
    if (!this.#isSealed || this.#onOpen !== undefined) return;
    if (section !== undefined)
      throw this.#fault(`the file ends here, before the trailer of ${this.#quoted(section)}: it was cut off`);
    if (this.#line === 0) throw new StreamlogError('data', `${this.#name} is empty: it is no export`);
  }

  #parse(bytes: Buffer, isTorn: boolean): NumberedLine | undefined {
    if (!isUtf8(bytes)) throw this.#fault('it is not valid UTF-8');
    try {
      const entry = this.#fastPath?.read(bytes);
      if (entry !== undefined) return Object.assign(entry, {line: this.#line});
    } catch (error) {
      // What is wrong, and where, is said below.
      if (!(error instanceof BadJson)) throw error;
    }
    const json = bytes.toString('utf8');
    if (!this.#isSealed && /^[ \t\r]*$/.test(json)) return undefined;
    try {
      return Object.assign(readSectionLine(json), {line: this.#line});
    } catch (error) {
      if (!(error instanceof BadJson)) throw error;
      throw this.#fault(isTorn ? `the line is cut off: ${error.message}` : error.message, error.column);
    }
  }

  #check(line: SectionLine): void {
    if (line.kind === 'header') this.#begin(line);
    else if (line.kind === 'end') this.#finish(line);
    else if (line.kind === 'hash') this.#sectionOf(line);
    else this.#add(line);
  }

  #begin({kind, ...header}: SectionLine & {kind: 'header'}): void {
    if (this.#section !== undefined && this.#isSealed)
      throw this.#fault(`a section begins before the trailer of ${this.#quoted(this.#section)}`);
    this.#open(header.stream, header);
  }

  #open(stream: string, header?: SectionHeader): OpenSection {
    this.#groups = header && new Set(header.groups.map(({name}) => name));
    this.#section = {stream, header, totals: new SectionTotals(), lastId: undefined};
    this.#fastPath = new EntryFastPath(stream);
    return this.#section;
  }

  #add(line: SectionLine & {kind: 'entry' | 'gone'}): void {
    const section = this.#sectionOf(line);
    const {lastId, header, totals} = section;
    const {id, pending} = line;
    if (lastId !== undefined && compareStreamIds(lastId, id) >= 0)
      throw this.#fault(`the ID ${id} is not behind the one before it, ${lastId}`);
    if (line.kind === 'entry' && header !== undefined && compareStreamIds(id, header.lastGeneratedId) > 0)
      throw this.#fault(`the ID ${id} is behind the last one of the header, ${header.lastGeneratedId}`);
    const groups = this.#groups;
    if (groups !== undefined && !pending.every(({group}) => groups.has(group)))
      throw this.#fault('it is pending in a group that the header does not name');
    section.lastId = id;
    totals.pending += pending.length;
    if (line.kind === 'gone') totals.gone++;
    else totals.entries++;
  }

  #finish(trailer: SectionLine & {kind: 'end'}): void {
    const {totals} = this.#sectionOf(trailer);
    this.#section = undefined;
    if (!this.#isSealed) return;
    for (const key of ['entries', 'gone', 'pending'] as const)
      if (totals[key] !== trailer[key])
        throw this.#fault(`the trailer says ${key}: ${trailer[key]}, and the section has ${totals[key]}`);
    if (totals.trailer(0).sha256 !== trailer.sha256)
      throw this.#fault('the SHA-256 of the section is another one than its trailer says: the file was changed');
  }

  /** The section that `line` belongs to. */
  #sectionOf({stream = this.#section?.stream}: {readonly stream?: string | undefined}): OpenSection {
    const section = this.#section;
    const isOther = section === undefined || section.stream !== stream;
    if (isOther && this.#isSealed)
      throw this.#fault(
        section === undefined
          ? 'expected the header of a section: {"streamlog":"export",…}'
          : `the line is of another stream than the section, ${this.#quoted(section)}`,
      );
    if (!isOther) return section!;
    if (stream === undefined) throw this.#fault('neither the line nor a header says of which stream it is');
    return this.#open(stream);
  }

  #quoted({stream}: OpenSection): string {
    return `"${stream}"`;
  }

  #fault(reason: string, column?: number): StreamlogError {
    const where = column === undefined ? `line ${this.#line}` : `line ${this.#line} column ${column}`;
    return new StreamlogError('data', `${this.#name}: ${where}: ${reason}`);
  }
}
