import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags} from '../lib/cli/flags.js';
import {globArgument} from '../lib/cli/positional-flags.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {describeOmissions, renderStreams, streamFinding} from '../lib/output/views/stream-view.js';
import {untilStopped} from '../lib/reading/until-stopped.js';
import {listStreams, Omissions, type StreamSummary} from '../lib/reports/stream-list.js';

export default class Ls extends BaseCommand {
  static override summary = 'List streams (SCAN TYPE stream, XINFO).';
  static override description =
    'On a terminal, a table in the order of names; in a pipe, one line of JSON per stream, in the order in which ' +
    'they are found.';
  static override examples = [
    {description: 'List all streams', command: '<%= config.bin %> ls'},
    {description: 'List those of one kind', command: "<%= config.bin %> ls 'orders:*'"},
    {
      description: 'Name streams that no group reads',
      command: "<%= config.bin %> ls --json | jq -r 'select(.groups == 0).stream'",
    },
  ];
  static override args = {...globArgument};
  static override flags = {
    match: Flags.string({helpValue: 'GLOB', summary: 'only names that match: *, ?, [a-z]; \\ escapes'}),
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Ls);
    const client = await this.connect(flags);
    const table = this.outputIsTerminal && !flags.json;
    const all: StreamSummary[] = [];
    const omissions = new Omissions();
    const pages = listStreams(client, {match: flags.match, now: Date.now, omissions});
    for await (const page of untilStopped(pages, client, this.stopping)) {
      if (table) all.push(...page);
      else await this.report(flags, JSON_FIELDS.ls, page.map(streamFinding), () => '');
    }
    if (this.stopping.aborted) return;
    const notes = this.notes(flags);
    if (table && all.length === 0 && omissions.isEmpty) notes.note('no streams');
    if (table) await this.report(flags, JSON_FIELDS.ls, all.map(streamFinding), (colors) => renderStreams(all, colors));
    for (const omission of describeOmissions(omissions)) notes.warn(omission);
    if (omissions.failure !== undefined) throw omissions.failure;
  }
}
