/**
 * What the checks of one run share: the client, the second reading, and what could not be looked at. Invariant: a check that may not ask for what
 * it needs is named, with how often that was so, and ends nothing.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isFailure, isRefusal, NOT_ALLOWED, type StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import type {GroupFacts, Snapshot, StreamFacts} from '../observe/snapshot.js';
import {pipelined} from '../pipelined.js';
import {isTime} from '../records/entry-time.js';
import type {StreamClient} from '../stream-client.js';
import type {ConfiguredDeadLetter} from './cluster-slots.js';
import type {Commands} from './commands.js';
import type {Finding, Sighting} from './finding.js';
import {FINDING_KINDS, type FindingId} from './finding-kinds.js';

/** What looks for some kinds of findings. */
export interface Check<Subject> {
  ids: readonly FindingId[];
  run(subject: Subject, examination: Examination): Promise<readonly Sighting[]> | readonly Sighting[];
}

/** A stream in the second reading and, where it was there, in the first. */
export interface StreamSubject {
  stream: StreamFacts;
  before: StreamFacts | undefined;
}

export interface GroupSubject extends StreamSubject {
  group: GroupFacts;
  groupBefore: GroupFacts | undefined;
}

export interface ExaminationOptions {
  commands: Commands;
  /** These, and no others. */
  streams?: readonly string[] | undefined;
  match?: string | undefined;
  /** What configuration says. */
  deadLetter?: ConfiguredDeadLetter | undefined;
  /** Only this group, and nothing of its stream. */
  group?: string | undefined;
  /** Kinds to look for; undefined for all. */
  only?: ReadonlySet<FindingId> | undefined;
  /** Looks at all pending entries, not just the first 100 of each group. */
  isDeep: boolean;
  /** Adds entries that findings are about. */
  withPayload: boolean;
  stopping: AbortSignal;
  /** Called with what is being done, for a line that is overwritten. */
  onProgress(text: string): void;
}

/** Between the two readings, for what has to move. */
export const READINGS_APART_MS = 2_000;
/** Subjects that are looked at together. */
const LOOKED_AT_TOGETHER = 50;

/** What the checks of one run share. */
export class Examination {
  readonly client: StreamClient;
  readonly options: ExaminationOptions;
  readonly snapshot: Snapshot;
  readonly nowMs: number;
  /** Between the two readings. */
  readonly apartMs = READINGS_APART_MS;
  /** By sentence, how often. */
  readonly #omitted = new Map<string, number>();
  readonly #names: ReadonlySet<string>;
  readonly #known = new Map<object, Promise<unknown>>();
  #pendingInAll = 0;
  #pendingLookedAt = 0;
  /** The end of the last work that is paced: one waits for the other, so that they share what they may take. */
  #pacedUntil: Promise<unknown> = Promise.resolve();

  constructor(client: StreamClient, options: ExaminationOptions, snapshot: Snapshot) {
    this.client = client;
    this.options = options;
    this.snapshot = snapshot;
    this.nowMs = Date.parse(snapshot.at);
    this.#names = new Set(snapshot.streams.map(({stream}) => stream));
  }

  get commands(): Commands {
    return this.options.commands;
  }

  /** Whether `stream` is among those that are looked at. */
  isChosen(stream: string): boolean {
    const {streams, match} = this.options;
    return (streams === undefined && match === undefined) || this.#names.has(stream);
  }

  /** Whether IDs of the stream are times: those that were given by hand may be any numbers, and say nothing of age. */
  hasTimes({firstId}: StreamFacts): boolean {
    return firstId !== null && isTime(firstId, this.nowMs);
  }

  wants(id: FindingId): boolean {
    return this.options.only?.has(id) ?? true;
  }

  /** Notes that some kinds could not be looked for: `reason` says why, as in `the user may not send XPENDING`. */
  omit(ids: readonly FindingId[], reason: string): void {
    const wanted = ids.filter((id) => this.wants(id)).toSorted();
    if (wanted.length === 0) return;
    const sentence = `${wanted.join(', ')} not looked for: ${reason}`;
    this.#omitted.set(sentence, (this.#omitted.get(sentence) ?? 0) + 1);
  }

  /** What is asked for; undefined where the user may not ask, or the server has no such command, which is noted. */
  async unlessRefused<T>(ids: readonly FindingId[], asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked;
    } catch (error) {
      if (!isRefusal(error, NOT_ALLOWED)) throw error;
      this.omit(ids, error.message);
      return undefined;
    }
  }

  /** What `ask` resolves to, asked once for each `about`. */
  once<T>(about: object, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(about) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask();
    this.#known.set(about, asked);
    return asked;
  }

  /** Does what may take long, one after the other; `work` waits by what it is given, until the run is stopped. */
  paced<T>(work: (pause: (ms: number) => Promise<void>) => Promise<T>): Promise<T> {
    if (!this.options.isDeep) return work(async () => {});
    const {stopping} = this.options;
    const done = this.#pacedUntil.then(() => work((ms) => sleep(ms, undefined, {signal: stopping}).catch(() => {})));
    this.#pacedUntil = done.catch(() => {});
    return done;
  }

  /** How many pending entries there are to be looked at. */
  expectPending(entries: number): void {
    this.#pendingInAll = entries;
  }

  /** Shows how far the pending entries have been looked at. */
  lookedAtPending(entries: number): void {
    this.#pendingLookedAt += entries;
    if (!this.options.isDeep) return;
    const [looked, all] = [this.#pendingLookedAt, Math.max(this.#pendingInAll, this.#pendingLookedAt)];
    this.options.onProgress(`pending entries: ${withCommas(looked)} of ${withCommas(all)}`);
  }

  get unexamined(): string[] {
    return Array.from(this.#omitted, ([sentence, times]) => (times === 1 ? sentence : `${sentence} (${times} times)`));
  }

  /** What `checks` find of `subjects`; of one that is gone meanwhile, nothing. `about` names the subject. */
  async run<Subject>(
    checks: readonly Check<Subject>[],
    subjects: readonly Subject[],
    about: (subject: Subject) => Pick<Finding, 'stream' | 'group'>,
  ): Promise<Finding[]> {
    const wanted = checks.filter(({ids}) => ids.some((id) => this.wants(id)));
    const found = await pipelined(
      subjects,
      async (subject) => {
        const sightings: Sighting[] = [];
        for (const check of wanted) sightings.push(...(await this.#sightings(check, subject)));
        return sightings.filter(({id}) => this.wants(id)).map((sighting) => findingOf(sighting, about(subject)));
      },
      LOOKED_AT_TOGETHER,
    );
    return found.flat();
  }

  async #sightings<Subject>(check: Check<Subject>, subject: Subject): Promise<readonly Sighting[]> {
    if (this.options.stopping.aborted) return [];
    try {
      return await check.run(subject, this);
    } catch (error) {
      if (!this.#isPassable(error)) throw error;
      if (error.kind !== 'notFound') this.omit(check.ids, error.message);
      return [];
    }
  }

  /** Whether the next check may be more lucky. */
  #isPassable(error: unknown): error is StreamlogError {
    return isRefusal(error) || (this.client.server.isCluster && isFailure(error, 'unreachable'));
  }
}

const findingOf = (sighting: Sighting, about: Pick<Finding, 'stream' | 'group'>): Finding => ({
  ...about,
  ...sighting,
  level: FINDING_KINDS[sighting.id].level,
  name: FINDING_KINDS[sighting.id].name,
});
