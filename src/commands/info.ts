import {Flags, type Interfaces} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {interval} from '../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, streamsFlag} from '../lib/cli/flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {hasFullScreen} from '../lib/cli/standard-display.js';
import {WatchScreen} from '../lib/cli/watch-screen.js';
import {type WatchOptions, watchStreams} from '../lib/observe/stream-watch.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {renderStream} from '../lib/output/views/stream-view.js';
import {renderWatched} from '../lib/output/views/watch-view.js';
import {reportStream, type StreamReport} from '../lib/reports/stream-report.js';
import type {StreamClient} from '../lib/stream-client.js';

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
    if (flags.watch !== undefined) return this.#watch(client, flags, options);
    const reports: StreamReport[] = [];
    for (const stream of flags.stream) reports.push(await reportStream(client, stream, options));
    await this.report(flags, JSON_FIELDS.info, reports, (display) =>
      reports.map((report) => renderStream(report, display)).join('\n'),
    );
  }

  async #watch(client: StreamClient, flags: InfoFlags, watching: Pick<WatchOptions, 'withConsumers' | 'onOmitted'>) {
    const out = await this.watchedOut();
    const notes = this.notes(flags);
    const quit = new AbortController();
    const everyMs = flags.watch ?? 0;
    // A trace goes to the same terminal.
    const isFull = hasFullScreen() && this.shapeOf(flags) === 'table' && !flags.trace;
    const onQuit = (): void => quit.abort();
    const screen = isFull ? new WatchScreen({out, display: this.display, everyMs, onQuit}) : undefined;
    const say = (line: string): void => (screen?.isShown ? screen.notice(line) : notes.warn(line));
    const readings = watchStreams(flags.stream, {
      ...watching,
      everyMs,
      connect: () => client.another(),
      retryForMs: flags['retry-for'],
      stopping: AbortSignal.any([this.stopping, quit.signal]),
      waitsForGone: isFull,
      onOmitted: (what) => (screen?.isShown ? screen.notice(what) : watching.onOmitted?.(what)),
      onChange: say,
      onProblem: say,
    });
    try {
      for await (const streams of readings) {
        out.check();
        const reports = streams.flatMap(({report}) => report ?? []);
        if (screen !== undefined) await screen.show(streams);
        else await this.report(flags, JSON_FIELDS.info, reports, (display) => `${renderWatched(streams, display)}\n`);
      }
    } finally {
      await screen?.close();
    }
  }
}

type InfoFlags = Interfaces.InferredFlags<typeof Info.flags>;
