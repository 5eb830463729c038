/** Commands that are asked on a wire beside adding, and their answer. */
import {ProtocolWriter} from './protocol-writer.js';
import type {ReplyTaker, Wire} from './wire.js';

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

/**
 * Asks, and waits for all replies: the number in the last one, undefined for nil.
 * Throws the first refusal, and `unreachable` when the connection ends before.
 */
export function ask(wire: Wire, {bytes, replies}: Question): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const end = (value?: number): void => {
      if (--taker.awaits === 0) resolve(value);
    };
    const taker: ReplyTaker & {awaits: number} = {
      awaits: replies,
      text: (bytes, start, stop) => {
        const text = bytes.toString('latin1', start, stop);
        // Those before the last say only that it was done.
        if (taker.awaits === 1 && !/^\d{1,16}$/.test(text)) throw new Error('Protocol error: no number');
        end(Number(text));
      },
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
