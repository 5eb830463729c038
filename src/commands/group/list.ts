import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, someStreamsFlag} from '../../lib/cli/flags.js';
import {streamsArgument} from '../../lib/cli/positional-flags.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderGroupList} from '../../lib/output/views/group-view.js';
import {describeOmissions} from '../../lib/output/views/stream-view.js';
import {untilStopped} from '../../lib/reading/until-stopped.js';
import {type GroupSummary, inOrderOfNames, listGroups} from '../../lib/reports/group-list.js';
import {Omissions} from '../../lib/reports/omissions.js';
import {reportGroups} from '../../lib/reports/stream-report.js';
import type {StreamClient} from '../../lib/stream-client.js';

export default class GroupList extends BaseCommand {
  static override summary = 'List consumer groups, and how far behind they are (XINFO GROUPS).';
  static override description =
    'Without a stream, lists the groups of all streams. The lag is exact, or marked with ~ where an exact figure would take too long ' +
    'to count; in JSON, "lagExact" is then false, and the lag is between "lagAtLeast" and "lagAtMost". In a list of all streams, less ' +
    'is counted for each. "Oldest unread" ("behindMs") is the age of the oldest entry that the group has not been given. ' +
    'A ? (null in JSON) is a figure that is not known.';
  static override examples = [
    {description: 'List all groups of the server', command: '<%= config.bin %> group list'},
    {description: 'List those of one stream', command: '<%= config.bin %> group list orders'},
    {
      description: 'Name groups that have not read an entry for a minute',
      command: "<%= config.bin %> group list | jq -r 'select(.behindMs > 60000) | [.stream, .group] | @tsv'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = {...someStreamsFlag, ...connectionFlags, ...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupList);
    const client = await this.connect(flags);
    const streams = flags.stream ?? [];
    const omissions = new Omissions();
    const table = this.shapeOf(flags) === 'table';
    const groups = streams.length === 0 ? listGroups(client, {now: Date.now, omissions}) : groupsOf(client, streams);
    const several = streams.length !== 1;
    const print = (page: readonly GroupSummary[]): Promise<void> =>
      this.report(flags, JSON_FIELDS['group list'], page, (display) => renderGroupList(page, several, display));
    const all: GroupSummary[] = [];
    await this.beginReport(flags, JSON_FIELDS['group list']);
    for await (const page of untilStopped(groups, client, this.stopping)) {
      if (table) all.push(...page);
      else await print(page);
    }
    if (this.stopping.aborted) return;
    const notes = this.notes(flags);
    if (table && all.length === 0 && omissions.isEmpty) notes.note('no groups');
    if (table) await print(streams.length === 0 ? inOrderOfNames(all) : all);
    for (const omission of describeOmissions(omissions)) notes.warn(omission);
    if (omissions.failure !== undefined) throw omissions.failure;
  }
}

async function* groupsOf(client: StreamClient, streams: readonly string[]): AsyncGenerator<GroupSummary[], void, void> {
  const found: GroupSummary[] = [];
  for (const stream of streams) {
    const groups = await reportGroups(client, stream, await client.info(stream), {nowMs: Date.now()});
    found.push(...groups.map(({name: group, ...facts}) => ({stream, group, ...facts})));
  }
  yield found;
}
