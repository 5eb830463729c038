/** How `pending` looks: the summary, what to do about consumers that may be dead, and single entries. */
import {formatDuration, shortDuration} from '../../duration.js';
import type {PendingConsumer, PendingDetail, PendingReport} from '../../groups/pending-report.js';
import {recordToJson, type ValueToJson} from '../../records/entry.js';
import {nameToJson} from '../../records/names.js';
import {LONG_IDLE_MS} from '../../records/pending-entry.js';
import {flagWords} from '../../shell-word.js';
import {LEAST_NAME} from '../column-fit.js';
import {DelimitedLines, factCell, nameCell} from '../delimited.js';
import type {Display} from '../display.js';
import {FieldShape} from '../field-shape.js';
import {jsonLines} from '../pretty-json.js';
import {RecordBlocks} from '../record-blocks.js';
import {type LineColumn, quoted, type RecordLine, RecordLines} from '../record-lines.js';
import {type RecordStyle, RecordWriter} from '../record-writer.js';
import type {Sink} from '../sink.js';
import {renderFacts, renderTable} from '../table.js';
import {ID_COLUMN, TIME_COLUMN, timeOf} from './record-view.js';

export function renderPending({stream, group, consumers, ...report}: PendingReport, display: Display): string {
  const facts = renderFacts(
    [
      ['stream', stream],
      ['group', group],
      ['pending', report.pending],
      ...(givenBackOf(report, display) === '0' ? [] : [['given back', givenBackOf(report, display)] as const]),
      ['oldest ID', report.lowestId ?? 'none'],
      ...(report.highestId === undefined ? [] : [['newest ID', report.highestId ?? 'none'] as const]),
    ],
    display,
  );
  return consumers.length === 0 ? facts : `${facts}\n${drawConsumers(consumers, display)}`;
}

function drawConsumers(consumers: readonly PendingConsumer[], display: Display): string {
  const someGivenBack = consumers.some((consumer) => givenBackOf(consumer, display) !== '0');
  return renderTable(
    consumers,
    [
      {heading: 'consumer', least: LEAST_NAME, cell: ({name}) => name},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      ...(someGivenBack
        ? [
            {
              heading: 'given back',
              right: true,
              priority: 3,
              cell: (consumer: PendingConsumer) => givenBackOf(consumer, display),
            },
          ]
        : []),
      {heading: 'oldest idle', right: true, priority: 1, cell: oldestIdleOf},
      {heading: 'max deliveries', right: true, priority: 2, cell: (consumer) => mostDeliveriesOf(consumer, display)},
    ],
    display,
  );
}

// A bound has a sign, and what is not known is said to be so.
const UNKNOWN = 'unknown';

function givenBackOf(
  {givenBack, givenBackAtLeast}: {givenBack?: number; givenBackAtLeast?: number},
  {count}: Display,
): string {
  if (givenBack !== undefined) return count(givenBack);
  return givenBackAtLeast === undefined || givenBackAtLeast === 0 ? '0' : `>= ${count(givenBackAtLeast)}`;
}

function oldestIdleOf({oldestIdleMs, oldestIdleAtLeastMs}: PendingConsumer): string {
  if (oldestIdleMs !== undefined) return oldestIdleMs === null ? 'none' : shortDuration(oldestIdleMs);
  return oldestIdleAtLeastMs === undefined || oldestIdleAtLeastMs === null
    ? UNKNOWN
    : `>= ${shortDuration(oldestIdleAtLeastMs)}`;
}

function mostDeliveriesOf({maxDeliveries, maxDeliveriesAtLeast}: PendingConsumer, {count}: Display): string {
  if (maxDeliveries !== undefined) return count(maxDeliveries);
  return maxDeliveriesAtLeast === undefined ? UNKNOWN : `>= ${count(maxDeliveriesAtLeast)}`;
}

/** Says how to have the figures that are bounds; undefined where none is. */
export const exactHint = (reports: readonly PendingReport[]): string | undefined =>
  reports.some(({consumers}) => consumers.some(({oldestIdleMs}) => oldestIdleMs === undefined))
    ? 'only the counts of pending entries are exact, since there are many; --exact looks at each of them'
    : undefined;

/** For each consumer that may be dead, the command that takes its entries over. */
export const claimHints = ({stream, group, consumers}: PendingReport): string[] =>
  consumers
    .map(({name, oldestIdleMs, oldestIdleAtLeastMs}) => ({name, idleMs: oldestIdleMs ?? oldestIdleAtLeastMs ?? 0}))
    .filter(({idleMs}) => idleMs > LONG_IDLE_MS)
    .map(({name, idleMs}) => {
      const flags = [...flagWords('stream', stream), ...flagWords('group', group), ...flagWords('consumer', name)];
      return (
        `"${name}" has held an entry for ${formatDuration(idleMs)}; to hand over its idle entries: ` +
        `streamlog claim ${flags.join(' ')} --to NAME --min-idle ${LONG_IDLE_MS / 1_000}s`
      );
    });

