/** Commands that restore a stream from an export, beside those that add its entries; they set what other commands count. */
import type {Field} from '../records/entry.js';
import * as args from './args.js';
import {yesOf} from './checked-reply.js';
import {replaceKey} from './key-replacement.js';
import type {Session} from './session.js';

export class RestoreCommands {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** XSETID: the last ID of the stream and, since Redis 7.0 (https://redis.io/docs/latest/commands/xsetid/), its counts. Throws `notFound` when there is no such stream. */
  async setLastId(stream: string, facts: Parameters<typeof args.xsetid>[1]): Promise<void> {
    await this.#session.send(args.xsetid(stream, facts), {stream});
  }

  /** XCLAIM with FORCE, TIME and RETRYCOUNT: makes those of `ids` that are in the stream pending with `member`, in this state. */
  async setPending(member: args.Membership, state: args.PendingState, ids: readonly string[]): Promise<void> {
    const {stream, group} = member;
    await this.#session.send(args.xclaimRestoring(member, state, ids), {stream, group});
  }

  /** EXISTS: whether there is a key of this name, of any type. */
  async exists(key: string): Promise<boolean> {
    return yesOf(await this.#session.send(['exists', key], {stream: key}));
  }

  /** RENAMENX: false when there is a key named `to`. Throws `notFound` when there is none named `from`. */
  async rename(from: string, to: string): Promise<boolean> {
    return yesOf(await this.#session.send(args.renamenx(from, to), {stream: from}));
  }

  /** The same where there is a key named `to`, in one step (MULTI): that is named `aside` and freed in the background. */
  async replace(from: string, to: string, aside: string): Promise<void> {
    await replaceKey(await this.#session.addConnection(from), {from, to, aside});
  }

  /** UNLINK: frees the key in the background. */
  async unlink(key: string): Promise<void> {
    await this.#session.send(args.unlink(key), {stream: key});
  }

  /** HSET and PEXPIREAT: a hash of these fields, and when it goes, in Unix milliseconds; undefined for one that stays. */
  async setHash(key: string, fields: readonly Field[], expiresAt: number | undefined): Promise<void> {
    await this.#session.send(args.hset(key, fields), {stream: key});
    if (expiresAt !== undefined) await this.#session.send(['pexpireat', key, String(expiresAt)], {stream: key});
  }
}
