/** SLOWLOG GET (https://redis.io/docs/latest/commands/slowlog-get/). The words of a command may be data: they are not for messages. */
import {listOf, numberOf, tupleOf} from './checked-reply.js';
import type {CommandLine, Reply} from './command-connection.js';
import {readText} from './replies.js';

/** A command that took long. */
export interface SlowCommand {
  /** When it was run, in Unix milliseconds. */
  atMs: number;
  tookMs: number;
  /** At most 32. Redis cuts long ones to 128 bytes, and says in the last one how many more there were. */
  words: string[];
}

/** The newest 128: as many as a server keeps by default. */
export const slowLogGet: CommandLine = ['slowlog', 'GET', '128'];

export const readSlowLog = (reply: Reply): SlowCommand[] =>
  listOf(reply).map((entry) => {
    const [, seconds, microseconds, words] = tupleOf(entry, 4);
    return {
      atMs: numberOf(seconds) * 1_000,
      tookMs: numberOf(microseconds) / 1_000,
      words: listOf(words).map(readText),
    };
  });
