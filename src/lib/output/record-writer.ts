/**
 * Prints records: NDJSON in a pipe, coloured lines on a terminal, CSV or TSV, or the template of `--format`.
 * Each batch of records is one write, so that a reader never waits for a half-filled buffer.
 */
import {displayBytes} from '../records/bytes.js';
import {type Field, recordToJson, type StreamRecord} from '../records/entry.js';
import {timePartOf} from '../records/stream-id.js';
import type {Colors} from './colors.js';
import {DelimitedLines, factCell, nameCell} from './delimited.js';
import type {Display} from './display.js';
import {FieldShape} from './field-shape.js';
import {compileFormat, isoTime} from './format.js';
import {ndjson} from './ndjson.js';
import {escapeForTerminal, escapeJsonForTerminal} from './sanitize.js';
import type {Shape} from './shape.js';
import type {Sink} from './sink.js';

export interface RecordStyle {
  /** The template of `--format`; wins over the shape. */
  format?: string;
  shape: Shape;
  /** Also a column for each of group, consumer and deliveries, in CSV and TSV. */
  delivered?: boolean;
  /** Which fields, and in which form; undefined: all as they are. */
  fields?: FieldShape;
  display: Display;
}

type Render = (records: readonly StreamRecord[]) => string | Buffer;

export class RecordWriter {
  readonly #sink: Sink;
  readonly #render: Render;
  readonly #fields: FieldShape;

  /** Prints headings where there are some. Throws a usage error if `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    this.#sink = sink;
    this.#render = rendererFor(style);
    this.#fields = style.fields ?? FieldShape.ALL;
    // If it fails, the sink fails at the next write, and at the end.
    sink.write(this.#render([])).catch(() => {});
  }

  /** Resolves when all of `records` were taken. Throws as `Sink.write` does; then none counts as written. */
  async write(records: readonly StreamRecord[]): Promise<void> {
    await this.#sink.write(
      this.#render(this.#fields.selects ? records.map((record) => this.#fields.of(record)) : records),
    );
  }
}

function rendererFor({format, shape, delivered = false, fields = FieldShape.ALL, display}: RecordStyle): Render {
  const {terminal} = display;
  if (format !== undefined) {
    const compiled = compileFormat(format, terminal);
    return (records) => Buffer.concat(records.map(compiled));
  }
  if (shape === 'csv' || shape === 'tsv') {
    const lines = new DelimitedLines(
      shape,
      ['stream', 'id', ...fields.columns, ...(delivered ? DELIVERED_COLUMNS : [])],
      terminal,
    );
    const cellsOf = (record: StreamRecord): string[] => [
      nameCell(record.stream),
      record.id,
      ...fields.cells(record.fields),
      ...(delivered ? [record.group, record.consumer, record.deliveries].map(factCell) : []),
    ];
    return (records) => lines.of(records.map(cellsOf));
  }
  if (shape === 'json' && !terminal && fields.isPlain) return ndjson;
  const toJson = (record: StreamRecord): string => recordToJson(record, fields.valueToJson);
  if (shape === 'json' && !terminal) return (records) => records.map((record) => `${toJson(record)}\n`).join('');
  const line = (record: StreamRecord): string =>
    shape === 'json' ? `${escapeJsonForTerminal(toJson(record))}\n` : recordLine(record, display.colors);
  return (records) => records.map(line).join('');
}

const DELIVERED_COLUMNS = ['group', 'consumer', 'deliveries'] as const;

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
