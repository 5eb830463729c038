/**
 * A section that becomes a stream: added under another name, completed, compared with the section, and only then renamed.
 * Invariant: whatever ends it before, nothing of it is visible, and the next run with the same section goes on with it.
 */
import {createHash} from 'node:crypto';
import {isFailure, StreamlogError} from '../errors.js';
import {GIVEN_BACK_IDLE_MS} from '../records/pending-entry.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import {shellWord} from '../shell-word.js';
import {ContentDigest} from './content-digest.js';
import {EntryWriter} from './entry-writer.js';
import {GoneIds} from './gone-ids.js';
import type {EntryLine, ImportHeader, ImportOptions, ImportReport, SectionImport} from './import-options.js';
import {PendingClaims} from './pending-claims.js';
import {RestoredStream} from './restored-stream.js';
import type {PendingMember, SectionHash} from './section.js';
import type {SectionFacts} from './section-facts.js';
import {headerLine} from './section-lines.js';

/** With what a pending entry without payload is held until all is there. */
const STAND_IN = [['_', '_']] as const;
/** Who has a pending entry that no consumer has, where the server knows no such thing. */
const RELEASED = '(released)';
const NAME_DIGITS = 12;

interface RestoreParts {
  header: ImportHeader;
  target: string;
  stream: RestoredStream;
  /** The last ID that an earlier run has added, and the highest one where it has added all. */
  from: string;
  /** By how much pending entries are younger than the section says. */
  shiftMs: number;
}

export class RestoreSection implements SectionImport {
  readonly #options: ImportOptions;
  readonly #target: string;
  readonly #stream: RestoredStream;
  /** Undefined where another run has added them all. */
  #writer: EntryWriter | undefined;
  /** The last ID that an earlier run has added. */
  readonly #from: string;
  readonly #shiftMs: number;
  readonly #digest: ContentDigest;
  readonly #claims = new Map<string, PendingClaims>();
  readonly #gone = new GoneIds();
  readonly #hashes: SectionHash[] = [];
  #facts: SectionFacts;
  readonly #counts = {entries: 0, gone: 0, pending: 0, already: 0};
  #firstId: string | undefined;
  #lastId = FIRST_ID;
  #isRemoved = false;

  private constructor(options: ImportOptions, parts: RestoreParts) {
    const {header, target, stream, from, shiftMs} = parts;
    this.#options = options;
    this.#facts = options.groups ? header : {...header, groups: []};
    this.#target = target;
    this.#stream = stream;
    this.#digest = new ContentDigest(stream.adding);
    this.#writer = new EntryWriter(options.redis, stream.adding, (adds) => this.#digest.batch(adds));
    this.#from = from;
    this.#shiftMs = shiftMs;
  }

  /** Makes what the entries are added to, or finds what an earlier run has left. */
  static async open(header: ImportHeader, target: string, options: ImportOptions): Promise<RestoreSection> {
    const {redis, groups, agesToNow} = options;
    const stream = new RestoredStream(redis, target, nameOf(header, options));
    const from = await stream.prepare(groups ? header.groups : []);
    const shiftMs = agesToNow
      ? ((await redis.run(({commands}) => commands.server.time())) ?? Date.now()) - Date.parse(header.at)
      : 0;
    return new RestoreSection(options, {header, target, stream, from, shiftMs});
  }

