/**
 * Imports the sections of a file, one after the other. Invariant: of a section that is not whole and sound nothing becomes
 * visible, and the failure says in which line and what is left of it.
 */
import {StreamlogError, usageError} from '../errors.js';
import {InputCut} from '../input/source.js';
import {counted} from '../output/sentences.js';
import {findInfo} from '../reading/locate.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import {shellWord} from '../shell-word.js';
import {Throttle} from '../throttle.js';
import {AddedSection} from './added-section.js';
import {AppendedSection} from './appended-section.js';
import {ComparedSection} from './compared-section.js';
import type {EntryLine, ImportHeader, ImportOptions, ImportReport, SectionImport} from './import-options.js';
import {ReadSection} from './read-section.js';
import {RestoreSection} from './restore-section.js';
import {type NumberedLine, readSections, type SectionReading} from './section-reader.js';

export interface ImportSource extends SectionReading {
  source: AsyncIterable<Uint8Array | string>;
}

export interface ImportPlan extends ImportOptions {
  /** The name of the stream that a section becomes, which has the name `stream` in the file. */
  targetOf: (stream: string) => string;
  /** A file has one stream. */
  isOne: boolean;
  ratePerSecond: number | undefined;
  onProgress: (stream: string, entries: number, length: number | undefined) => void;
}

/** The reports of the sections of one file. Throws `data` for what is no whole section. */
export async function* importSections(input: ImportSource, plan: ImportPlan): AsyncGenerator<ImportReport, void, void> {
  const sections = new OpenSections(input, plan);
  try {
    for await (const page of readSections(input.source, input)) {
      for (const line of page) {
        if (line.kind === 'header') {
          yield* sections.end();
          await sections.begin(line);
        } else if (line.kind === 'end') yield* sections.end(line);
        else {
          if (sections.isOther(line)) {
            yield* sections.end();
            await sections.begin(headerless(line, input));
          }
          const done = sections.take(line);
          if (done !== undefined) await done;
        }
      }
      await sections.keepRate();
    }
    yield* sections.end();
  } catch (error) {
    throw sections.failure(error);
  }
}

/** All sections are read, and nothing else is done: throws what is wrong with them. */
export async function checkSections(input: ImportSource): Promise<void> {
  for await (const _ of readSections(input.source, input));
}

class OpenSections {
  readonly #input: ImportSource;
  readonly #plan: ImportPlan;
  readonly #throttle: Throttle | undefined;
  #open: {header: ImportHeader; line: number; target: string; work: SectionImport; entries: number} | undefined;
  #begun = 0;
  /** Entries since the throttle was asked last. */
  #entries = 0;

  constructor(input: ImportSource, plan: ImportPlan) {
    this.#input = input;
    this.#plan = plan;
    if (plan.ratePerSecond !== undefined) this.#throttle = new Throttle(plan.ratePerSecond);
  }

  /** Whether a line belongs to none that is open: only in a file that is not sealed. */
  isOther({stream}: EntryLine): boolean {
    return this.#open === undefined || (stream !== undefined && stream !== this.#open.header.stream);
  }

  async begin(header: ImportHeader & {line: number}): Promise<void> {
    if (this.#begun++ > 0 && this.#plan.isOne)
      throw usageError(`${this.#input.name} has more than one stream`, 'with --prefix, each keeps its name behind it');
    const sound = this.#soundHeader(header);
    const target = this.#plan.targetOf(header.stream);
    this.#open = {header, line: header.line, target, work: await openSection(sound, target, this.#plan), entries: 0};
  }

  take(line: EntryLine): Promise<void> | undefined {
    const open = this.#open!;
    if (line.kind !== 'hash') this.#requireSound(line, open.header);
    if (line.kind === 'entry') {
      open.entries++;
      this.#entries++;
    }
    return open.work.take(line);
  }

  async *end(trailer?: NumberedLine): AsyncGenerator<ImportReport, void, void> {
    const open = this.#open;
    if (open === undefined) return;
    const {header, entries, work, line} = open;
    if (trailer !== undefined && Number(header.entriesAdded ?? entries) < entries)
      throw this.#fault(line, `"entriesAdded" is ${header.entriesAdded}, and the section has ${entries} entries`);
    if (trailer?.kind === 'end' && trailer.missing > 0)
      this.#plan.onNote(
        `${this.#input.name}: ${counted(trailer.missing, 'entry')} of "${header.stream}" had gone before they were exported`,
      );
    const report = await work.end();
    this.#open = undefined;
    yield report;
  }

