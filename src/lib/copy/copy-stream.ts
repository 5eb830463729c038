/**
 * One stream copied to another, with its IDs, once or for as long as it goes on. Where the target stands is asked at the start and
 * whenever that is not certain, so that nothing has to be remembered. Invariants: each entry is copied once, in order, whatever is lost, killed or
 * failed over on either side; and where that cannot be kept, the copy ends and says why.
 */
import {isRetryable} from '../errors.js';
import type {RecordFilter} from '../filter/record-filter.js';
import {locate} from '../reading/locate.js';
import {type Bound, idsBetween} from '../reading/stream-range.js';
import type {Position} from '../records/position.js';
import {compareStreamIds, earlierId, FIRST_ID, LAST_ID, laterId, predecessorOf} from '../records/stream-id.js';
import {CarriedState} from './carried-state.js';
import {CopyConnections, type CopyConnectionsOptions} from './copy-connections.js';
import {CopySchedule, type ScheduleOptions} from './copy-schedule.js';
import type {CopyTarget} from './copy-target.js';
import {HoldGroup} from './hold-group.js';
import {checkPosition} from './position-check.js';
import {RenumberedTarget} from './renumbered-target.js';
import {type Counted, type SourcePage, SourceStream} from './source-stream.js';
import {TargetStream} from './target-stream.js';
import {verifyCopy} from './verify-copy.js';

export interface CopyOptions extends CopyConnectionsOptions {
  /** Where it goes, if that is no stream. */
  into?: CopyTarget | undefined;
  /** Where to begin, unless the target is further; given, it does not matter what was trimmed before. */
  from: Position | undefined;
  /** The last entry to copy; undefined: the newest one of the time of asking, and with `follow` none. */
  until: Bound | undefined;
  filter: RecordFilter | undefined;
  follow: boolean;
  /** The group of the source that stands where the copy does; undefined for none. */
  hold: string | undefined;
  /** Carries the groups of the source over. */
  groups: boolean;
  /** Trims the target as the source is trimmed. */
  trim: boolean;
  /** Adds entries under new IDs, as those of a source of this name; undefined keeps their IDs. */
  newIdsFrom: string | undefined;
  /** Compares everything in the end. */
  verify: boolean;
  /** When entries go; undefined: at once. */
  schedule: ScheduleOptions | undefined;
  onProgress: (counts: CopyCounts) => void;
  /** Everything is copied for now. */
  onIdle: () => void;
}

export interface CopyCounts {
  /** Entries that this run has copied, or has found there. */
  copied: number;
  /** Entries that the filter has left out. */
  skipped: number;
  /** Up to which ID the target is a copy. */
  lastId: string;
  /** Entries that were found to be the same, where that was asked. */
  verified?: number;
}

/** How often both streams are looked at. */
const LOOK_MS = 1_000;

export class StreamCopy {
  /** Whether it was found out where to begin. */
  hasBegun = false;
  readonly counts: CopyCounts = {copied: 0, skipped: 0, lastId: FIRST_ID};
  readonly #options: CopyOptions;
  readonly #target: CopyTarget;
  readonly #redis: CopyConnections;
  readonly #hold: HoldGroup | undefined;
  readonly #carried: CarriedState;
  readonly #schedule: CopySchedule | undefined;
  #source!: SourceStream;
  /** Everything up to here is copied, or is not wanted. */
  #done = FIRST_ID;
  /** How much had been added to the source up to there, or to an earlier ID. */
  #counted: Counted | undefined;
  /** Nothing up to here is wanted. */
  #begin = FIRST_ID;
  #last = LAST_ID;
  #lookedAtMs = performance.now();

  constructor(options: CopyOptions) {
    const {names, hold} = options;
    this.#options = options;
    this.#redis = new CopyConnections(options);
    const {source, target, runs} = this.#redis;
    const isCopy = (id: string): Promise<boolean> => this.#redis.isCopy(id);
    this.#target =
      options.into ??
      (options.newIdsFrom === undefined
        ? new TargetStream({...options, redis: target, isCopy})
        : new RenumberedTarget({...options, redis: target, sourceServer: options.newIdsFrom}));
    this.#hold =
      hold === undefined ? undefined : new HoldGroup(source, {...options, stream: names.source, group: hold});
    this.#carried = new CarriedState({...options, ...runs});
    this.#schedule = options.schedule && new CopySchedule(options.schedule);
  }

