/** Commands that are asked on a wire beside adding, and their answer. */

import type {ReplyTaker, Wire} from './add-connection.js';
import {type Trim, xtrimStep} from './args.js';
import {ProtocolWriter} from './resp-writer.js';

export interface Question {
  readonly bytes: Buffer;
  /** How many replies there will be. */
  readonly replies: number;
}

/** Commands that have a reply each. */
export function question(...commands: string[][]): Question {
  const writer = new ProtocolWriter();
  for (const parts of commands) writer.command(parts);
  return {bytes: writer.take(), replies: commands.length};
}

/** Entries that one step of trimming takes at most: some tens of microseconds, of large entries some milliseconds. */
const STEP_ENTRIES = 1_000;

/** One step of what `trim` does: the number of entries that went, 0 when less than a node is left to go. */
export const trimStep = (stream: string, trim: Trim): Question => question(xtrimStep(stream, trim, STEP_ENTRIES));

/**
 * Asks, and waits for all replies: the number in the last one, undefined for nil.
 * Throws the first refusal, and `unreachable` when the connection ends before.
 */
export const ask = (wire: Wire, asked: Question): Promise<number | undefined> =>
  send(wire, asked, (text) => {
    if (!/^\d{1,16}$/.test(text)) throw new Error('Protocol error: no number');
    return Number(text);
  });

/** The same, where the last reply is text; undefined for any other. */
export const askText = async (wire: Wire, asked: Question): Promise<string | undefined> => {
  const answer = await send(wire, asked, (text) => text);
  return typeof answer === 'string' ? answer : undefined;
};

function send<T>(wire: Wire, {bytes, replies}: Question, read: (text: string) => T): Promise<T | number | undefined> {
  return new Promise((resolve, reject) => {
    const end = (value?: T | number): void => {
      if (--taker.awaits === 0) resolve(value);
    };
    const taker: ReplyTaker & {awaits: number} = {
      awaits: replies,
      // Those before the last say only that it was done.
      text: (text, start, stop) => end(taker.awaits === 1 ? read(text.toString('latin1', start, stop)) : undefined),
      nil: () => end(),
      integer: end,
      refused(failure) {
        reject(failure);
        end();
      },
      lost: reject,
    };
    wire.send([bytes], taker);
  });
}
