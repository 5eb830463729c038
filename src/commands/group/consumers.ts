import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, groupFlag, streamFlag} from '../../lib/cli/flags.js';
import {groupArgument} from '../../lib/cli/positional-flags.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderConsumers} from '../../lib/output/views/stream-view.js';

export default class GroupConsumers extends BaseCommand {
  static override summary =
    'List the consumers of a group: pending entries, idle time, last delivery (XINFO CONSUMERS).';
  static override description =
    'Redis lists all consumers of a group in one command, which takes it about 5 ms for 10,000 of them: on larger ' +
    'groups, ask rarely. To remove consumers that no longer run, use group gc.';
  static override examples = [
    {description: 'List the consumers of the default group', command: '<%= config.bin %> group consumers'},
    {description: 'List those of another group', command: '<%= config.bin %> group consumers billing --stream orders'},
    {
      description: 'Name consumers that have had entries for a minute and do not read',
      command: "<%= config.bin %> group consumers --json | jq -r 'select(.pending > 0 and .idleMs > 60000).consumer'",
    },
  ];
  static override args = {...groupArgument};
  static override flags = {...streamFlag, ...groupFlag, ...connectionFlags, ...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupConsumers);
    const {stream, group} = flags;
    const client = await this.connect(flags);
    const consumers = await client.consumers(stream, group);
    const findings = consumers.map(({name: consumer, ...facts}) => ({stream, group, consumer, ...facts}));
    await this.report(flags, JSON_FIELDS['group consumers'], findings, (display) =>
      renderConsumers(consumers, display),
    );
  }
}
