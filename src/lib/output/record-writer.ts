/**
 * Prints records: NDJSON in a pipe, lines for a person on a terminal, CSV or TSV, or the template of `--format`.
 * Each batch of records is one write, so that a reader never waits for a half-filled buffer.
 */
import {recordToJson, type StreamRecord} from '../records/entry.js';
import {DelimitedLines, factCell, nameCell} from './delimited.js';
import {FieldShape} from './field-shape.js';
import {compileFormat} from './format.js';
import {ndjson} from './ndjson.js';
import {jsonLines} from './pretty-json.js';
import type {Shape} from './shape.js';
import type {Sink} from './sink.js';
import {type PersonStyle, renderForPerson} from './views/record-view.js';

export interface RecordStyle extends PersonStyle {
  /** The template of `--format`; wins over the shape. */
  format?: string;
  shape: Shape;
  /** Also a column for each of group, consumer and deliveries, in CSV and TSV. */
  delivered?: boolean;
  /** Which fields, and in which form; undefined: all as they are. */
  fields?: FieldShape;
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

function rendererFor(style: RecordStyle): Render {
  const {format, shape, delivered = false, pretty = false, fields = FieldShape.ALL} = style;
  const {terminal} = style.display;
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
  if (shape === 'table') return renderForPerson(style);
  if (!terminal && !pretty && fields.isPlain) return ndjson;
  const line = (record: StreamRecord): string =>
    `${jsonLines(recordToJson(record, fields.valueToJson), pretty, terminal)}\n`;
  return (records) => records.map(line).join('');
}

const DELIVERED_COLUMNS = ['group', 'consumer', 'deliveries'] as const;
