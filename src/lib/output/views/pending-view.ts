/** How `pending` looks: the summary, what to do about consumers that may be dead, and single entries. */
import {formatDuration, shortDuration} from '../../duration.js';
import type {PendingConsumer, PendingDetail, PendingReport} from '../../groups/pending-report.js';
import {recordToJson, type ValueToJson} from '../../records/entry.js';
import {nameToJson} from '../../records/names.js';
import {timePartOf} from '../../records/stream-id.js';
import {shellWord} from '../../shell-word.js';
import type {Colors} from '../colors.js';
import {DelimitedLines, factCell, nameCell} from '../delimited.js';
import type {Display} from '../display.js';
import {FieldShape} from '../field-shape.js';
import {isoTime} from '../format.js';
import {fieldsText, quoted, type RecordStyle, RecordWriter} from '../record-writer.js';
import {escapeJsonForTerminal} from '../sanitize.js';
import type {Sink} from '../sink.js';
import {LEAST_NAME, renderFacts, renderTable} from '../table.js';

/** From here on a consumer may be dead, and its entries another's to take. */
const LONG_IDLE_MS = 60_000;

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
      const options = [option('stream', stream), option('group', group), option('consumer', name)].join(' ');
      return (
        `"${name}" has held an entry for ${formatDuration(idleMs)}; to hand over its idle entries: ` +
        `streamlog claim ${options} --to NAME --min-idle ${LONG_IDLE_MS / 1_000}s`
      );
    });

// A name that starts with a dash would be read as another option.
const option = (name: string, value: string): string =>
  value.startsWith('-') ? `--${name}=${shellWord(value)}` : `--${name} ${shellWord(value)}`;

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

  /** Prints headings where there are some. Throws a usage error when `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    const {format, shape, display} = style;
    this.#sink = sink;
    this.#style = style;
    this.#fields = style.fields ?? FieldShape.ALL;
    this.#records = format === undefined ? undefined : new RecordWriter(sink, style);
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
    return this.#sink.write(details.map((detail) => this.#line(detail)).join(''));
  }

  #line(detail: PendingDetail): string {
    const {shape, display} = this.#style;
    if (shape === 'table') return `${pendingLine(detail, display.colors)}\n`;
    const json = pendingToJson(detail, this.#fields.valueToJson);
    return `${display.terminal ? escapeJsonForTerminal(json) : json}\n`;
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

/** `1-0  1970-01-01T00:00:00.001Z  events  streamlog/w1  idle 3m 20s  4 deliveries  type=login` */
function pendingLine(detail: PendingDetail, colors: Colors): string {
  const {stream, id, group, consumer, idleMs, givenBack, fields} = detail;
  const deliveries = detail.exactDeliveries ?? detail.deliveries;
  const holder = colors.dim(`${quoted(group)}/${quoted(consumer)}`);
  const idle = givenBack ? 'given back' : `idle ${formatDuration(idleMs)}`;
  const delivered = `${idle}  ${deliveries} ${deliveries === 1 ? 'delivery' : 'deliveries'}`;
  const gone = colors.warning('no longer in the stream');
  const payload = fields === undefined ? '' : `  ${fields === null ? gone : fieldsText(fields, colors)}`;
  return `${colors.id(id)}  ${colors.dim(isoTime(timePartOf(id)))}  ${quoted(stream)}  ${holder}  ${delivered}${payload}`;
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
