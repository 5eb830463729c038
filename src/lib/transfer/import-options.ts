/** What an import is asked for, and what becomes of each section of it. */
import type {ProducerOptions} from '../produce/producer.js';
import type {ReconnectingClient} from '../reconnecting-client.js';
import type {Adder, StreamInfo} from '../stream-client.js';
import type {SectionHeader} from './section.js';
import type {NumberedLine} from './section-reader.js';

/**
 * `new`: a stream that is not there; `replace`: in place of one that is; `append`: what is behind its last ID; `newIds`: all
 * of it, with new IDs.
 */
export type ImportMode = 'new' | 'replace' | 'append' | 'newIds';

export interface ImportOptions {
  mode: ImportMode;
  /** Without groups and what is pending in them. */
  groups: boolean;
  /** Pending entries are as old as they were when the section was written. */
  agesToNow: boolean;
  verify: boolean;
  dryRun: boolean;
  redis: ReconnectingClient;
  /** For entries with new IDs: what adds to a stream, and how. */
  openAdder: (stream: string) => Promise<Adder>;
  delivery: Omit<ProducerOptions, 'adder' | 'stream' | 'batch' | 'window' | 'hold' | 'onIds'>;
  /** Before a stream is replaced. Throws when it must not be. */
  agreeToReplace: (stream: string, info: StreamInfo) => Promise<void>;
  /** Something that may be wrong. */
  onNote: (line: string) => void;
}

/** The names are those of the JSON output. */
export interface ImportReport {
  stream: string;
  /** Added to the stream, or already there. */
  entries: number;
  /** Pending entries without payload. */
  gone: number;
  pending: number;
  groups: number;
  /** Of `entries`, those that were there before: an earlier run had added them. */
  already: number;
  verified: boolean;
  state: 'imported' | 'resumed' | 'identical' | 'replaced' | 'appended' | 'added';
  dryRun: boolean;
}

/** The header of a section; in a file that is not sealed, entries may come without one, and then the last of them has the last ID. */
export type ImportHeader = Omit<SectionHeader, 'lastGeneratedId'> & {readonly lastGeneratedId: string | undefined};

export type EntryLine = NumberedLine & {kind: 'entry' | 'gone' | 'hash'};

/** What the lines of one section become. */
export interface SectionImport {
  /** The next line; to be awaited where there is something to wait for. */
  take(line: EntryLine): Promise<void> | undefined;
  /** The section is whole. */
  end(): Promise<ImportReport>;
  /** It is not, or something else failed: nothing more is added. What to say of what is left of it. */
  giveUp(): string | undefined;
}
