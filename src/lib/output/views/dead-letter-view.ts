/** How dead letters look: lines and a summary for a person, records as of any other stream in a pipe. */

import type {Cause, DeadLetterSummary} from '../../dead-letters/dead-letter-list.js';
import {deadLetterOrigin, ownFields} from '../../dead-letters/dead-letter-origin.js';
import type {Redriven} from '../../dead-letters/redriving.js';
import {shortDuration} from '../../duration.js';
import type {StreamRecord} from '../../records/entry.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {FieldShape} from '../field-shape.js';
import {type LineColumn, quoted, type RecordLine, RecordLines} from '../record-lines.js';
import {type RecordStyle, RecordWriter} from '../record-writer.js';
import type {Sink} from '../sink.js';
import {renderFacts, renderTable} from '../table.js';
import {ID_COLUMN, TIME_COLUMN, timeOf} from './record-view.js';

export function renderDeadLetters(summary: DeadLetterSummary, display: Display): string {
  const facts = renderFacts(
    [
      ['dead letters', summary.deadLetter],
      ['entries', summary.entries],
      ['oldest', death(summary.oldestId, summary.oldestAgeMs)],
      ['newest', death(summary.newestId, summary.newestAgeMs)],
      ...(summary.otherCauses > 0 ? [['other causes', summary.otherCauses] as const] : []),
    ],
    display,
  );
  return summary.causes.length === 0 ? facts : `${facts}\n${drawCauses(summary.causes, display)}`;
}

const drawCauses = (causes: readonly Cause[], display: Display): string =>
  renderTable(
    causes,
    [
      {heading: 'count', right: true, cell: ({count}) => count},
      {heading: 'stream', least: LEAST_NAME, priority: 1, cell: ({stream}) => stream ?? 'unknown'},
      {heading: 'group', least: LEAST_NAME, priority: 2, cell: ({group}) => group ?? 'unknown'},
      {heading: 'reason', least: LEAST_NAME, cell: ({reason}) => reason ?? 'unknown'},
    ],
    display,
  );

const death = (id: string | null, ageMs: number | null): string =>
  id === null ? 'none' : `${id}  (${shortDuration(ageMs ?? 0)} ago)`;

export const renderRedriven = (page: readonly Redriven[], display: Display): string =>
  new RecordLines(REDRIVEN_COLUMNS, display, false).of(
    page.map(({id, stream, newId}) => ({heading: '', cells: [id, stream, newId ?? ''], fields: []})),
  );

const REDRIVEN_COLUMNS: LineColumn[] = [
  ID_COLUMN,
  {name: 'stream', priority: 1, least: LEAST_NAME},
  {...ID_COLUMN, name: 'new ID', priority: 2},
];

export class DeadLetterWriter {
  readonly #sink: Sink;
  readonly #style: RecordStyle;
  readonly #fields: FieldShape;
  readonly #lines: RecordLines;
  /** Undefined for lines. */
  readonly #records: RecordWriter | undefined;

  /** Throws a usage error when `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    const {shape, format, pretty = false, display, full = false} = style;
    this.#sink = sink;
    this.#style = style;
    this.#fields = style.fields ?? FieldShape.ALL;
    this.#lines = new RecordLines(LINE_COLUMNS, display, full);
    const forPerson = shape === 'table' && format === undefined && !pretty;
    this.#records = forPerson ? undefined : new RecordWriter(sink, style);
  }

  /** Resolves when all of `records` were taken; throws as `Sink.write` does. */
  async write(records: readonly StreamRecord[]): Promise<void> {
    if (this.#records !== undefined) return this.#records.write(records);
    return this.#sink.write(this.#lines.of(records.map((record) => deadLetterLine(record, this.#fields, this.#style))));
  }
}

const LINE_COLUMNS: LineColumn[] = [
  TIME_COLUMN,
  ID_COLUMN,
  {name: 'entry', priority: 3, least: LEAST_NAME},
  {name: 'consumer', priority: 4, least: LEAST_NAME},
  {name: 'deliveries', priority: 5, right: true},
  {name: 'deaths', priority: 2, right: true},
  {name: 'reason', priority: 1, least: LEAST_NAME, paint: (text, colors) => colors.warning(text)},
];

/** `2018-05-21 14:10:30.474  1-0  orders 7-0  billing/w1  5 deliveries  exit code 1  type=login` */
function deadLetterLine(record: StreamRecord, shape: FieldShape, style: RecordStyle): RecordLine {
  const {stream, id, fields} = record;
  const origin = deadLetterOrigin(fields);
  return {
    heading: quoted(stream),
    cells: [
      timeOf(id, style),
      id,
      `${origin.stream ?? '?'} ${origin.id ?? '?'}`,
      `${origin.group ?? '?'}/${origin.consumer ?? '?'}`,
      `${origin.deliveries ?? '?'} ${origin.deliveries === '1' ? 'delivery' : 'deliveries'}`,
      origin.deaths === undefined ? '' : `${origin.deaths} deaths`,
      origin.reason ?? '?',
    ],
    fields: shape.selects ? shape.of(record).fields : ownFields(fields),
  };
}
