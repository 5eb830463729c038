/**
 * What handlers write down, and the history that it makes together with what
 * was produced. A handler appends a line when it begins and one just before it
 * ends, so that the journal knows what was done even when the worker that
 * started it is killed. Invariant: lines are appended whole, in the order in which things happened.
 */
import {closeSync, openSync, readSync} from 'node:fs';
import type {Ending, HistoryEvent} from '../faults/support/history.js';

/**
 * For `sh -c`, with the journal's path in `$JOURNAL`: of the field `n` in the
 * record, multiples of 13 fail at their first delivery and multiples of 97 can
 * never be handled. The work itself takes about `$WORK_S` seconds.
 */
export const HANDLER = `
read -r record
n=\${record##*'"n":"'}; n=\${n%%'"'*}
echo "begin $STREAMLOG_ID $STREAMLOG_DELIVERIES" >>"$JOURNAL"
sleep "$WORK_S"
if [ $((n % 97)) = 0 ]; then echo "failed $STREAMLOG_ID" >>"$JOURNAL"; exit 65; fi
if [ $((n % 13)) = 0 ] && [ "$STREAMLOG_DELIVERIES" = 1 ]; then echo "failed $STREAMLOG_ID" >>"$JOURNAL"; exit 1; fi
echo "done $STREAMLOG_ID" >>"$JOURNAL"`;

/** Reads a file that grows, a whole line at a time. */
export class Journal {
  readonly lines: string[] = [];
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(1 << 20);
  #position = 0;
  #rest = '';

  /** Makes the file when it is missing. */
  constructor(path: string) {
    this.#fd = openSync(path, 'a+');
  }

  /** How many lines there are by now. */
  count(): number {
    for (;;) {
      const bytes = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytes === 0) return this.lines.length;
      this.#position += bytes;
      const lines = (this.#rest + this.#buffer.toString('utf8', 0, bytes)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(line);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The events in the lines of handlers, which know IDs; the values are those in the stream, confirmed or not. */
export function handled(lines: readonly string[], stream: Ending['stream']): HistoryEvent[] {
  const values = new Map(stream.map(({id, value}) => [id, value]));
  return lines.flatMap((line): HistoryEvent[] => {
    const [what, id = '', deliveries] = line.split(' ');
    const value = values.get(id) ?? `entry ${id}`;
    if (what === 'begin') return [{what: 'delivered', id, value, by: 'w1', deliveries: Number(deliveries)}];
    return [{what: what === 'done' ? 'succeeded' : 'failed', id}];
  });
}

/**
 * The events in what `consume` printed: whole records are delivered, and
 * taken. One that a kill has cut off stands before the next one on its line.
 */
export function printed(lines: readonly string[]): HistoryEvent[] {
  return lines.flatMap((line): HistoryEvent[] => {
    const record = line.slice(line.lastIndexOf('{"stream"'));
    const {id, fields, deliveries} = JSON.parse(record) as {
      id: string;
      fields: {value: string};
      deliveries: number;
    };
    return [
      {what: 'delivered', id, value: fields.value, by: 'w1', deliveries},
      {what: 'succeeded', id},
    ];
  });
}
