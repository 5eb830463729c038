import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, dryRunFlag, duration, groupFlag, name, streamFlag} from '../../lib/cli/flags.js';
import {chosenGroup, groupArgument} from '../../lib/cli/group-argument.js';
import {type ConsumerFate, retireConsumers} from '../../lib/groups/gc.js';
import {describeFates, renderFates} from '../../lib/output/views/group-gc-view.js';

export default class GroupGc extends BaseCommand {
  static override summary = 'Remove consumers that nobody runs any more (XGROUP DELCONSUMER), and lose nothing.';
  static override description =
    'A consumer goes when it has not tried to read for --idle and has nothing pending; the server sees that and removes ' +
    'in one step. With --to, its pending entries are handed over first, with their counts of deliveries as they are and their ' +
    'idle time starting anew, unless it was given one within --idle. Says of each consumer what became of it, and why it was kept. Before Redis 7.2 a consumer that waits ' +
    'for entries counts as idle too; it is there again as soon as it gets one.';
  static override examples = [
    '<%= config.bin %> group gc --idle 1h --dry-run',
    '<%= config.bin %> group gc billing --stream orders --idle 1h --to w1',
    '<%= config.bin %> group gc --idle 1h --json | jq -r \'select(.kept == "pending").consumer\'',
  ];
  static override args = {...groupArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    idle: duration({required: true, summary: 'keep what has tried to read more recently than this'}),
    to: name({summary: 'the consumer that gets the pending entries of the others'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const parsed = await this.parse(GroupGc);
    const {flags} = parsed;
    const {stream, idle: minIdleMs, to: heir, 'dry-run': dryRun = false} = flags;
    const group = chosenGroup(parsed);
    const table = this.outputIsTerminal && !flags.json;
    const client = await this.connect(flags);
    const fates: ConsumerFate[] = [];
    const plan = {minIdleMs, heir, dryRun, stopping: this.stopping};
    try {
      for await (const fate of retireConsumers(client, {stream, group}, plan)) {
        fates.push(fate);
        if (!table) await this.report(flags, [{...fate, dryRun}], () => '');
      }
    } finally {
      if (table) await this.report(flags, [], (colors) => renderFates(fates, dryRun, colors));
    }
    this.notes(flags).note(describeFates(fates, dryRun));
  }
}
