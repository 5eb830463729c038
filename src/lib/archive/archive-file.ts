/**
 * A file of an archive while it is written: NDJSON as `range` prints it, in whole members. Invariant: its IDs ascend, and what is
 * known of it (first and last ID, entries, SHA-256) is that of the bytes on disk, whoever wrote them.
 */
import {createHash, type Hash} from 'node:crypto';
import {basename} from 'node:path';
import {isFailure, StreamlogError} from '../errors.js';
import {readContent} from '../input/content.js';
import {readOpenFile} from '../input/source.js';
import {ndjson} from '../output/ndjson.js';
import type {StreamRecord} from '../records/entry.js';
import {compressionOfName} from '../transfer/export-file-name.js';
import {PartFile} from '../transfer/part-file.js';
import {readSections} from '../transfer/section-reader.js';
import {wholeEnd} from '../transfer/whole-end.js';
import type {ArchivedFile} from './archive-index.js';

/** Of text in a member, at most, but for one page more. */
export const MEMBER_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

interface Content {
  readonly first: string;
  last: string;
  entries: number;
}

export class ArchiveFile {
  readonly openedAtMs = performance.now();
  readonly #part: PartFile;
  readonly #content: Content;
  readonly #hash: Hash;
  #syncedBytes: number;
  #isDirty = false;

  private constructor(part: PartFile, content: Content, hash: Hash) {
    this.#part = part;
    this.#content = content;
    this.#hash = hash;
    this.#syncedBytes = part.sizeBytes;
    const compression = compressionOfName(part.path);
    part.begin({compression, memberBytes: MEMBER_BYTES, onWritten: (bytes) => hash.update(bytes)});
  }

  /** A new one at `path`, for `firstId` and what follows it. */
  static async create(path: string, firstId: string): Promise<ArchiveFile> {
    const part = await PartFile.open(path);
    await part.cut(0);
    return new ArchiveFile(part, {first: firstId, last: firstId, entries: 0}, createHash('sha256'));
  }

  /**
   * What a run that was killed has left at `path`, cut back to what is whole. Undefined where that is nothing; the file is then
   * empty. `onCut` is called with how much was cut off.
   */
  static async recover(
    path: string,
    stream: string,
    onCut: (name: string, bytes: number) => void,
  ): Promise<ArchiveFile | undefined> {
    const part = await PartFile.open(path);
    const {sizeBytes} = part;
    try {
      const end = await wholeEnd(part.fd, sizeBytes, compressionOfName(path));
      if (end < sizeBytes) await part.cut(end);
      const read = await readWhole(part, stream);
      if (part.sizeBytes < sizeBytes) onCut(part.name, sizeBytes - part.sizeBytes);
      if (read !== undefined) return new ArchiveFile(part, read.content, read.hash);
      await part.leave();
      return undefined;
    } catch (error) {
      await part.leave();
      throw error;
    }
  }

  get first(): string {
    return this.#content.first;
  }

  get last(): string {
    return this.#content.last;
  }

  /** On disk, or on the way there. */
  get sizeBytes(): number {
    return this.#part.sizeBytes;
  }

  /** On the way there. */
  get unsyncedBytes(): number {
    return this.#part.sizeBytes - this.#syncedBytes;
  }

  get name(): string {
    return this.#part.name;
  }

  isThere(): Promise<boolean> {
    return this.#part.isThere();
  }

  /** Throws `io`. */
  async write(records: readonly StreamRecord[]): Promise<void> {
    this.#isDirty = true;
    await this.#part.write(ndjson(records));
    this.#content.last = records.at(-1)!.id;
    this.#content.entries += records.length;
  }

  /** Everything that was written is on disk, in whole members. Throws `io`. */
  async sync(): Promise<void> {
    if (!this.#isDirty) return;
    await this.#part.sync();
    this.#isDirty = false;
    this.#syncedBytes = this.#part.sizeBytes;
  }

  /** Gives it its name. Throws `io`. */
  async finish(): Promise<ArchivedFile> {
    await this.#part.finish();
    return describe(this.#part.path, this.#content, this.#part.sizeBytes, this.#hash);
  }

  leave(): Promise<void> {
    return this.#part.leave();
  }
}

/** A finished file of which nothing is known. Throws `data` where it is damaged, or of another stream. */
export async function readFinished(path: string, stream: string, fd: number): Promise<ArchivedFile> {
  const {content, hash, bytes} = await readLines(fd, path, stream);
  if (content === undefined) throw new StreamlogError('data', `${path} is empty`, {hint: 'remove it'});
  return describe(path, content, bytes, hash);
}

const describe = (path: string, content: Content, bytes: number, hash: Hash): ArchivedFile => ({
  file: basename(path),
  ...content,
  bytes,
  sha256: hash.copy().digest('hex'),
});

/** Without members, a crash of the system may leave lines that are none: what is before them is kept. */
async function readWhole(part: PartFile, stream: string): Promise<{content: Content; hash: Hash} | undefined> {
  let lines = 0;
  try {
    const {content, hash} = await readLines(part.fd, part.name, stream, () => lines++);
    return content && {content, hash};
  } catch (error) {
    if (!isFailure(error, 'data') || error.code === OTHER_STREAM || compressionOfName(part.path) !== undefined)
      throw error;
    await part.cut(await endOfLine(part.fd, lines));
    const {content, hash} = await readLines(part.fd, part.name, stream);
    return content && {content, hash};
  }
}

const OTHER_STREAM = 'OTHER_STREAM';

async function readLines(
  fd: number,
  name: string,
  stream: string,
  onLine: () => void = () => {},
): Promise<{content: Content | undefined; hash: Hash; bytes: number}> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* hashed(): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of readOpenFile(fd, 0)) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  let content: Content | undefined;
  const source = readContent(hashed(), {name, pipeOf: async () => ''});
  for await (const page of readSections(source, {name, isSealed: false}))
    for (const line of page) {
      if (line.kind !== 'entry' || line.stream !== stream)
        throw new StreamlogError('data', `${name}: line ${line.line}: it is no entry of stream "${stream}"`, {
          code: OTHER_STREAM,
          hint: 'the directory has files that are not of this archive; give another --dir',
        });
      content ??= {first: line.id, last: line.id, entries: 0};
      content.last = line.id;
      content.entries++;
      onLine();
    }
  return {content, hash, bytes};
}

/** Behind so many lines of the file that is open as `fd`. */
async function endOfLine(fd: number, lines: number): Promise<number> {
  let left = lines;
  let position = 0;
  for await (const chunk of readOpenFile(fd, 0)) {
    for (let at = chunk.indexOf(NEWLINE); left > 0 && at !== -1; at = chunk.indexOf(NEWLINE, at + 1))
      if (--left === 0) return position + at + 1;
    position += chunk.length;
  }
  return 0;
}
