/** The file of `produce --resume`, open, as what a checkpoint is of: the same file in each run, which may grow. */
import type {Kept} from './checkpoint-file.js';
import {type AddedFile, type FileDigest, requireLineEnd, verifiedDigest} from './file-digest.js';

/** Throws `data` when it is not the file that `kept` speaks of. */
export async function findResumed(file: AddedFile, kept: Kept): Promise<{file: AddedFile; digest: FileDigest}> {
  const digest = await verifiedDigest(file, kept);
  await requireLineEnd(file, kept);
  return {file, digest};
}
