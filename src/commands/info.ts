import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags, duration, streamsFlag} from '../lib/cli/flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import type {Display} from '../lib/output/display.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {renderStream} from '../lib/output/views/stream-view.js';
import {untilStopped} from '../lib/reading/until-stopped.js';
import {ReconnectingClient} from '../lib/reconnecting-client.js';
import {reportStream, type StreamReport} from '../lib/reports/stream-report.js';
import type {StreamClient} from '../lib/stream-client.js';

export default class Info extends BaseCommand {
  static override summary = 'Show a stream, its groups and how far behind they are (XINFO).';
  static override description =
    'The lag of a group is exact, or marked with ~ where an exact figure would take too long to count; in JSON, ' +
    '"lagExact" is then false, the lag is between "lagAtLeast" and "lagAtMost", and "lagSource" says where "lag" ' +
    'comes from: redis, counted or bound. With --watch, waits while Redis is away.';
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
    watch: duration({summary: 'show it again at this interval, until interrupted'}),
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
    const reportAll = async (from: StreamClient): Promise<StreamReport[]> => {
      const reports: StreamReport[] = [];
      const options = {withConsumers: flags.consumers, nowMs: Date.now(), onOmitted};
      for (const stream of flags.stream) reports.push(await reportStream(from, stream, options));
      return reports;
    };
    const render = (reports: readonly StreamReport[]) => (display: Display) =>
      reports.map((report) => renderStream(report, display)).join('\n');

    if (flags.watch === undefined) {
      const reports = await reportAll(client);
      return this.report(flags, JSON_FIELDS.info, reports, render(reports));
    }
    const out = await this.watchedOut();
    const {stopping} = this;
    const redis = new ReconnectingClient({
      connect: () => client.another(),
      mayFailOver: true,
      retryForMs: flags['retry-for'],
      stopping,
      onProblem: (line) => notes.warn(line),
    });
    const redraws = this.outputIsTerminal && this.shapeOf(flags) === 'table';
    for await (const reports of untilStopped(redis.repeat(reportAll, flags.watch), redis, stopping)) {
      out.check();
      if (redraws) await out.write('\u001b[2J\u001b[H');
      await this.report(flags, JSON_FIELDS.info, reports, render(reports));
    }
    redis.close();
  }
}
