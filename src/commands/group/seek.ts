import {Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {position} from '../../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, groupFlag, streamFlag, writeFlag} from '../../lib/cli/flags.js';
import {groupArgument} from '../../lib/cli/positional-flags.js';
import {askSkip, type SeekResult, seekGroup} from '../../lib/groups/group-position.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {describeAgain, describeBeyondEnd, describeSkipped, renderSeek} from '../../lib/output/views/group-view.js';

export default class GroupSeek extends BaseCommand {
  static override writes = true;
  static override summary = 'Move a consumer group to another position in its stream (XGROUP SETID).';
  static override description =
    'The position names the first entry that the group gets next. Moving back delivers entries again, moving ' +
    'forward skips entries; standard error says how many, and at a terminal you are asked before. Pending entries ' +
    'stay pending.';
  static override examples = [
    {description: 'Deliver the whole stream again', command: '<%= config.bin %> group seek --to start'},
    {
      description: 'See what moving back an hour would deliver again',
      command: '<%= config.bin %> group seek billing --stream orders --to @-1h --dry-run',
    },
    {description: 'Skip everything that is there', command: '<%= config.bin %> group seek --to end'},
  ];
  static override args = {...groupArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    to: position({required: true, summary: 'first entry that the group gets next'}),
    force: Flags.boolean({summary: 'do not ask before entries are skipped'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupSeek);
    const {stream, group, to, 'dry-run': dryRun = false} = flags;
    const notes = this.notes(flags);
    let client = await this.connect(flags);
    const nowMs = Date.now();
    let agreed: SeekResult | undefined;
    if (this.asks(flags)) {
      const {result: plan} = await seekGroup(client, stream, group, {to, dryRun: true, nowMs});
      if (plan.skipped > 0) {
        const question = askSkip(stream, group, plan);
        client = await this.confirm(flags, client, {question, streams: [stream], nothing: 'the group was not moved'});
        agreed = plan;
      }
    }

    const {result, beyondEnd} = await seekGroup(client, stream, group, {to, dryRun, nowMs, agreed});

    if (result.again > 0) notes.note(describeAgain(result, group, dryRun));
    if (beyondEnd) notes.warn(describeBeyondEnd(group, stream, result.after.lastDeliveredId));
    if (result.skipped > 0) notes.warn(describeSkipped(result, group, dryRun));
    await this.report(flags, JSON_FIELDS['group seek'], [{stream, group, dryRun, ...result}], (display) =>
      renderSeek(result, dryRun, display),
    );
    if (!dryRun) notes.sumUp(`moved group ${group} of ${stream} to ${result.after.lastDeliveredId}`, undefined);
  }
}
