import {Flags, type Interfaces} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {duration, position, size, wholeNumber} from '../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, streamFlag, writeFlag} from '../lib/cli/flags.js';
import {streamArgument} from '../lib/cli/positional-flags.js';
import {unlessDenied} from '../lib/errors.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {renderFacts} from '../lib/output/table.js';
import {askTrim, describeTrimmed} from '../lib/output/views/loss-view.js';
import {describeAhead, describeLoss} from '../lib/output/views/stream-view.js';
import {locate} from '../lib/reading/locate.js';
import {aheadMs} from '../lib/records/entry-time.js';
import type {Position} from '../lib/records/position.js';
import {formatSize} from '../lib/size.js';
import type {StreamClient} from '../lib/stream-client.js';
import {requireTimes} from '../lib/trimming/age-goal.js';
import {planTrim, type TrimBound, type TrimGoal, trimStream} from '../lib/trimming/trim-stream.js';

/** On each of them: oclif checks `exactlyOne` only for flags that have it (https://oclif.io/docs/flags). */
const oneGoal = {exactlyOne: ['maxlen', 'minid', 'max-age', 'max-bytes']};

export default class Trim extends BaseCommand {
  static override writes = true;
  static override summary = 'Remove the oldest entries of a stream (XTRIM).';
  static override description =
    'Give one of --maxlen, --minid, --max-age and --max-bytes. Trimming is exact unless --approx is given. With ' +
    '--safe, entries that a group has not read and acknowledged are kept; without it, standard error says how ' +
    'many of them were removed.';
  static override examples = [
    {description: 'Keep the newest 1,000 entries', command: '<%= config.bin %> trim --maxlen 1000'},
    {
      description: 'Remove what is older than a day and processed by all groups',
      command: '<%= config.bin %> trim orders --max-age 24h --safe',
    },
    {
      description: 'See what trimming to 100 MB would remove',
      command: '<%= config.bin %> trim --max-bytes 100MB --dry-run',
    },
  ];
  static override args = {...streamArgument};
  static override flags = {
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

  async run(): Promise<void> {
    const {flags} = await this.parse(Trim);
    const {stream, safe, approx: approximate, 'dry-run': dryRun = false} = flags;
    const notes = this.notes(flags);
    let client = await this.connect(flags);
    const nowMs = Date.now();
    const goal = await readGoal(client, stream, flags, nowMs);
    if (flags['max-age'] !== undefined) {
      const info = await client.info(stream);
      if (!flags.force) requireTimes(stream, info, nowMs);
      const firstId = info.firstEntry?.id;
      const ahead = firstId === undefined ? undefined : aheadMs(firstId, nowMs);
      if (ahead !== undefined) notes.note(describeAhead(stream, firstId!, ahead));
    }

    let bound: TrimBound | undefined;
    if (this.asks(flags)) {
      const plan = await unlessDenied(planTrim(client, stream, {goal, safe}));
      if (plan === undefined || plan.result.losses.length > 0) {
        client = await this.confirm(flags, askTrim(stream, plan?.result), 'nothing was removed');
        bound = plan?.bound;
      }
    }
    const startMs = performance.now();
    const result = await trimStream(client, stream, {goal, approximate, safe, dryRun, bound});
    const {removed, left, exact, losses, heldBy, bytes} = result;

    for (const loss of losses) notes.warn(describeLoss(loss, dryRun));
    if (heldBy !== undefined)
      notes.note(`kept everything from ${heldBy.fromId} on: group "${heldBy.group}" has not read and acknowledged it`);
    if (
      bytes !== undefined &&
      goal.kind === 'maxBytes' &&
      bytes > goal.maxBytes &&
      heldBy === undefined &&
      bound === undefined
    )
      notes.warn(`the stream still takes ${formatSize(bytes)}: the rest is not used by entries`);
    if (bound !== undefined && goal.kind === 'maxLen' && !approximate && left > goal.maxLen)
      notes.note('kept what was added since you were asked');
    const facts = {stream, removed, left, exact, bytes, dryRun, losses};
    const about = exact === undefined ? '' : '~';
    await this.report(flags, JSON_FIELDS.trim, [facts], (display) =>
      renderFacts(
        [
          ['stream', stream],
          [dryRun ? 'would remove' : 'removed', `${about}${display.count(removed)}`],
          ['left', `${about}${display.count(left)}`],
          ...(bytes === undefined ? [] : [['takes', formatSize(bytes)] as const]),
        ],
        display,
      ),
    );
    if (!dryRun) notes.sumUp(describeTrimmed(stream, result, performance.now() - startMs), undefined);
  }
}

type GoalFlags = Interfaces.InferredFlags<typeof Trim.flags>;

async function readGoal(client: StreamClient, stream: string, flags: GoalFlags, nowMs: number): Promise<TrimGoal> {
  if (flags.maxlen !== undefined) return {kind: 'maxLen', maxLen: flags.maxlen};
  if (flags['max-bytes'] !== undefined) return {kind: 'maxBytes', maxBytes: flags['max-bytes']};
  const from: Position = flags.minid ?? {kind: 'time', ms: Math.max(0, nowMs - flags['max-age']!)};
  return {kind: 'minId', minId: await locate(client, stream, from)};
}
