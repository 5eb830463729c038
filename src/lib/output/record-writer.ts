/**
 * Prints records: NDJSON in a pipe, coloured lines on a terminal, or the template of `--format`.
 * Each batch of records is one write, so that a reader never waits for a half-filled buffer.
 */
import {displayBytes} from '../records/bytes.js';
import {type Field, recordToJson, type StreamRecord} from '../records/entry.js';
import {timePartOf} from '../records/stream-id.js';
import type {Colors} from './colors.js';
import {compileFormat, isoTime} from './format.js';
import {ndjson} from './ndjson.js';
import {escapeForTerminal, escapeJsonForTerminal} from './sanitize.js';
import type {Sink} from './sink.js';

export interface RecordStyle {
  /** The template of `--format`; wins over the others. */
  format?: string;
  /** NDJSON even on a terminal. */
  json: boolean;
  terminal: boolean;
  colors: Colors;
}

export class RecordWriter {
  readonly #sink: Sink;
  readonly #render: (records: readonly StreamRecord[]) => string | Buffer;

  /** Throws a usage error if `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    this.#sink = sink;
    this.#render = rendererFor(style);
  }

  /** Resolves when all of `records` were taken. Throws as `Sink.write` does; then none counts as written. */
  async write(records: readonly StreamRecord[]): Promise<void> {
    await this.#sink.write(this.#render(records));
  }
}

function rendererFor({
  format,
  json,
  terminal,
  colors,
}: RecordStyle): (records: readonly StreamRecord[]) => string | Buffer {
  if (format !== undefined) {
    const compiled = compileFormat(format, terminal);
    return (records) => Buffer.concat(records.map(compiled));
  }
  if (!terminal) return ndjson;
  const line = (record: StreamRecord): string =>
    json ? `${escapeJsonForTerminal(recordToJson(record))}\n` : recordLine(record, colors);
  return (records) => records.map(line).join('');
}

/** `1526919030474-55  2018-05-21T14:10:30.474Z  events  type=login user=7`, then group and consumer if known. */
function recordLine({stream, id, fields, group, consumer, deliveries}: StreamRecord, colors: Colors): string {
  const delivery = deliveries !== undefined && deliveries > 1 ? ` delivery ${deliveries}` : '';
  const receiver = group === undefined ? '' : colors.dim(`  ${quoted(group)}/${quoted(consumer ?? '')}${delivery}`);
  const time = colors.dim(isoTime(timePartOf(id)));
  return `${colors.id(id)}  ${time}  ${escapeForTerminal(stream)}  ${fieldsText(fields, colors)}${receiver}\n`;
}

/** `type=login user=7`, safe on a terminal. */
export const fieldsText = (fields: readonly Field[], colors: Colors): string =>
  fields.map(([name, value]) => `${colors.name(quoted(displayBytes(name)))}=${quoted(displayBytes(value))}`).join(' ');

/** A text that is safe on a terminal, in quotes where it would run into its neighbours. */
export function quoted(text: string): string {
  const safe = escapeForTerminal(text);
  return safe === '' || /[\s="]/.test(safe) ? `"${safe.replaceAll('"', '\\"')}"` : safe;
}
