import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {interval} from '../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, streamsFlag} from '../lib/cli/flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {watchView} from '../lib/cli/watch-run.js';
import type {WatchedStream} from '../lib/observe/stream-watch.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {renderStream} from '../lib/output/views/stream-view.js';
import {renderWatched} from '../lib/output/views/watch-view.js';
import {reportStream, type StreamReport} from '../lib/reports/stream-report.js';

export default class Info extends BaseCommand {
  static override summary = 'Show a stream, its groups and how far behind they are (XINFO).';
  static override description =
    'The lag of a group is exact, or marked with ~ where an exact figure would take too long to count; in JSON, ' +
    '"lagExact" is then false, the lag is between "lagAtLeast" and "lagAtMost", and "lagSource" says where "lag" ' +
    'comes from: redis, counted or bound. "Oldest unread" ("behindMs") is the age of the oldest entry that a group has not been given. ' +
    'With --watch, a terminal shows it in place, with rates per second of the last seconds; q ends it. A pipe gets a line of JSON each time. It waits ' +
    'while Redis is away.';
  static override examples = [
    {description: 'Show the default stream', command: '<%= config.bin %> info'},
    {
      description: 'Show another one, with its consumers',
      command: '<%= config.bin %> info orders --consumers',
    },
    {
      description: 'Print the lag of each group',
      command: "<%= config.bin %> info --json | jq '.groups[] | {name, lag}'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = {
    ...streamsFlag,
    consumers: Flags.boolean({summary: 'also list the consumers of each group'}),
    watch: interval({summary: 'show it again at this interval, until interrupted'}),
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Info);
    const client = await this.connect(flags);
    const notes = this.notes(flags);
    const omitted = new Set<string>();
    const onOmitted = (what: string) => {
      if (!omitted.has(what)) notes.note(what);
      omitted.add(what);
    };
    const options = {withConsumers: flags.consumers, nowMs: Date.now(), onOmitted};
    if (flags.watch !== undefined) {
      const print = (streams: readonly WatchedStream[]): Promise<void> => {
        const reports = streams.flatMap(({report}) => report ?? []);
        return this.report(flags, JSON_FIELDS.info, reports, (display) => `${renderWatched(streams, display)}\n`);
      };
      return watchView({
        ...options,
        out: await this.watchedOut(),
        client,
        streams: flags.stream,
        everyMs: flags.watch,
        isFull: this.takesScreen(flags),
        retryForMs: flags['retry-for'],
        stopping: this.stopping,
        warn: (line) => notes.warn(line),
        print,
      });
    }
    const reports: StreamReport[] = [];
    for (const stream of flags.stream) reports.push(await reportStream(client, stream, options));
    await this.report(flags, JSON_FIELDS.info, reports, (display) =>
      reports.map((report) => renderStream(report, display)).join('\n'),
    );
  }
}
