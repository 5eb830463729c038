/** How dead letters look: lines and a summary for a person, records as of any other stream in a pipe. */

import type {Cause, DeadLetterSummary} from '../../dead-letters/dead-letter-list.js';
import {deadLetterOrigin, ownFields} from '../../dead-letters/dead-letter-origin.js';
import type {Redriven} from '../../dead-letters/redriving.js';
import {shortDuration} from '../../duration.js';
import type {StreamRecord} from '../../records/entry.js';
import {timePartOf} from '../../records/stream-id.js';
import type {Colors} from '../colors.js';
import type {Display} from '../display.js';
import {FieldShape} from '../field-shape.js';
import {isoTime} from '../format.js';
import {fieldsText, quoted, type RecordStyle, RecordWriter} from '../record-writer.js';
import type {Sink} from '../sink.js';
import {LEAST_NAME, renderFacts, renderTable} from '../table.js';

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

export const renderRedriven = (page: readonly Redriven[], {colors}: Display): string =>
  page
    .map(({id, stream, newId}) => `${colors.id(id)}  ${quoted(stream)}  ${newId === null ? '' : colors.id(newId)}`)
    .map((line) => `${line.trimEnd()}\n`)
    .join('');

export class DeadLetterWriter {
  readonly #sink: Sink;
  readonly #colors: Colors;
  readonly #fields: FieldShape;
  /** Undefined for a person. */
  readonly #records: RecordWriter | undefined;

  /** Throws a usage error when `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    this.#sink = sink;
    this.#colors = style.display.colors;
    this.#fields = style.fields ?? FieldShape.ALL;
    const forPerson = style.shape === 'table' && style.format === undefined;
    this.#records = forPerson ? undefined : new RecordWriter(sink, style);
  }

  /** Resolves when all of `records` were taken; throws as `Sink.write` does. */
  async write(records: readonly StreamRecord[]): Promise<void> {
    if (this.#records !== undefined) return this.#records.write(records);
    return this.#sink.write(records.map((record) => deadLetterLine(record, this.#fields, this.#colors)).join(''));
  }
}

/** `1-0  2018-05-21T14:10:30.474Z  orders 7-0  billing/w1  5 deliveries  "exit code 1"  type=login` */
function deadLetterLine(record: StreamRecord, shape: FieldShape, colors: Colors): string {
  const {id, fields} = record;
  const origin = deadLetterOrigin(fields);
  const parts = [
    colors.id(id),
    colors.dim(isoTime(timePartOf(id))),
    `${quoted(origin.stream ?? '?')} ${quoted(origin.id ?? '?')}`,
    colors.dim(`${quoted(origin.group ?? '?')}/${quoted(origin.consumer ?? '?')}`),
    `${quoted(origin.deliveries ?? '?')} ${origin.deliveries === '1' ? 'delivery' : 'deliveries'}`,
    ...(origin.deaths === undefined ? [] : [`${quoted(origin.deaths)} deaths`]),
    colors.warning(quoted(origin.reason ?? '?')),
    fieldsText(shape.selects ? shape.of(record).fields : ownFields(fields), colors),
  ];
  return `${parts.join('  ')}\n`;
}
