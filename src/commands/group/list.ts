import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, streamsFlag} from '../../lib/cli/flags.js';
import {renderGroupLists, type StreamGroups} from '../../lib/output/views/group-view.js';
import {reportGroups} from '../../lib/reports/stream-report.js';

export default class GroupList extends BaseCommand {
  static override summary = 'List the consumer groups of a stream and how far they are behind (XINFO GROUPS).';
  static override description =
    'The lag is exact, or marked with ~ (in JSON: "lagExact": false, with "lagAtLeast" and "lagAtMost") where it ' +
    'cannot be proven without counting for too long.';
  static override examples = [
    '<%= config.bin %> group list',
    "<%= config.bin %> group list --stream orders | jq -r 'select(.lag > 1000).group'",
  ];
  static override flags = {...streamsFlag, ...connectionFlags, ...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupList);
    const client = await this.connect(flags);
    const lists: StreamGroups[] = [];
    for (const stream of flags.stream) {
      lists.push({stream, groups: await reportGroups(client, stream, await client.info(stream))});
    }
    const findings = lists.flatMap(({stream, groups}) =>
      groups.map(({name: group, ...facts}) => ({stream, group, ...facts})),
    );
    await this.report(flags, findings, (colors) => renderGroupLists(lists, colors));
  }
}
