/** The input of `produce --follow`: a log that others write to. Loaded only for that flag. */
import {accessSync, constants} from 'node:fs';
import {dirname} from 'node:path';
import {usageError} from '../errors.js';
import {encodingOfFile} from '../input/content.js';
import type {InputOptions} from '../input/record-reader.js';
import {isCompressedName} from '../input/rotated-files.js';
import {cannotRead} from '../input/source.js';
import type {Notes} from '../output/notes.js';
import {FileFollower} from '../produce/file-follower.js';
import {openLog} from '../produce/log-files.js';
import type {Position} from '../records/position.js';
import {FIRST_ID} from '../records/stream-id.js';
import type {ProduceInput} from './produce-input.js';

interface FollowFlags {
  readonly from?: Position | undefined;
  readonly input: InputOptions;
}

/** Throws a usage error for what cannot be followed, `io` for what cannot be read. A log that does not exist yet is waited for. */
export async function followedInput(
  path: string,
  {from, input}: FollowFlags,
  {stopping, notes}: {stopping: AbortSignal; notes: Notes},
): Promise<ProduceInput> {
  if (path === '-' || path === '')
    throw usageError('--follow takes the path of a file', 'leave it out: standard input is read to its end');
  if (input.kind === 'csv')
    throw usageError('--follow does not take --input csv: a log that is rotated loses its header', 'give --input text');
  if (isCompressedName(path))
    throw usageError(`${path} is compressed, which nothing appends to`, 'add it with --file, or follow the log itself');
  requireDirectory(path);
  await requireText(path);
  notes.status(`following ${path}; Ctrl-C ends`);
  const follower = new FileFollower({
    path,
    from: bound(from),
    input,
    stopping,
    note: (text) => notes.note(text),
    warn: (text) => notes.warn(text),
  });
  return {pages: (opened) => follower.pages(opened), bulk: true, checkpointed: follower};
}

async function requireText(path: string): Promise<void> {
  const log = openLog(path);
  if (log === undefined) return;
  const encoding = await encodingOfFile(log.fd);
  log.close();
  if (encoding !== undefined) throw usageError(`--follow cannot read ${encoding}: ${path}`, 'add it with --file');
}

function bound(from: Position | undefined): 'start' | 'end' {
  if (from === undefined || (from.kind === 'id' && from.id === FIRST_ID)) return 'start';
  if (from.kind === 'end') return 'end';
  throw usageError('--from takes start or end with --follow');
}

/** A directory that does not exist is no log that will be created. */
function requireDirectory(path: string): void {
  try {
    accessSync(dirname(path), constants.X_OK);
  } catch (error) {
    throw cannotRead(dirname(path), error);
  }
}
