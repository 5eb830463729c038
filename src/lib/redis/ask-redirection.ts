/**
 * Commands to a node to which a slot is moving, each after an ASKING (https://redis.io/docs/latest/commands/asking/):
 * without it, the node redirects the client to the old one. Only while slots move, so it may cost a pass over the bytes.
 * Invariant: a handler gets the replies to its own commands, and a lost connection is reported to it once.
 */
import type {ReplyHandler} from './add-connection.js';
import {commandsIn} from './resp-commands.js';

const ASKING = Buffer.from('*1\r\n$6\r\nASKING\r\n');
const MULTI = Buffer.from('*1\r\n$5\r\nMULTI\r\n');

/** What is sent in place of `bytes`, and who takes the replies to it, in their order. */
export function withAsking(bytes: Buffer, callback: ReplyHandler): {bytes: Buffer[]; takers: ReplyHandler[]} {
  const sent: Buffer[] = [];
  const takers: ReplyHandler[] = [];
  let isLost = false;
  const lost: ReplyHandler['lost'] = (failure) => {
    if (isLost) return;
    isLost = true;
    callback.lost(failure);
  };
  // One is enough for a whole transaction: the server keeps it until EXEC, and would queue another.
  if (bytes.subarray(0, MULTI.length).equals(MULTI))
    return {bytes: [ASKING, bytes], takers: [new Counted(1, undefined, () => {}), callback]};
  for (const command of commandsIn(bytes)) {
    sent.push(ASKING, command.bytes);
    // That it was asked is in the reply to the command.
    takers.push(new Counted(1, undefined, lost));
    takers.push(new Counted(command.name === 'WAITAOF' ? 2 : 1, callback, lost));
  }
  return {bytes: sent, takers};
}

/** Takes so many replies for another. */
class Counted implements ReplyHandler {
  awaits: number;
  readonly #callback: ReplyHandler | undefined;
  readonly lost: ReplyHandler['lost'];

  constructor(replies: number, callback: ReplyHandler | undefined, lost: ReplyHandler['lost']) {
    this.awaits = replies;
    this.#callback = callback;
    this.lost = lost;
  }

  get stream(): string | undefined {
    return this.#callback?.stream;
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.awaits--;
    this.#callback?.text(bytes, start, end);
  }

  integer(value: number): void {
    this.awaits--;
    this.#callback?.integer(value);
  }

  nil(): void {
    this.awaits--;
    this.#callback?.nil();
  }

  refused(failure: Parameters<ReplyHandler['refused']>[0]): void {
    this.awaits = 0;
    this.#callback?.refused(failure);
  }
}
