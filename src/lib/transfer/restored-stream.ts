/**
 * A stream that is being restored under a name of its own, beside the one that it will have and in the same slot. Invariants:
 * it is whole and compared with the file before it has that one; each step can be repeated, by this run or another one, at
 * the same time too, since the key has another name for each kind of step, so that nothing late meets a later one.
 */
import {colocatedKey} from '../colocated-key.js';
import {isFailure, StreamlogError} from '../errors.js';
import {setGroupAt} from '../groups/group-position.js';
import {pipelined} from '../pipelined.js';
import {findInfo} from '../reading/locate.js';
import type {ReconnectingClient} from '../reconnecting-client.js';
import {FIRST_ID, LAST_ID} from '../records/stream-id.js';
import type {StreamClient, Trim} from '../stream-client.js';
import {type ContentDigest, digestOf} from './content-digest.js';
import type {GoneIds} from './gone-ids.js';
import type {Claim, PendingClaims} from './pending-claims.js';
import type {Count, SectionGroup, SectionHash} from './section.js';
import {factsDifference, type SectionFacts} from './section-facts.js';

/** Entries that one XCLAIM makes pending, and XCLAIMs that are sent together. */
const MOST_CLAIMED = 500;
/** IDs that one XDEL removes. */
const MOST_DELETED = 500;
/** Entries that one step of XTRIM removes at most. */
const MOST_TRIMMED = 1_000;

/** All that a section holds but its entries. */
export interface SectionEnd {
  facts: SectionFacts & {readonly lastGeneratedId: string};
  /** The first entry that is in the stream; undefined where none is. */
  firstId: string | undefined;
  /** Whether any is pending and not in the stream, and those of them that are behind the first. */
  hasGone: boolean;
  gone: GoneIds;
  hashes: readonly SectionHash[];
}

export class RestoredStream {
  /** Where entries are added. */
  readonly adding: string;
  /** Where all of them are, and become pending. */
  readonly claiming: string;
  /** Where the rest is set. */
  readonly ready: string;
  /** The name that it has now, as far as is known. */
  key: string;
  readonly #target: string;
  readonly #aside: string;
  readonly #redis: ReconnectingClient;

  /** `name` stands for the section and how it is imported: another run goes on with what this one has left. */
  constructor(redis: ReconnectingClient, target: string, name: string) {
    this.#redis = redis;
    this.#target = target;
    this.adding = colocatedKey('import', target, name, 'adding');
    this.key = this.adding;
    this.claiming = colocatedKey('import', target, name, 'claiming');
    this.ready = colocatedKey('import', target, name, 'ready');
    this.#aside = colocatedKey('import', target, name, 'replaced');
  }

  /**
   * Makes the stream, its groups and their consumers, where they are not there yet. Returns the last ID that an earlier run
   * has added, the highest one where all were, and 0-0 where there was none. Throws `denied` before anything is made.
   */
  async prepare(groups: readonly SectionGroup[]): Promise<string> {
    await this.#redis.run(({commands: client}) => this.#tryCommands(client, groups.length > 0));
    for (;;) {
      try {
        return await this.#make(groups);
      } catch (error) {
        // Another run has gone on with it meanwhile.
        if (!isFailure(error, 'notFound')) throw error;
      }
    }
  }

