import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, streamsFlag} from '../../lib/cli/flags.js';
import {streamsArgument} from '../../lib/cli/positional-flags.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderGroupLists, type StreamGroups} from '../../lib/output/views/group-view.js';
import {reportGroups} from '../../lib/reports/stream-report.js';

export default class GroupList extends BaseCommand {
  static override summary = 'List the consumer groups of a stream, and how far behind they are (XINFO GROUPS).';
  static override description =
    'The lag is exact, or marked with ~ where an exact figure would take too long to count; in JSON, "lagExact" is ' +
    'then false, and the lag is between "lagAtLeast" and "lagAtMost".';
  static override examples = [
    {description: 'List the groups of the default stream', command: '<%= config.bin %> group list'},
    {
      description: 'Name groups that are more than 1,000 entries behind',
      command: "<%= config.bin %> group list orders | jq -r 'select(.lag > 1000).group'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = {...streamsFlag, ...connectionFlags, ...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupList);
    const client = await this.connect(flags);
    const lists: StreamGroups[] = [];
    for (const stream of flags.stream) {
      lists.push({stream, groups: await reportGroups(client, stream, await client.info(stream), {nowMs: Date.now()})});
    }
    const findings = lists.flatMap(({stream, groups}) =>
      groups.map(({name: group, members: _, ...facts}) => ({stream, group, ...facts})),
    );
    await this.report(flags, JSON_FIELDS['group list'], findings, (colors) => renderGroupLists(lists, colors));
  }
}
