/**
 * Pending entries on their way out: JSON that `ack` and `claim` accept, lines
 * on a terminal, or the user's own format. An entry that has gone from its
 * stream is still a line, since it is still pending.
 */
import {formatDuration} from '../duration.js';
import type {PendingDetail} from '../groups/pending-report.js';
import {recordToJson} from '../records/entry.js';
import {nameToJson} from '../records/names.js';
import {timePartOf} from '../records/stream-id.js';
import type {Colors} from './colors.js';
import {isoTime} from './format.js';
import {fieldsText, quoted, type RecordStyle, RecordWriter} from './record-writer.js';
import {escapeJsonForTerminal} from './sanitize.js';
import type {Sink} from './sink.js';

export class PendingWriter {
  readonly #sink: Sink;
  readonly #style: RecordStyle;
  /** For `--format` only. */
  readonly #records: RecordWriter | undefined;

  /** Throws a usage error when `style.format` cannot be compiled. */
  constructor(sink: Sink, style: RecordStyle) {
    this.#sink = sink;
    this.#style = style;
    this.#records = style.format === undefined ? undefined : new RecordWriter(sink, style);
  }

  /** Resolves when all of `details` were taken; throws as `Sink.write` does. */
  async write(details: readonly PendingDetail[]): Promise<void> {
    if (this.#records !== undefined) {
      return this.#records.write(details.map(({fields, ...detail}) => ({...detail, fields: fields ?? []})));
    }
    return this.#sink.write(details.map((detail) => this.#line(detail)).join(''));
  }

  #line(detail: PendingDetail): string {
    const {json, terminal, colors} = this.#style;
    if (terminal && !json) return `${pendingLine(detail, colors)}\n`;
    return `${terminal ? escapeJsonForTerminal(pendingToJson(detail)) : pendingToJson(detail)}\n`;
  }
}

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
 * when nobody asked for them, null when the entry has gone.
 */
function pendingToJson({stream, id, group, consumer, idleMs, givenBack, fields, ...counts}: PendingDetail): string {
  const since = givenBack ? '"givenBack":true' : `"idleMs":${idleMs}`;
  const deliveries = `"deliveries":${counts.exactDeliveries ?? counts.deliveries}`;
  if (fields) return `${recordToJson({stream, id, fields, group, consumer}).slice(0, -1)},${deliveries},${since}}`;
  const entry = `{"stream":${nameToJson(stream)},"id":"${id}"${fields === null ? ',"fields":null' : ''}`;
  return `${entry},"group":${nameToJson(group)},"consumer":${nameToJson(consumer)},${deliveries},${since}}`;
}
