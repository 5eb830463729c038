/** The flags of `trim`, and the goal that they stand for. */
import {Flags, type Interfaces} from '@oclif/core';
import {locate} from '../reading/locate.js';
import type {Position} from '../records/position.js';
import type {StreamClient} from '../stream-client.js';
import type {TrimGoal} from '../trimming/trim-stream.js';
import {duration, position, size, wholeNumber} from './flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, streamFlag, writeFlag} from './flags.js';

/** On each of them: oclif checks `exactlyOne` only for flags that have it (https://oclif.io/docs/flags). */
const oneGoal = {exactlyOne: ['maxlen', 'minid', 'max-age', 'max-bytes']};

export const trimFlags = {
  ...streamFlag,
  maxlen: wholeNumber({...oneGoal, summary: 'keep at most N entries'}),
  minid: position({...oneGoal, helpValue: 'ID|@TIME', summary: 'remove entries before this ID or time'}),
  'max-age': duration({...oneGoal, summary: 'remove entries older than this'}),
  'max-bytes': size({
    ...oneGoal,
    summary: 'remove entries until the stream takes at most this much memory; --dry-run estimates',
  }),
  approx: Flags.boolean({summary: 'trim whole nodes only (~): faster, and keeps a few more entries'}),
  force: Flags.boolean({
    summary: 'do not ask; with --max-age, trim also a stream whose IDs are not times',
  }),
  safe: Flags.boolean({summary: 'keep entries that a group has not read and acknowledged'}),
  ...dryRunFlag,
  ...connectionFlags,
  ...writeFlag,
  ...commonFlags,
};

type TrimFlags = Interfaces.InferredFlags<typeof trimFlags>;

/** What is to be left. A position is looked up in the stream. */
export async function trimGoal(client: StreamClient, flags: TrimFlags, nowMs: number): Promise<TrimGoal> {
  if (flags.maxlen !== undefined) return {kind: 'maxLen', maxLen: flags.maxlen};
  if (flags['max-bytes'] !== undefined) return {kind: 'maxBytes', maxBytes: flags['max-bytes']};
  const from: Position = flags.minid ?? {kind: 'time', ms: Math.max(0, nowMs - flags['max-age']!)};
  return {kind: 'minId', minId: await locate(client, flags.stream, from)};
}
