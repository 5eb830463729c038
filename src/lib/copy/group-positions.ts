/**
 * Carries the groups of a source over to its copy, for the day on which workers go on there. Invariants: a group of the copy never
 * stands behind an entry that the group of the source has not acknowledged, or that is not copied; it only moves forward; and one
 * that has consumers is left alone, since somebody works there.
 */
import {isNoStream} from '../errors.js';
import {setGroupAt} from '../groups/group-position.js';
import type {RunOn} from '../reconnecting-client.js';
import {compareStreamIds, earlierId, FIRST_ID, predecessorOf} from '../records/stream-id.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import type {CopyNames} from './copy-failures.js';
import {HOLD_PREFIX} from './hold-group.js';

export interface GroupPositionsOptions {
  names: CopyNames;
  source: RunOn;
  target: RunOn;
  /** The group that holds the source, which is not carried over. */
  hold: string | undefined;
  onProblem: (line: string) => void;
}

export class GroupPositions {
  readonly #options: GroupPositionsOptions;
  /** Groups that were said to be left alone. */
  readonly #reported = new Set<string>();

  constructor(options: GroupPositionsOptions) {
    this.#options = options;
  }

  /** How many groups there are. Everything up to `copied` is there. */
  async carry(copied: string): Promise<number> {
    const {names, source, target} = this.#options;
    const wanted = await source((client) => this.#positions(client, copied));
    if (wanted.length === 0) return 0;
    const there = await target((client) => groupsOf(client, names.target));
    for (const {group, lastDelivered} of wanted) {
      const found = there.find(({name}) => name === group);
      if (found === undefined) await target((client) => client.createGroup(names.target, group, lastDelivered, true));
      else if (found.consumers > 0) this.#leave(group);
      else if (compareStreamIds(lastDelivered, found.lastDeliveredId) > 0)
        await target((client) => setGroupAt(client, names.target, group, lastDelivered, undefined));
    }
    return wanted.length;
  }

  /** Where each group may stand in the copy. */
  async #positions(client: StreamClient, copied: string): Promise<{group: string; lastDelivered: string}[]> {
    const {names, hold} = this.#options;
    const groups = (await client.groups(names.source)).filter(
      ({name}) => name !== hold && !name.startsWith(HOLD_PREFIX),
    );
    return Promise.all(
      groups.map(async (group) => ({
        group: group.name,
        lastDelivered: earlierId(await this.#finished(client, group), copied),
      })),
    );
  }

  /** Up to which ID a group has acknowledged everything. */
  async #finished(client: StreamClient, {name, pending, lastDeliveredId}: GroupInfo): Promise<string> {
    if (pending === 0) return lastDeliveredId;
    const [lowest] = await client.pendingPage(this.#options.names.source, name, {count: 1});
    if (lowest === undefined) return lastDeliveredId;
    return earlierId(predecessorOf(lowest.id) ?? FIRST_ID, lastDeliveredId);
  }

  #leave(group: string): void {
    if (this.#reported.has(group)) return;
    this.#reported.add(group);
    this.#options.onProblem(
      `group "${group}" of target stream "${this.#options.names.target}" has consumers; leaving it where it is`,
    );
  }
}

/** None where there is no such stream. */
async function groupsOf(client: StreamClient, stream: string): Promise<GroupInfo[]> {
  try {
    return await client.groups(stream);
  } catch (error) {
    if (isNoStream(error)) return [];
    throw error;
  }
}
