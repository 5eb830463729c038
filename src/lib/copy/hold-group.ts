/**
 * A group of the source that stands where the copy does, so that `trim --safe` keeps what is not copied yet, and `info` and `check`
 * say how far behind the copy is. It is moved by XGROUP SETID and has no consumers. Invariant: it never stands behind an
 * entry that the target has not confirmed.
 */
import {isFailure, StreamlogError} from '../errors.js';
import {createGroupAt, setGroupAt} from '../groups/group-position.js';
import type {ReconnectingClient} from '../reconnecting-client.js';
import {compareStreamIds, LAST_ID, successorOf} from '../records/stream-id.js';
import type {GroupInfo} from '../stream-client.js';
import type {Counted} from './source-stream.js';

/** What its name begins with, unless it was given. */
export const HOLD_PREFIX = 'copy:';

export class HoldGroup {
  readonly #redis: ReconnectingClient;
  readonly #stream: string;
  readonly #group: string;
  readonly #onProblem: (line: string) => void;
  #standsAt: string | undefined;
  /** What it was told of how much had been added up to there. */
  #counted: number | undefined;

  constructor(
    redis: ReconnectingClient,
    {stream, group, onProblem}: {stream: string; group: string; onProblem: (line: string) => void},
  ) {
    this.#redis = redis;
    this.#stream = stream;
    this.#group = group;
    this.#onProblem = onProblem;
  }

  /** Where it stands; undefined where there is none. */
  async find(): Promise<GroupInfo | undefined> {
    const groups = await this.#redis.run(({commands}) => commands.groups(this.#stream));
    return groups.find(({name}) => name === this.#group);
  }

  /**
   * Makes it, or moves it back from where it was `found`, so that everything behind `id` is kept. Returns how much had been added up to
   * where it stands, if that is known: what Redis says of a new group counts what was trimmed as read.
   */
  async begin(id: string, found: GroupInfo | undefined): Promise<Counted | undefined> {
    let stands = found;
    if (found !== undefined && found.consumers > 0)
      throw new StreamlogError('configuration', `group "${this.#group}" of stream "${this.#stream}" has consumers`, {
        hint: 'moving it would take entries from them: name another group',
      });
    if (stands === undefined) {
      const start = {kind: 'id', id: successorOf(id) ?? LAST_ID} as const;
      const how = {makeStream: false, nowMs: Date.now()};
      await this.#redis.run(({commands}) => createGroupAt(commands, this.#stream, this.#group, start, how));
      stands = await this.find();
    } else if (compareStreamIds(stands.lastDeliveredId, id) > 0) {
      this.#onProblem(
        `group "${this.#group}" of stream "${this.#stream}" stood at ${stands.lastDeliveredId}, ahead of what is there; moved back to ${id}`,
      );
      await this.#redis.run(({commands}) => setGroupAt(commands, this.#stream, this.#group, id, undefined));
      stands = {...stands, lastDeliveredId: id, entriesRead: undefined};
    }
    this.#standsAt = stands?.lastDeliveredId;
    this.#counted = stands?.entriesRead;
    return found === undefined || stands?.entriesRead === undefined
      ? undefined
      : {upTo: stands.lastDeliveredId, added: stands.entriesRead};
  }

  /** Moves it to `id`, up to which everything is confirmed. */
  async moveTo(id: string, counted: Counted | undefined): Promise<void> {
    if (this.#standsAt === id && counted === undefined) return;
    const added = counted?.upTo === id ? counted.added : undefined;
    if (this.#standsAt === id && this.#counted === added) return;
    try {
      await this.#redis.run(({commands}) => setGroupAt(commands, this.#stream, this.#group, id, added));
    } catch (error) {
      if (!isFailure(error, 'notFound') || error.code !== 'NOGROUP') throw error;
      this.#onProblem(`group "${this.#group}" of stream "${this.#stream}" was removed; making it again`);
      await this.begin(id, undefined);
    }
    this.#standsAt = id;
    this.#counted = added;
  }
}
