import {BaseCommand} from '../../lib/cli/base-command.js';
import {duration, name} from '../../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, groupFlag, streamFlag, writeFlag} from '../../lib/cli/flags.js';
import {groupArgument} from '../../lib/cli/positional-flags.js';
import {type ConsumerFate, retireConsumers} from '../../lib/groups/gc.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {describeFates, renderFates} from '../../lib/output/views/group-view.js';

export default class GroupGc extends BaseCommand {
  static override writes = true;
  static override summary = 'Remove consumers that no longer run, without losing entries (XGROUP DELCONSUMER).';
  static override description =
    'Removes a consumer that has not tried to read for --idle and has nothing pending; the server checks and ' +
    'removes in one step. With --to, its pending entries are transferred first: they keep their delivery counts, ' +
    'and their idle time starts anew. Says for each consumer what was done, and why if it was kept. Before Redis ' +
    '7.2, a consumer that waits for entries counts as idle too; it is created again when it gets one.';
  static override examples = [
    {description: 'See which consumers would be removed', command: '<%= config.bin %> group gc --idle 1h --dry-run'},
    {
      description: 'Transfer their entries to w1, then remove them',
      command: '<%= config.bin %> group gc billing --stream orders --idle 1h --to w1',
    },
    {
      description: 'Name those that were kept because of pending entries',
      command: '<%= config.bin %> group gc --idle 1h --json | jq -r \'select(.kept == "pending").consumer\'',
    },
  ];
  static override args = {...groupArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    idle: duration({required: true, summary: 'keep consumers that have tried to read within this time'}),
    to: name({summary: 'transfer their pending entries to this consumer'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupGc);
    const {stream, group, idle: minIdleMs, to: heir, 'dry-run': dryRun = false} = flags;
    const table = this.shapeOf(flags) === 'table';
    const client = await this.connect(flags);
    const fates: ConsumerFate[] = [];
    const plan = {minIdleMs, heir, dryRun, stopping: this.stopping};
    await this.beginReport(flags, JSON_FIELDS['group gc']);
    try {
      for await (const fate of retireConsumers(client, {stream, group}, plan)) {
        fates.push(fate);
        if (!table) await this.report(flags, JSON_FIELDS['group gc'], [{...fate, dryRun}], () => '');
      }
    } finally {
      if (table)
        await this.report(
          flags,
          JSON_FIELDS['group gc'],
          fates.map((fate) => ({...fate, dryRun})),
          (display) => renderFates(fates, dryRun, display),
        );
    }
    this.notes(flags).note(describeFates(fates, dryRun));
  }
}
