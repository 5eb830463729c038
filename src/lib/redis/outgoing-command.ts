/** From a command line to what is sent. Invariant: bytes that are not UTF-8 leave as they are, and replies stay bytes. */
import {Command} from 'ioredis';
import {EntryIds} from '../records/entry-ids.js';
import {encodeName} from '../records/names.js';
import type {CommandLine} from './command-connection.js';
import {RespWriter} from './resp-writer.js';

/** Room for the arguments before the IDs, in most cases. */
const LEAD_BYTES = 256;

export function commandOf([name, ...args]: CommandLine): Command {
  const last = args.at(-1);
  if (last instanceof EntryIds) return new CommandOnIds(name, args.slice(0, -1) as string[], last);
  return new Command(name, (args as (string | Buffer)[]).map(asBytes), {replyEncoding: null});
}

/** Otherwise a name that is not UTF-8 would lose its bytes. */
const asBytes = (argument: string | Buffer): string | Buffer =>
  typeof argument === 'string' ? encodeName(argument) : argument;

/** Of thousands of IDs, each would become a string otherwise. */
class CommandOnIds extends Command {
  readonly #words: readonly string[];
  readonly #ids: EntryIds;

  constructor(name: string, args: readonly string[], ids: EntryIds) {
    super(name, args.map(asBytes), {replyEncoding: null});
    this.#words = [name, ...args];
    this.#ids = ids;
  }

  /** For --trace. */
  get idCount(): number {
    return this.#ids.count;
  }

  override toWritable(): Buffer {
    const {count, protocol} = this.#ids;
    const writer = new RespWriter(protocol.length + LEAD_BYTES);
    writer.array(this.#words.length + count);
    for (const word of this.#words) writer.string(encodeName(word));
    writer.raw(protocol);
    return writer.take();
  }
}
