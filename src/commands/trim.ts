import {BaseCommand} from '../lib/cli/base-command.js';
import {streamArgument} from '../lib/cli/positional-flags.js';
import {trimFlags, trimGoal} from '../lib/cli/trim-flags.js';
import {unlessDenied} from '../lib/errors.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {askTrim, describeTrimmed, renderTrimmed, trimNotes, trimWarnings} from '../lib/output/views/loss-view.js';
import {describeAhead} from '../lib/output/views/stream-view.js';
import {firstAhead} from '../lib/trimming/age-goal.js';
import {planTrim, type TrimBound, trimStream} from '../lib/trimming/trim-stream.js';

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
  static override flags = trimFlags;

  async run(): Promise<void> {
    const {flags} = await this.parse(Trim);
    const {stream, safe, approx: approximate, 'dry-run': dryRun = false} = flags;
    const notes = this.notes(flags);
    let client = await this.connect(flags);
    const nowMs = Date.now();
    const goal = await trimGoal(client, flags, nowMs);
    if (flags['max-age'] !== undefined) {
      const first = await firstAhead(client, stream, {forced: flags.force ?? false, nowMs});
      if (first !== undefined) notes.note(describeAhead(stream, first.id, first.aheadMs));
    }

    let agreed: TrimBound | undefined;
    if (this.asks(flags)) {
      const plan = await unlessDenied(planTrim(client, stream, {goal, safe}));
      if (plan === undefined || plan.result.losses.length > 0) {
        const question = askTrim(stream, plan?.result);
        client = await this.confirm(flags, client, {question, streams: [stream], nothing: 'nothing was removed'});
        agreed = plan?.bound;
      }
    }
    const startMs = performance.now();
    const result = await trimStream(client, stream, {goal, approximate, safe, dryRun, bound: agreed});

    for (const line of trimWarnings(result, {goal, dryRun, agreed})) notes.warn(line);
    for (const line of trimNotes(result, {goal, approximate, agreed})) notes.note(line);
    const {removed, left, exact, losses, bytes} = result;
    const facts = {stream, removed, left, exact, bytes, dryRun, losses};
    await this.report(flags, JSON_FIELDS.trim, [facts], (display) => renderTrimmed(stream, dryRun, result, display));
    if (!dryRun) notes.sumUp(describeTrimmed(stream, result, performance.now() - startMs), undefined);
  }
}