  #make(groups: readonly SectionGroup[]): Promise<string> {
    return this.#redis.run(async ({commands: client}) => {
      if (await this.#isAdded(client)) {
        this.key = this.claiming;
        return LAST_ID;
      }
      const before = await findInfo(client, this.adding);
      await pipelined(groups, ({name}) => client.createGroup(this.adding, name, FIRST_ID, true));
      if (groups.length === 0 && before === undefined) await makeStream(client, this.adding);
      for (const {name: group, consumers = []} of groups)
        await pipelined(consumers, (consumer) => client.createConsumer({stream: this.adding, group, consumer}));
      return before?.lastGeneratedId ?? FIRST_ID;
    });
  }

  /** All entries are added, and become pending. Throws `notFound` where another run has gone on with it to its end. */
  async claim(groups: ReadonlyMap<string, PendingClaims>): Promise<void> {
    await this.#move(this.adding, this.claiming);
    for (const [group, claims] of groups) {
      for (const some of chunksOf(claims.inOrder(MOST_CLAIMED), MOST_CLAIMED))
        if (!(await this.#claim(group, some))) return;
    }
    await this.#move(this.claiming, this.ready);
  }

  /** Sets what is not entries, and removes those that only stood for what is gone. Throws `notFound` as `complete` says. */
  async finish({facts, firstId, hasGone, gone, hashes}: SectionEnd): Promise<void> {
    const {ready: stream} = this;
    if (hasGone) {
      await this.#trim(firstId === undefined ? {kind: 'maxLen', maxLen: 0} : {kind: 'minId', minId: firstId});
      for (const ids of gone.batches(MOST_DELETED))
        await this.#redis.run(({commands: client}) => client.delete(stream, ids));
    }
    await this.#redis.run(async ({commands: client}) => {
      await setLastId(client, stream, facts);
      await pipelined(facts.groups, ({name, lastDeliveredId, entriesRead}) =>
        setGroupAt(client, stream, name, lastDeliveredId, known(entriesRead)),
      );
    });
    for (const {of, key, fields, expiresAt} of hashes)
      await this.#redis.run(({commands: client}) =>
        client.restoring.setHash(`${colocatedKey(of, this.#target)}:${key}`, fields, expiresAt),
      );
  }

  /** What the stream has else than `digest` and `facts`; undefined where it has the same. `isThere`: the one that has its name. */
  async difference(digest: ContentDigest, facts: SectionFacts, isThere = false): Promise<string | undefined> {
    const stream = isThere ? this.#target : this.ready;
    const groups = facts.groups.map(({name}) => name);
    return this.#redis.run(async ({commands: client}) => {
      const other = factsDifference(facts, await client.info(stream), await client.groups(stream));
      return (
        other ??
        digest.differenceOf(await digestOf(client, stream, {as: this.adding, start: FIRST_ID, end: LAST_ID, groups}))
      );
    });
  }

  /** Gives the stream its name. False where that is taken, or where another run has done so; with `replace`, nothing is in its way. */
  publish(replace: boolean): Promise<boolean> {
    return this.#redis.run(async ({commands: client}) => {
      try {
        if (replace && (await client.restoring.exists(this.#target))) {
          await client.restoring.replace(this.ready, this.#target, this.#aside);
          return true;
        }
        return await client.restoring.rename(this.ready, this.#target);
      } catch (error) {
        if (isFailure(error, 'notFound')) return false;
        throw error;
      }
    });
  }

  /** Removes what is left of it. */
  async remove(): Promise<void> {
    await this.#redis.run(async ({commands: client}) => {
      for (const key of [this.adding, this.claiming, this.ready]) await client.restoring.unlink(key);
    });
  }

  /** Whether all entries are added. */
  async #isAdded(client: StreamClient): Promise<boolean> {
    return (await client.restoring.exists(this.claiming)) || client.restoring.exists(this.ready);
  }

  /** From one step to the next, unless another run has done so. */
  #move(from: string, to: string): Promise<void> {
    return this.#redis.run(async ({commands: client}) => {
      try {
        await client.restoring.rename(from, to);
      } catch (error) {
        if (!isFailure(error, 'notFound') || !(await this.#isAdded(client))) throw error;
      }
      this.key = to;
    });
  }

  /** False where another run has done all of it. */
  #claim(group: string, claims: readonly Claim[]): Promise<boolean> {
    return this.#redis.run(async ({commands: client}) => {
      try {
        await pipelined(claims, ({consumer, state, ids}) =>
          client.restoring.setPending({stream: this.claiming, group, consumer}, state, ids),
        );
        return true;
      } catch (error) {
        if (!isFailure(error, 'notFound') || !(await client.restoring.exists(this.ready))) throw error;
        return false;
      }
    });
  }

  async #trim(goal: {kind: 'maxLen'; maxLen: number} | {kind: 'minId'; minId: string}): Promise<void> {
    const trim = (way: Pick<Trim, 'approximate' | 'limit'>): Promise<number> =>
      this.#redis.run(({commands: client}) => client.trim(this.ready, {...goal, ...way}));
    while ((await trim({approximate: true, limit: MOST_TRIMMED})) > 0);
    await trim({approximate: false});
  }

  /** Each command once, on a key that is not there, so that a user who lacks a right learns of it before anything is made. */
  async #tryCommands(client: StreamClient, hasGroups: boolean): Promise<void> {
    const stream = `${this.adding}:try`;
    const member = {stream, group: 'g', consumer: 'c'};
    const tries: (() => Promise<unknown>)[] = [
      () => client.info(stream),
      () => client.groups(stream),
      () => client.recordPage(stream, FIRST_ID, LAST_ID, 1),
      () => client.delete(stream, [FIRST_ID]),
      () => client.trim(stream, {kind: 'maxLen', maxLen: 0, approximate: false}),
      () => client.restoring.setLastId(stream, {lastId: '1-1'}),
      () => client.restoring.rename(stream, this.#target),
      () => client.restoring.unlink(stream),
      () => client.add(stream, [['f', 'v']], {create: false}),
    ];
    const ofGroups: typeof tries = [
      () => client.createGroup(stream, 'g', FIRST_ID, false),
      () => client.setGroup(stream, 'g', FIRST_ID),
      () => client.createConsumer(member),
      () => client.pendingPage(stream, 'g', {count: 1}),
      () => client.makePending(member, ['1-1']),
    ];
    for (const attempt of hasGroups ? [...tries, ...ofGroups] : tries) {
      try {
        await attempt();
      } catch (error) {
        if (!isFailure(error, 'notFound')) throw error;
      }
    }
  }
}

function* chunksOf<Item>(items: Iterable<Item>, most: number): Generator<Item[], void, void> {
  let chunk: Item[] = [];
  for (const item of items) {
    if (chunk.push(item) < most) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Redis makes no empty stream but for a group. */
async function makeStream(client: StreamClient, stream: string): Promise<void> {
  await client.createGroup(stream, 'import', FIRST_ID, true);
  await client.destroyGroup(stream, 'import');
}

/** Redis counts past the end of 64 bits, and takes no negative count back. */
const known = (count: Count | undefined): Count | undefined => (count === undefined || count < 0 ? undefined : count);

/** XSETID, without the counts where the server does not know them (before Redis 7.0, https://redis.io/docs/latest/commands/xsetid/). */
async function setLastId(client: StreamClient, stream: string, facts: SectionEnd['facts']): Promise<void> {
  const {lastGeneratedId: lastId, entriesAdded, maxDeletedId = FIRST_ID} = facts;
  // A stream to which nothing was ever added is so from the start.
  if (lastId === FIRST_ID) return;
  try {
    await client.restoring.setLastId(stream, {
      lastId,
      ...(entriesAdded === undefined ? {} : {entriesAdded}),
      ...(maxDeletedId === FIRST_ID ? {} : {maxDeletedId}),
    });
  } catch (error) {
    if (!(error instanceof StreamlogError) || error.code !== 'ERR') throw error;
    await client.restoring.setLastId(stream, {lastId});
  }
}
