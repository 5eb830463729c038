import {Flags, type Interfaces} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {fieldShape, payloadFieldFlags, payloadFilterFlags, recordFilter} from '../lib/cli/filter-flags.js';
import {duration, name, wholeNumber} from '../lib/cli/flag-values.js';
import {connectionFlags, groupFlag, recordFlags, streamsFlag} from '../lib/cli/flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {ENVELOPE_NAMES} from '../lib/filter/envelope-test.js';
import {Search} from '../lib/filter/search.js';
import {type PendingReport, pendingDetails, reportPending} from '../lib/groups/pending-report.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {SearchNotes} from '../lib/output/search-notes.js';
import {claimHints, exactHint, PendingWriter, renderPending} from '../lib/output/views/pending-view.js';
import {describeNoConsumer} from '../lib/reading/missing-names.js';
import {untilStopped} from '../lib/reading/until-stopped.js';
import type {StreamClient} from '../lib/stream-client.js';

export default class Pending extends BaseCommand {
  static override summary = 'Show entries that were delivered and not acknowledged, and who has them (XPENDING).';
  static override description =
    'Prints a summary for each consumer or, with --details, each entry; these records can be piped to ack, claim, ' +
    'nack and get. Above 10,000 entries the summary counts all of them but looks at the first ones of each ' +
    'consumer, so idle times and delivery counts are lower bounds (in JSON: "oldestIdleAtLeastMs"); --exact looks ' +
    'at all. Entries that nack has released are counted separately. With --payload, an entry that was trimmed ' +
    'while it was pending is shown as such (in JSON: "fields": null).';
  static override examples = [
    {description: 'Show what each consumer has', command: '<%= config.bin %> pending'},
    {
      description: 'List entries that have been idle for ten minutes, with their fields',
      command: '<%= config.bin %> pending orders --group billing --details --idle 10m --payload',
    },
    {
      description: 'Transfer entries that have been idle for an hour',
      command: '<%= config.bin %> pending --details --idle 1h | <%= config.bin %> claim --to w2',
    },
    {
      description: 'Find consumers with an entry older than a minute',
      command: "<%= config.bin %> pending --json | jq '.consumers[] | select(.oldestIdleMs > 60000)'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = {
    ...streamsFlag,
    ...groupFlag,
    consumer: name({summary: 'only entries that this consumer has'}),
    idle: duration({summary: 'only entries delivered at least this long ago'}),
    'min-deliveries': wholeNumber({summary: 'only entries delivered at least N times'}),
    exact: Flags.boolean({summary: 'look at every entry, for exact figures'}),
    details: Flags.boolean({exclusive: ['exact'], summary: 'list every entry'}),
    payload: Flags.boolean({dependsOn: ['details'], summary: 'show the fields of each entry'}),
    count: wholeNumber({char: 'n', min: 1, dependsOn: ['details'], summary: 'list at most N entries'}),
    ...payloadFilterFlags,
    ...connectionFlags,
    ...recordFlags,
    ...payloadFieldFlags,
    format: {...recordFlags.format, dependsOn: ['details']},
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Pending);
    const {group, payload, count} = flags;
    const selection = {consumer: flags.consumer, minIdleMs: flags.idle, minDeliveries: flags['min-deliveries']};
    const streams = [...new Set(flags.stream)];
    const writer = flags.details
      ? new PendingWriter(this.out, {...this.recordStyle(flags), fields: fieldShape(flags)})
      : undefined;
    const notes = this.notes(flags);
    const filter = recordFilter(flags, ENVELOPE_NAMES);
    const client = await this.connect(flags);

    if (writer !== undefined) {
      const {since, until} = flags;
      const said = new SearchNotes(notes);
      const search = new Search({
        filter,
        count,
        maxScan: flags['max-scan'],
        onPage: (searched, found) => said.page(searched, found),
      });
      const most = filter === undefined ? count : undefined;
      const pages = pendingDetails(client, streams, group, {...selection, payload, count: most, since, until});
      for await (const details of search.of(untilStopped(pages, client, this.stopping))) await writer.write(details);
      said.printed(search);
      if (search.scanned === 0) await this.#sayUnknown(client, flags);
      return;
    }
    const reports: PendingReport[] = [];
    for (const stream of streams)
      reports.push(await reportPending(client, stream, group, {...selection, exact: flags.exact}));
    await this.report(flags, JSON_FIELDS.pending, reports, (display) =>
      reports.map((report) => renderPending(report, display)).join('\n'),
    );
    if (reports.every(({pending}) => pending === 0)) await this.#sayUnknown(client, flags);
    if (this.shapeOf(flags) !== 'table') return;
    const hint = exactHint(reports);
    for (const line of [...reports.flatMap(claimHints), ...(hint === undefined ? [] : [hint])]) notes.note(line);
  }

  /** Nothing is pending with --consumer: it may be mistyped. */
  async #sayUnknown(client: StreamClient, flags: UnknownFlags): Promise<void> {
    const {group, consumer} = flags;
    if (consumer === undefined) return;
    for (const stream of new Set(flags.stream)) {
      const unknown = await describeNoConsumer(client, {stream, group, consumer});
      if (unknown !== undefined) this.notes(flags).note(unknown);
    }
  }
}

type UnknownFlags = Interfaces.InferredFlags<typeof Pending.flags>;
