/** MULTI, some commands, EXEC on one node: their replies are of one moment. */
import type {Redis} from 'ioredis';
import {notRedis} from './checked-reply.js';
import type {CommandLine, Reply} from './command-connection.js';
import {commandOf} from './outgoing-command.js';

/** A reply for each of `lines`. Throws what `failureOf` makes of the first refusal, or of a lost connection. */
export async function sendTransaction(
  node: Redis,
  lines: readonly CommandLine[],
  failureOf: (error: unknown, line: CommandLine) => Error,
): Promise<Reply[]> {
  const all: CommandLine[] = [['multi'], ...lines, ['exec']];
  const sent = await Promise.allSettled(all.map((line) => node.sendCommand(commandOf(line))));
  const refused = sent.findIndex(({status}) => status === 'rejected');
  if (refused !== -1) throw failureOf((sent[refused] as PromiseRejectedResult).reason, all[refused]!);
  const replies = (sent.at(-1) as PromiseFulfilledResult<unknown>).value;
  if (!Array.isArray(replies) || replies.length !== lines.length) throw notRedis();
  return (replies as (Reply | Error)[]).map((reply, at) => {
    if (reply instanceof Error) throw failureOf(reply, lines[at]!);
    return reply;
  });
}
