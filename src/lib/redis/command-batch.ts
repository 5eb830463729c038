/** Commands on an add connection beside adding, and their last reply. */

import type {AddConnection, ReplyHandler} from './add-connection.js';
import {type Trim, xtrimStep} from './args.js';
import {RespWriter} from './resp-writer.js';

export interface CommandBatch {
  readonly bytes: Buffer;
  /** How many replies there will be. */
  readonly replies: number;
}

/** Commands with a reply each. */
export function commandBatch(...commands: string[][]): CommandBatch {
  const writer = new RespWriter();
  for (const parts of commands) writer.command(parts);
  return {bytes: writer.take(), replies: commands.length};
}

/** Entries that one step of trimming takes at most: some tens of microseconds, of large entries some milliseconds. */
const STEP_ENTRIES = 1_000;

/** One step of what `trim` does: the number of entries that went, 0 when less than a node is left to go. */
export const trimStep = (stream: string, trim: Trim): CommandBatch =>
  commandBatch(xtrimStep(stream, trim, STEP_ENTRIES));

/**
 * Sends, and waits for all replies: the number in the last one, undefined for nil.
 * Throws the first refusal, and `unreachable` when the connection ends before.
 */
export const call = (connection: AddConnection, batch: CommandBatch): Promise<number | undefined> =>
  send(connection, batch, (text) => {
    if (!/^\d{1,16}$/.test(text)) throw new Error('Protocol error: no number');
    return Number(text);
  });

/** The same, where the last reply is text; undefined for any other. */
export const callText = async (connection: AddConnection, batch: CommandBatch): Promise<string | undefined> => {
  const answer = await send(connection, batch, (text) => text);
  return typeof answer === 'string' ? answer : undefined;
};

function send<T>(
  connection: AddConnection,
  {bytes, replies}: CommandBatch,
  read: (text: string) => T,
): Promise<T | number | undefined> {
  return new Promise((resolve, reject) => {
    const end = (value?: T | number): void => {
      if (--callback.awaits === 0) resolve(value);
    };
    const callback: ReplyHandler & {awaits: number} = {
      awaits: replies,
      // Those before the last say only that it was done.
      text: (text, start, stop) => end(callback.awaits === 1 ? read(text.toString('latin1', start, stop)) : undefined),
      nil: () => end(),
      integer: end,
      refused(failure) {
        reject(failure);
        end();
      },
      lost: reject,
    };
    connection.send([bytes], callback);
  });
}
