/**
 * The files that a log was renamed or copied to: which names they have, and which was written after which. Known by
 * their names alone, so only names with a number or a date count: a log of another program may have nearly the same.
 */
import {readlinkSync, statSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {basename, dirname, extname, join, resolve} from 'node:path';
import {asFacts, type FileFacts} from './growing-file.js';

export interface RotatedFile extends FileFacts {
  readonly path: string;
  /** It cannot be followed. */
  readonly isCompressed: boolean;
  /** That of `FILE.1`; 0 where a date stands there. */
  readonly number: number;
}

/** A file that was read to its end. */
export interface ReadFile {
  readonly id: string;
  /** When it was last written to: what was rotated and is newer was not read. */
  readonly writtenMs: number;
  /** It was there and was not read. */
  readonly isUnread?: boolean;
}

/** `.1`, `-20261201`, `.2026-12-01`, `-2026120113`, `-1796083200`; and, with letters and a number behind it, what log libraries make of dates. */
const NUMBER_OR_DATE = String.raw`(?:\.(\d{1,5})|[.-](?:\d{4}-\d\d-\d\d|\d{8})(?:[-_.T:]?\d+)*|[.-]\d{10,13})`;
const SUFFIX = String.raw`\.(?:gz|bz2|xz|zst|lz4|Z|zip)`;
const COMPRESSED = `(${SUFFIX})?`;
const COMPRESSED_END = new RegExp(`${SUFFIX}$`);

/** By its name. */
export const isCompressedName = (path: string): boolean => COMPRESSED_END.test(path);

/** The rotated files of `path`, and of what it is a link to, oldest first. A directory that cannot be listed has none. */
export async function rotatedFiles(path: string): Promise<RotatedFile[]> {
  const found = await Promise.all(namesOf(path).map(rotatedFilesNamed));
  const files = new Map(found.flat().map((file) => [file.path, file]));
  return [...files.values()].sort((a, b) => a.writtenMs - b.writtenMs || b.number - a.number);
}

/** `path` and, where that is a link, what it stands for, also when there is no file of that name. */
export function namesOf(path: string): string[] {
  const names = new Set([path]);
  try {
    for (let name = path; ; names.add(name)) {
      name = resolve(dirname(name), readlinkSync(name));
      if (names.has(name)) break;
    }
  } catch {
    // It is no link, or does not exist.
  }
  return [...names];
}

async function rotatedFilesNamed(path: string): Promise<RotatedFile[]> {
  const directory = dirname(path);
  const pattern = patternOf(basename(path));
  const names = new Set(await readdir(directory).catch(() => []));
  const found: RotatedFile[] = [];
  for (const name of names) {
    const match = pattern.exec(name);
    // While a file is compressed, both are there. What is compressed gets the time of the original at the end, and looks newer until then.
    if (match === null || (isCompressedName(name) && names.has(name.replace(COMPRESSED_END, '')))) continue;
    const facts = factsAt(join(directory, name));
    const number = Number(match[1] ?? match[3] ?? 0);
    const isCompressed = (match[2] ?? match[4]) !== undefined;
    if (facts !== undefined) found.push({...facts, path: join(directory, name), number, isCompressed});
  }
  return found;
}

/**
 * What was rotated after `read`, oldest first. Files that are rotated in quick succession may have the same time; and where
 * one has a time to come, since the clock was set back, they are compared by their creation.
 */
export function rotatedSince(
  rotated: readonly RotatedFile[],
  {id, writtenMs, isUnread = false}: ReadFile,
): RotatedFile[] {
  const own = rotated.find((file) => file.id === id);
  const nowMs = Date.now();
  const isNewer = (file: RotatedFile): boolean => {
    if (own !== undefined && Math.max(file.writtenMs, writtenMs) > nowMs && file.createdMs !== own.createdMs)
      return file.createdMs > own.createdMs;
    return file.writtenMs > writtenMs || (file.writtenMs === writtenMs && file.number < (own?.number ?? 0));
  };
  return rotated.filter((file) => (file.id === id ? isUnread : isNewer(file)));
}

/** For comparison: renaming changes it. */
export const namesAndIds = (rotated: readonly RotatedFile[]): string =>
  rotated
    .map(({path, id}) => `${id} ${path}`)
    .sort()
    .join('\0');

/** What has the name `path` now; undefined for none, and for what is no file. */
export function factsAt(path: string): FileFacts | undefined {
  try {
    const found = statSync(path, {bigint: true});
    return found.isFile() ? asFacts(found) : undefined;
  } catch {
    return undefined;
  }
}

/** `app.log.1`, and where the name of the log ends as it did before, `app.1.log`. */
function patternOf(name: string): RegExp {
  const extension = extname(name);
  const behind = `${escaped(name)}${NUMBER_OR_DATE}${COMPRESSED}`;
  const before = `${escaped(name.slice(0, name.length - extension.length))}${NUMBER_OR_DATE}${escaped(extension)}${COMPRESSED}`;
  return new RegExp(`^(?:${behind}|${before})$`);
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