  /** Copies until the end, or with `follow` until `stopping`. Throws what ends it. */
  async run(): Promise<void> {
    const {stopping} = this.#options;
    const stop = (): void => this.#redis.source.unblock();
    stopping.addEventListener('abort', stop, {once: true});
    try {
      await this.#start();
      while (!(await this.#copyFrom(await this.#position())) && !stopping.aborted);
      await this.#target.settle?.(true);
      if (this.#hold !== undefined) await this.#moveHold();
      await this.#carried.carry(this.#target.confirmed);
      if (stopping.aborted) return;
      await this.#target.check();
      if (this.#options.verify) this.counts.verified = await this.#verify();
      await this.#target.finish?.();
    } catch (error) {
      if (!stopping.aborted || !isRetryable(error)) throw error;
    } finally {
      stopping.removeEventListener('abort', stop);
      await this.#target.leave?.();
      this.#redis.close();
    }
  }

  /** Which part of the source is wanted. Throws `notFound` where there is no source. */
  async #start(): Promise<void> {
    const {names, from, until, follow} = this.#options;
    const stream = names.source;
    const {info, first, last} = await this.#redis.source.run(async ({commands}) => {
      const seen = await commands.info(stream);
      const end = follow ? LAST_ID : seen.lastGeneratedId;
      const between = until && (await idsBetween(commands, stream, {until}, end));
      return {
        info: seen,
        first: from === undefined ? FIRST_ID : await locate(commands, stream, from),
        last: until === undefined ? end : (between?.last ?? FIRST_ID),
      };
    });
    this.#begin = predecessorOf(first) ?? FIRST_ID;
    this.#last = last;
    const {source: redis} = this.#redis;
    const {words} = this.#target;
    const onGap = (line: string): void => {
      if (this.counts.lastId !== FIRST_ID) this.#options.onProblem(line);
    };
    this.#source = new SourceStream({stream, redis, last, acceptsGap: from !== undefined, words, onGap}, info);
  }

  /** Behind which ID copying goes on, once the target has shown that it is a copy up to there. */
  async #position(): Promise<string> {
    const {names} = this.#options;
    const info = await this.#source.look();
    const lastId = await this.#target.look();
    await this.#target.requireSource?.(info, (id) => this.#has(id));
    const found = await this.#hold?.find();
    const held = found?.lastDeliveredId ?? FIRST_ID;
    await checkPosition(lastId, {
      names,
      ...this.#redis.runs,
      info,
      // What keeps how far it is beside it has been a copy up to there.
      copiedUpTo: this.#target.keepsIds ? laterId(held, this.#target.confirmed) : lastId,
      keepsIds: this.#target.keepsIds,
    });
    const isBack = compareStreamIds(lastId, this.#target.confirmed) < 0;
    this.#target.begin();
    // The end of the target does not say how far a filter has come.
    const passedOver = this.#options.filter === undefined || isBack ? FIRST_ID : held;
    // What the source has lost in a failover it may give again, with IDs that the target has.
    const shared = earlierId(lastId, info.lastGeneratedId);
    this.#done = laterId(laterId(shared, passedOver), this.#begin);
    const counted = await this.#hold?.begin(this.#done, found);
    if (counted !== undefined && compareStreamIds(counted.upTo, this.#counted?.upTo ?? FIRST_ID) >= 0)
      this.#counted = counted;
    this.counts.lastId = lastId;
    this.hasBegun = true;
    const start = this.#source.startBehind(this.#done, this.#counted);
    if (this.#counted?.upTo !== start) this.#counted = undefined;
    return start;
  }

  /** True when everything is copied; false when it has to be seen again where the target stands. */
  async #copyFrom(position: string): Promise<boolean> {
    const {follow, stopping} = this.#options;
    let next = this.#source.pageBehind(position);
    while (!stopping.aborted) {
      const page = await next;
      if (page === undefined) {
        const {done, there} = this.#target.words;
        this.#options.onProblem(
          `stream "${this.#options.names.source}" lacks what was ${done} after ${this.#source.lastGeneratedId}, as after a failover; ` +
            `${there} keeps it`,
        );
        // What it gives in place of that is compared with the target.
        this.#done = this.#source.lastGeneratedId;
        this.#counted = undefined;
        next = this.#source.pageBehind(this.#done);
        continue;
      }
      const last = page.records.at(-1)?.id;
      if (last === undefined) {
        if (!follow || this.#isEnd(this.#done)) return true;
        if (!(await this.#rest())) return false;
        next = this.#source.pageBehind(this.#done);
        continue;
      }
      // The next page is read while this one is written.
      next = this.#source.pageBehind(last);
      next.catch(() => {});
      if (!(await this.#addPage(page)) || !(await this.#look())) {
        await next.catch(() => {});
        return false;
      }
      this.#options.onProgress(this.counts);
    }
    return true;
  }

  async #addPage({records, counted}: SourcePage): Promise<boolean> {
    const {filter} = this.#options;
    const last = records.at(-1)!.id;
    const isAgain = compareStreamIds(records[0]!.id, this.#done) <= 0;
    const fresh = isAgain ? records.filter(({id}) => compareStreamIds(id, this.#done) > 0) : records;
    const wanted = filter === undefined ? fresh : fresh.filter((record) => filter.matches(record));
    let added = 0;
    for await (const part of this.#schedule?.partsOf(wanted, this.#options.stopping) ?? [wanted]) {
      if (part.length > 0 && !(await this.#target.add(part))) return false;
      added += part.length;
      this.counts.copied += part.length;
      if (part.length > 0) this.counts.lastId = part.at(-1)!.id;
      if (this.#schedule !== undefined && !(await this.#look())) return false;
    }
    // A signal has come between two of them.
    if (added < wanted.length) return true;
    this.counts.skipped += fresh.length - wanted.length;
    this.#done = laterId(last, this.#done);
    this.#counted = counted;
    return true;
  }

  #isEnd(id: string): boolean {
    return compareStreamIds(id, this.#last) >= 0;
  }

  /** Everything is copied for now: waits for more. False as `#copyFrom`. */
  async #rest(): Promise<boolean> {
    if (!(await this.#look())) return false;
    this.#options.onIdle();
    try {
      await this.#source.wait(this.#done);
    } catch (error) {
      if (!this.#options.stopping.aborted) throw error;
    }
    return true;
  }

  /** Once a second: moves the group, and looks whether the target is what was copied. False as `#copyFrom`. */
  async #look(): Promise<boolean> {
    if (performance.now() - this.#lookedAtMs < LOOK_MS) return true;
    this.#lookedAtMs = performance.now();
    if ((await this.#target.settle?.(false)) ?? true) await this.#moveHold();
    await this.#carried.carryWhenDue(this.#target.confirmed);
    return this.#target.check();
  }

  async #verify(): Promise<number> {
    const {names, filter} = this.#options;
    const lastId = this.#target.confirmed;
    if (lastId === FIRST_ID) return 0;
    const {source, target} = this.#redis.runs;
    return source((originals) =>
      target((copies) => verifyCopy({names, source: originals, target: copies, filter, begin: this.#begin, lastId})),
    );
  }

  async #moveHold(): Promise<void> {
    // How much was added is known again where everything was read.
    if (this.#counted?.upTo !== this.#done)
      this.#counted = this.#source.countAt(this.#done, await this.#source.look()) ?? this.#counted;
    // What was copied before is being read again, to know it: the group keeps what it knows until then.
    if (this.#counted !== undefined && compareStreamIds(this.#counted.upTo, this.#done) < 0) return;
    await this.#hold?.moveTo(this.#done, this.#counted);
  }

  async #has(id: string): Promise<boolean> {
    const {source} = this.#options.names;
    return (await this.#redis.runs.source((client) => client.recordPage(source, id, id, 1))).length > 0;
  }
}