/**
 * Pending entries: JSON that `ack` and `claim` accept, lines on a terminal, or the format that was asked for. An entry that
 * has gone from its stream is listed, as it is still pending.
 */
export class PendingWriter {
  readonly #sink: Sink;
  readonly #style: RecordStyle;
  readonly #fields: FieldShape;
  /** For `--format` only. */
  readonly #records: RecordWriter | undefined;
  /** For CSV and TSV only. */
  readonly #delimited: DelimitedLines | undefined;
  /** For a person only. */
  readonly #lines: RecordLines | RecordBlocks | undefined;

  /** Prints headings where there are some. Throws a usage error when `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    const {format, shape, display, pretty = false, full = false} = style;
    this.#sink = sink;
    this.#style = style;
    this.#fields = style.fields ?? FieldShape.ALL;
    this.#records = format === undefined ? undefined : new RecordWriter(sink, style);
    if (shape === 'table')
      this.#lines = pretty ? new RecordBlocks(LINE_COLUMNS, display) : new RecordLines(LINE_COLUMNS, display, full);
    if (format !== undefined || (shape !== 'csv' && shape !== 'tsv')) return;
    const columns = ['stream', 'id', ...this.#fields.columns, ...FACT_COLUMNS];
    this.#delimited = new DelimitedLines(shape, columns, display.terminal);
    // If it fails, the sink fails at the next write, and at the end.
    sink.write(this.#delimited.of([])).catch(() => {});
  }

  /** Resolves when all of `details` were taken; throws as `Sink.write` does. */
  async write(all: readonly PendingDetail[]): Promise<void> {
    const shape = this.#fields;
    const details = shape.selects ? all.map((detail) => shape.of(detail)) : all;
    if (this.#records !== undefined) {
      return this.#records.write(details.map(({fields, ...detail}) => ({...detail, fields: fields ?? []})));
    }
    if (this.#delimited !== undefined)
      return this.#sink.write(this.#delimited.of(details.map((detail) => detailCells(detail, shape))));
    if (this.#lines !== undefined)
      return this.#sink.write(this.#lines.of(details.map((detail) => pendingLine(detail, this.#style))));
    return this.#sink.write(details.map((detail) => this.#json(detail)).join(''));
  }

  #json(detail: PendingDetail): string {
    const {display, pretty = false} = this.#style;
    const json = pendingToJson(detail, this.#fields.valueToJson);
    return `${jsonLines(json, pretty, display.terminal)}\n`;
  }
}

const FACT_COLUMNS = ['group', 'consumer', 'deliveries', 'idleMs', 'givenBack'];

const detailCells = ({stream, id, fields, group, consumer, ...facts}: PendingDetail, shape: FieldShape): string[] => [
  nameCell(stream),
  id,
  ...shape.cells(fields),
  nameCell(group),
  nameCell(consumer),
  ...[facts.exactDeliveries ?? facts.deliveries, facts.givenBack ? null : facts.idleMs, facts.givenBack || null].map(
    factCell,
  ),
];

const LINE_COLUMNS: LineColumn[] = [
  TIME_COLUMN,
  ID_COLUMN,
  {name: 'consumer', priority: 1, least: LEAST_NAME},
  {name: 'idle', priority: 2, right: true},
  {name: 'deliveries', priority: 3, right: true},
];

/** `1970-01-01 00:00:00.001  1-0  w1  idle 3m  4 deliveries  type=login` */
function pendingLine(detail: PendingDetail, style: RecordStyle): RecordLine {
  const {stream, id, group, consumer, idleMs, givenBack, fields} = detail;
  const deliveries = detail.exactDeliveries ?? detail.deliveries;
  return {
    heading: `${quoted(stream)}  group ${quoted(group)}`,
    cells: [
      timeOf(id, style),
      id,
      consumer,
      givenBack ? 'given back' : `idle ${shortDuration(idleMs)}`,
      `${deliveries} ${String(deliveries) === '1' ? 'delivery' : 'deliveries'}`,
    ],
    fields: fields ?? [],
    note: fields === null ? 'no longer in the stream' : '',
  };
}

/**
 * A record with `idleMs`, or with `givenBack` where the time since its delivery says nothing. Its `fields` are absent
 * when they were not asked for, null when the entry has gone.
 */
function pendingToJson(
  {stream, id, group, consumer, idleMs, givenBack, fields, ...counts}: PendingDetail,
  valueToJson: ValueToJson,
): string {
  const since = givenBack ? '"givenBack":true' : `"idleMs":${idleMs}`;
  const deliveries = `"deliveries":${counts.exactDeliveries ?? counts.deliveries}`;
  if (fields)
    return `${recordToJson({stream, id, fields, group, consumer}, valueToJson).slice(0, -1)},${deliveries},${since}}`;
  const entry = `{"stream":${nameToJson(stream)},"id":"${id}"${fields === null ? ',"fields":null' : ''}`;
  return `${entry},"group":${nameToJson(group)},"consumer":${nameToJson(consumer)},${deliveries},${since}}`;
}
