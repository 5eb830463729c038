import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags, GLOB_HELP} from '../lib/cli/flags.js';
import {globArgument} from '../lib/cli/positional-flags.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {describeOmissions, renderStreams, streamFinding} from '../lib/output/views/stream-view.js';
import {untilStopped} from '../lib/reading/until-stopped.js';
import {Omissions} from '../lib/reports/omissions.js';
import {listStreams, type StreamSummary} from '../lib/reports/stream-list.js';
import {inOrderOf, STREAM_ORDERS, type StreamOrder} from '../lib/reports/stream-order.js';

export default class Ls extends BaseCommand {
  static override summary = 'List streams (SCAN TYPE stream, XINFO).';
  static override description =
    'On a terminal, a table in the order of names; in a pipe, one line of JSON per stream, in the order in which ' +
    'they are found, or in that of --sort. The lag is that of the group that is furthest behind, and "oldest unread" the age of the ' +
    'oldest entry that it has not been given; "pending" counts all groups; "dead" is what the dead letter stream holds. A - says ' +
    'that there are no groups, ~ marks an estimate, and ? (null in JSON) what is not known.';
  static override examples = [
    {description: 'List all streams', command: '<%= config.bin %> ls'},
    {description: 'List those of one kind', command: "<%= config.bin %> ls 'orders:*'"},
    {description: 'Find what takes the most memory', command: '<%= config.bin %> ls --sort bytes'},
    {
      description: 'Name streams with dead letters',
      command: "<%= config.bin %> ls --json | jq -r 'select(.deadLetters.length > 0).stream'",
    },
    {
      description: 'Name streams that no group reads',
      command: "<%= config.bin %> ls --json | jq -r 'select(.groups == 0).stream'",
    },
  ];
  static override args = {...globArgument};
  static override flags = {
    match: Flags.string({helpValue: 'GLOB', summary: `only names that match: ${GLOB_HELP}`}),
    bytes: Flags.boolean({default: false, summary: 'also show the memory that each stream takes (MEMORY USAGE)'}),
    sort: Flags.option({options: STREAM_ORDERS, helpValue: STREAM_ORDERS.join('|')})({
      summary: 'the most first; names from A to Z, last entries from the newest',
    }),
    reverse: Flags.boolean({default: false, summary: 'the other way round'}),
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Ls);
    const client = await this.connect(flags);
    const table = this.shapeOf(flags) === 'table';
    const order: StreamOrder | undefined = flags.sort ?? (table || flags.reverse ? 'name' : undefined);
    const all = new Map<string, StreamSummary>();
    const omissions = new Omissions();
    const withBytes = flags.bytes || order === 'bytes';
    const pages = listStreams(client, {match: flags.match, withBytes, now: Date.now, omissions});
    const print = (page: readonly StreamSummary[]): Promise<void> =>
      this.report(flags, JSON_FIELDS.ls, page.map(streamFinding), (display) => renderStreams(page, display));
    await this.beginReport(flags, JSON_FIELDS.ls);
    for await (const page of untilStopped(pages, client, this.stopping)) {
      if (order === undefined) await print(page);
      // SCAN may name a stream twice.
      else for (const summary of page) all.set(summary.name, summary);
    }
    if (this.stopping.aborted) return;
    const notes = this.notes(flags);
    if (table && all.size === 0 && omissions.isEmpty) notes.note('no streams');
    if (order !== undefined) await print(inOrderOf([...all.values()], order, flags.reverse));
    for (const omission of describeOmissions(omissions)) notes.warn(omission);
    if (omissions.failure !== undefined) throw omissions.failure;
  }
}
