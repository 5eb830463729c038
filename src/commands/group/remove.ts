import {Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, dryRunFlag, groupFlag, streamFlag, writeFlag} from '../../lib/cli/flags.js';
import {groupArgument} from '../../lib/cli/positional-flags.js';
import {askRemoval, type GroupRemains, mayLose, removeGroup} from '../../lib/groups/remove.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class GroupRemove extends BaseCommand {
  static override writes = true;
  static override summary = 'Remove a consumer group; the entries stay in the stream (XGROUP DESTROY).';
  static override description =
    'A group that has pending or unread entries is removed only with --force, or after you are asked at a terminal: ' +
    'afterwards there is no way to know which ones they were.';
  static override examples = [
    {
      description: 'See what would be lost',
      command: '<%= config.bin %> group remove billing --stream orders --dry-run',
    },
    {description: 'Remove it all the same', command: '<%= config.bin %> group remove billing --stream orders --force'},
  ];
  static override args = {...groupArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    force: Flags.boolean({summary: 'remove the group although entries are pending or unread'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupRemove);
    const {stream, group, force = false, 'dry-run': dryRun = false} = flags;
    let client = await this.connect(flags);
    let agreed: GroupRemains | undefined;
    if (this.asks(flags)) {
      const plan = await removeGroup(client, stream, group, {force, dryRun: true});
      if (mayLose(plan)) {
        const question = askRemoval(stream, group, plan);
        client = await this.confirm(flags, client, {question, streams: [stream], nothing: 'the group was not removed'});
        agreed = plan;
      }
    }

    const remains = await removeGroup(client, stream, group, {force, dryRun, agreed});

    await this.report(
      flags,
      JSON_FIELDS['group remove'],
      [{stream, group, removed: !dryRun, dryRun, ...remains}],
      (display) =>
        renderFacts(
          [
            ['stream', stream],
            [dryRun ? 'would remove' : 'removed', group],
            ['consumers', remains.consumers],
            ['pending', remains.pending],
            ['unread', `${remains.unreadExact ? '' : '~'}${remains.unread}`],
          ],
          display,
        ),
    );
    if (!dryRun) this.notes(flags).sumUp(`removed group ${group} of ${stream}`, undefined);
  }
}
