import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, dryRunFlag, groupFlag, position, streamFlag} from '../../lib/cli/flags.js';
import {chosenGroup, groupArgument} from '../../lib/cli/group-argument.js';
import {seekGroup} from '../../lib/groups/seek.js';
import {describeAgain, describeBeyondEnd, describeSkipped, renderSeek} from '../../lib/output/views/group-view.js';

export default class GroupSeek extends BaseCommand {
  static override summary = 'Move a consumer group to another place in its stream (XGROUP SETID).';
  static override description =
    'The position names the first entry that the group gets next. Moving it back delivers entries again, moving it ' +
    'forward skips entries; standard error says how many. What is pending stays pending.';
  static override examples = [
    '<%= config.bin %> group seek --to start',
    '<%= config.bin %> group seek billing --stream orders --to @-1h --dry-run',
    '<%= config.bin %> group seek --to end',
  ];
  static override args = {...groupArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    to: position({required: true, summary: 'the first entry that the group will get'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const parsed = await this.parse(GroupSeek);
    const {stream, to, 'dry-run': dryRun = false} = parsed.flags;
    const notes = this.notes(parsed.flags);
    const group = chosenGroup(parsed);
    const client = await this.connect(parsed.flags);

    const {result, beyondEnd} = await seekGroup(client, stream, group, {to, dryRun, nowMs: Date.now()});

    if (result.again > 0) notes.note(describeAgain(result, group, dryRun));
    if (beyondEnd) notes.warn(describeBeyondEnd(group, stream, result.after.lastDeliveredId));
    if (result.skipped > 0) notes.warn(describeSkipped(result, group, dryRun));
    await this.report(parsed.flags, [{stream, group, dryRun, ...result}], (colors) =>
      renderSeek(result, dryRun, colors),
    );
  }
}
