/** How records look to a person: a line each, or a block with `--pretty`. */
import type {StreamRecord} from '../../records/entry.js';
import {timePartOf} from '../../records/stream-id.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {isoTime, localTime} from '../format.js';
import {RecordBlocks} from '../record-blocks.js';
import {type LineColumn, quoted, type RecordLine, RecordLines} from '../record-lines.js';

export interface PersonStyle {
  display: Display;
  /** Times in UTC; always so in a pipe. */
  utc?: boolean;
  /** Nothing is cut. */
  full?: boolean;
  /** Each field on lines of its own. */
  pretty?: boolean;
  /** Entries of several streams: their names are a column, not a heading. */
  several?: boolean;
}

/** The time goes first where there is no room: the ID holds it. */
export const TIME_COLUMN: LineColumn = {name: 'time', priority: 9, paint: (text, colors) => colors.dim(text)};
export const ID_COLUMN: LineColumn = {name: 'ID', priority: 0, paint: (text, colors) => colors.id(text)};
const STREAM_COLUMN: LineColumn = {name: 'stream', priority: 1, least: LEAST_NAME};

/** The time of an ID. */
export const timeOf = (id: string, {display, utc = false}: PersonStyle): string =>
  utc || !display.terminal ? isoTime(timePartOf(id)) : localTime(timePartOf(id));

export function renderForPerson(style: PersonStyle): (records: readonly StreamRecord[]) => string {
  const {display, full = false, pretty = false, several = false} = style;
  // Blocks have room for their stream above them.
  const inColumn = several && !pretty;
  const columns = inColumn ? [TIME_COLUMN, ID_COLUMN, STREAM_COLUMN] : [TIME_COLUMN, ID_COLUMN];
  const lines = pretty ? new RecordBlocks(columns, display) : new RecordLines(columns, display, full);
  const line = (record: StreamRecord): RecordLine => ({
    heading: inColumn ? receiverOf(record) : headingOf(record),
    cells: [timeOf(record.id, style), record.id, ...(inColumn ? [record.stream] : [])],
    fields: record.fields,
    note: deliveryOf(record),
  });
  return (records) => lines.of(records.map(line));
}

/** `orders`, and who has received what follows: `orders  billing/w1`. */
const headingOf = (record: StreamRecord): string =>
  [quoted(record.stream), receiverOf(record)].filter(Boolean).join('  ');

const receiverOf = ({group, consumer = ''}: StreamRecord): string =>
  group === undefined ? '' : `${quoted(group)}/${quoted(consumer)}`;

const deliveryOf = ({deliveries = 1}: StreamRecord): string => (deliveries > 1 ? `delivery ${deliveries}` : '');