  /** Says how far it is, and waits where it is faster than it may be. */
  async keepRate(): Promise<void> {
    const {onProgress, delivery} = this.#plan;
    const open = this.#open;
    if (open !== undefined) onProgress(open.target, open.entries, open.header.length);
    await this.#throttle?.takeAll(this.#entries, delivery.stopping);
    this.#entries = 0;
  }

  /** `error`, with what is left of the section that it ended. */
  failure(error: unknown): unknown {
    const left = this.#open?.work.giveUp();
    if (left === undefined || !(error instanceof StreamlogError || error instanceof InputCut)) return error;
    if (error instanceof InputCut)
      return new StreamlogError('incomplete', `the import of "${this.#open!.target}" was cut off`, {hint: left});
    const {kind, message, code, hint} = error;
    return new StreamlogError(kind, message, {code, hint: hint === undefined ? left : `${hint}; ${left}`});
  }

  #soundHeader(header: ImportHeader & {line: number}): ImportHeader {
    const {maxDeletedId = FIRST_ID, lastGeneratedId, entriesAdded = 0, line} = header;
    if (lastGeneratedId !== undefined && compareStreamIds(maxDeletedId, lastGeneratedId) > 0)
      throw this.#fault(line, `"maxDeletedId" is behind "lastGeneratedId"`);
    if (entriesAdded < 0) throw this.#fault(line, '"entriesAdded" is negative');
    return header;
  }

  #requireSound(
    {id, kind, line, pending}: EntryLine & {kind: 'entry' | 'gone'},
    {lastGeneratedId}: ImportHeader,
  ): void {
    if (kind === 'gone' && lastGeneratedId !== undefined && compareStreamIds(id, lastGeneratedId) > 0)
      throw this.#fault(line, `the ID ${id} is behind the last one of the header, ${lastGeneratedId}`);
    if (pending.some(({deliveries}) => deliveries < 0)) throw this.#fault(line, '"deliveries" is negative');
  }

  #fault(line: number, reason: string): StreamlogError {
    return new StreamlogError('data', `${this.#input.name}: line ${line}: ${reason}`);
  }
}

/** What is done with a section, as far as its stream is there. */
async function openSection(header: ImportHeader, target: string, plan: ImportPlan): Promise<SectionImport> {
  const {mode, redis, dryRun, agreeToReplace} = plan;
  const info = await redis.run(({commands}) => findInfo(commands, target));
  const groups = plan.groups ? header.groups.length : 0;
  const onlyRead = (state: ImportReport['state'], ofGroups = groups): SectionImport =>
    new ReadSection({stream: target, groups: ofGroups, state}, plan);
  if (mode === 'newIds') return dryRun ? onlyRead('added', 0) : AddedSection.open(target, plan);
  if (info === undefined) return dryRun ? onlyRead('imported') : RestoreSection.open(header, target, plan);
  if (mode === 'new') return ComparedSection.open(header, target, info, plan);
  if (mode === 'append')
    return dryRun ? onlyRead('appended', 0) : new AppendedSection(target, info.lastGeneratedId, plan);
  if (dryRun) return onlyRead('replaced');
  await agreeToReplace(target, info);
  return RestoreSection.open(header, target, plan);
}

/** What stands for the header of entries that have none. */
function headerless(line: EntryLine, {name}: ImportSource): ImportHeader & {line: number} {
  const {stream} = line;
  if (stream === undefined) throw new StreamlogError('data', `${name}: line ${line.line}: no stream is named`);
  return {
    stream,
    at: '1970-01-01T00:00:00.000Z',
    whole: false,
    length: 0,
    lastGeneratedId: undefined,
    groups: [],
    line: line.line,
  };
}

/** What is asked before a stream is replaced. */
export const askReplace = (stream: string, {length, groups}: {length: number; groups: number}): string =>
  `${describe(stream, {length, groups})}. Replace it?`;

/** Throws a usage error for a stream that is not replaced without being asked. */
export function refuseToReplace(stream: string, info: {length: number; groups: number}): never {
  throw usageError(
    describe(stream, info),
    `to replace it anyway, add --force; to keep it: --into ${shellWord(`${stream}-imported`)}`,
  );
}

const describe = (stream: string, {length, groups}: {length: number; groups: number}): string =>
  `"${stream}" is there already, with ${counted(length, 'entry')} and ${counted(groups, 'group')}`;