  take(line: EntryLine): Promise<void> | undefined {
    if (line.kind === 'hash') {
      this.#hashes.push(line);
      return undefined;
    }
    const {id, kind} = line;
    if (this.#options.groups) for (const member of line.pending) this.#pending(id, member);
    else if (kind === 'gone') return undefined;
    this.#lastId = id;
    if (kind === 'gone') {
      this.#counts.gone++;
      if (this.#firstId !== undefined) this.#gone.add(id);
    } else {
      this.#counts.entries++;
      this.#firstId ??= id;
    }
    if (this.#writer === undefined || compareStreamIds(id, this.#from) <= 0) {
      if (kind === 'entry') {
        this.#counts.already++;
        this.#digest.entry(id, line.raw ?? line.fields);
      }
      return undefined;
    }
    const isGone = kind === 'gone';
    return this.#writer.add(id, isGone ? STAND_IN : (line.raw ?? line.fields), isGone)?.catch(this.#unlessTakenOn);
  }

  async end(): Promise<ImportReport> {
    const {mode, verify} = this.#options;
    const stream = this.#stream;
    const isResumed = this.#from !== FIRST_ID;
    const {entries} = this.#counts;
    const {lastGeneratedId = this.#lastId, entriesAdded = entries} = this.#facts;
    // Of what was edited, there may be more than was ever added.
    const facts = {...this.#facts, lastGeneratedId, entriesAdded: entriesAdded < entries ? entries : entriesAdded};
    this.#facts = facts;
    try {
      await this.#allAdded();
      await stream.claim(this.#claims);
      await stream.finish({
        facts,
        firstId: this.#firstId,
        gone: this.#gone,
        hasGone: this.#counts.gone > 0,
        hashes: this.#hashes,
      });
      // What an earlier run has left may be of a file that was edited since.
      const isVerified = verify || isResumed;
      const difference = isVerified ? await stream.difference(this.#digest, facts) : undefined;
      if (difference !== undefined) throw await this.#differs(difference);
      if (!(await stream.publish(mode === 'replace'))) return await this.#alreadyThere();
      const state = mode === 'replace' ? 'replaced' : isResumed ? 'resumed' : 'imported';
      return this.#report(state, isVerified);
    } catch (error) {
      if (isFailure(error, 'notFound')) return this.#alreadyThere();
      throw error;
    }
  }

  giveUp(): string | undefined {
    this.#writer?.close();
    if (this.#isRemoved) return undefined;
    return `nothing of it is visible; run again with the whole file, or remove what is left, in redis-cli: UNLINK ${shellWord(this.#stream.key)}`;
  }

  async #allAdded(): Promise<void> {
    await this.#writer?.finish().catch(this.#unlessTakenOn);
  }

  /** Another run was faster, which may have been of another file. */
  async #alreadyThere(): Promise<ImportReport> {
    let difference: string | undefined;
    try {
      difference = await this.#stream.difference(this.#digest, this.#facts, true);
    } catch (error) {
      if (!isFailure(error, 'notFound')) throw error;
      throw new StreamlogError('temporary', `what was restored of "${this.#target}" has gone meanwhile`, {
        hint: 'another import of it may be under way, or a failover has lost it; run again',
      });
    }
    if (difference !== undefined)
      throw new StreamlogError('data', `"${this.#target}" was made meanwhile, and has ${difference}`, {
        hint: 'import it under another name: --into NAME',
      });
    await this.#stream.remove();
    return this.#report('identical', true);
  }

  async #differs(difference: string): Promise<StreamlogError> {
    await this.#stream.remove();
    this.#isRemoved = true;
    return new StreamlogError('temporary', `what was restored of "${this.#target}" has ${difference}; it was removed`, {
      hint: 'an earlier run, or another one, may have been of another file; run again',
    });
  }

  #report(state: ImportReport['state'], verified: boolean): ImportReport {
    const {groups} = this.#facts;
    return {stream: this.#target, ...this.#counts, groups: groups.length, verified, state, dryRun: false};
  }

  /** Another run was faster, and has gone on with what both have added. */
  readonly #unlessTakenOn = (error: unknown): void => {
    if (!isFailure(error, 'notFound')) throw error;
    this.#writer = undefined;
  };

  #pending(id: string, {group, consumer: owner, deliveredAt, deliveries}: PendingMember): void {
    const consumer = owner ?? RELEASED;
    const at = owner === undefined ? Math.max(0, Date.now() - GIVEN_BACK_IDLE_MS) : deliveredAt + this.#shiftMs;
    const claims = this.#claims.get(group) ?? new PendingClaims();
    this.#claims.set(group, claims);
    claims.add(id, consumer, {deliveredAt: at, deliveries});
    this.#digest.pending(group, id, consumer, deliveries);
    this.#counts.pending++;
  }
}

/** Stands for what is imported, and how. */
const nameOf = (header: ImportHeader, {groups, agesToNow}: ImportOptions): string =>
  createHash('sha256')
    .update(headerLine({...header, lastGeneratedId: header.lastGeneratedId ?? FIRST_ID}))
    .update(JSON.stringify({groups, agesToNow}))
    .digest('hex')
    .slice(0, NAME_DIGITS);
