import {setTimeout as sleep} from 'node:timers/promises';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags, duration, streamsFlag} from '../lib/cli/flags.js';
import {renderStream} from '../lib/output/views/stream-view.js';
import {reportStream, type StreamReport} from '../lib/reports/stream-report.js';

export default class Info extends BaseCommand {
  static override summary = 'Show a stream, its groups and how far behind they are (XINFO).';
  static override description =
    'The lag of a group is exact, or marked with ~ where proving it would mean counting for too long; in JSON, ' +
    '"lagExact" is then false, the lag is between "lagAtLeast" and "lagAtMost", and "lagSource" says where "lag" ' +
    'comes from: redis, counted or bound.';
  static override examples = [
    {description: 'Show the default stream', command: '<%= config.bin %> info'},
    {
      description: 'Show another one, with its consumers',
      command: '<%= config.bin %> info --stream orders --consumers',
    },
    {
      description: 'Print the lag of each group',
      command: "<%= config.bin %> info --json | jq '.groups[] | {name, lag}'",
    },
  ];
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
    const out = flags.watch === undefined ? this.out : await this.watchedOut();
    const notes = this.notes(flags);
    const omitted = new Set<string>();
    const onOmitted = (what: string) => {
      if (!omitted.has(what)) notes.note(what);
      omitted.add(what);
    };
    const redraw = flags.watch !== undefined && this.outputIsTerminal && !flags.json;

    for (;;) {
      const reports: StreamReport[] = [];
      for (const stream of flags.stream) {
        const options = {withConsumers: flags.consumers, nowMs: Date.now(), onOmitted};
        reports.push(await reportStream(client, stream, options));
      }
      if (redraw) await out.write('\u001b[2J\u001b[H');
      await this.report(flags, reports, (colors) => reports.map((report) => renderStream(report, colors)).join('\n'));
      if (flags.watch === undefined) return;
      await sleep(flags.watch, undefined, {signal: this.stopping}).catch(() => {});
      if (this.stopping.aborted) return;
      out.check();
    }
  }
}
