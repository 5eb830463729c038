import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {interval, wholeNumber} from '../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, GLOB_HELP, someStreamsFlag} from '../lib/cli/flags.js';
import {globArgument} from '../lib/cli/positional-flags.js';
import {columnsFlag, liveView, requireStreams, topOptions} from '../lib/cli/top-run.js';
import {ROW_ORDERS} from '../lib/observe/snapshot-rows.js';
import {snapshotWithRates} from '../lib/observe/snapshots.js';

export default class Top extends BaseCommand {
  static override summary = 'Watch streams and groups: rates, lag, what is pending (XINFO, XPENDING).';
  static override description =
    'On a terminal, a list that is brought up to date in place: keys sort and filter it, Enter shows one stream or group with charts ' +
    'of the last minute and commands to copy, ? lists all keys. It only reads. In a pipe, and with --json, one line of JSON each time. ' +
    'Rates take two readings, so they are - (null in JSON) at first. It waits while Redis is away.';
  static override examples = [
    {description: 'Watch all streams', command: '<%= config.bin %> top'},
    {
      description: 'Watch those of one kind, what is pending for the longest first',
      command: "<%= config.bin %> top 'orders:*' --sort oldest",
    },
    {description: 'Print one table', command: '<%= config.bin %> top --once'},
    {
      description: 'Name groups that get further and further behind',
      command:
        '<%= config.bin %> top --once --json | jq -r \'.streams[].groups[]? | select(.trend == "growing").group\'',
    },
  ];
  static override args = {...globArgument};
  static override flags = {
    ...someStreamsFlag,
    match: Flags.string({
      helpValue: 'GLOB',
      exclusive: ['stream'],
      summary: `only names that match: ${GLOB_HELP}`,
    }),
    every: interval({default: 1_000, summary: 'read at this interval'}),
    sort: Flags.option({options: ROW_ORDERS, helpValue: ROW_ORDERS.join('|')})({
      default: 'lag',
      summary: 'the most first; names from A to Z',
    }),
    columns: columnsFlag({summary: 'show these columns, in this order'}),
    count: wholeNumber({char: 'n', min: 1, summary: 'show at most N streams'}),
    'groups-only': Flags.boolean({summary: 'list groups, without rows for their streams'}),
    once: Flags.boolean({summary: 'read twice, so that there are rates, print that, and end'}),
    'max-streams': wholeNumber({min: 1, default: 1_000, summary: 'read at most N streams'}),
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Top);
    const client = await this.connect(flags);
    await requireStreams(client, flags.stream ?? []);
    const options = topOptions(flags, this.contextUsed(flags));
    const reading = {
      everyMs: flags.every,
      streams: flags.stream,
      match: flags.match,
      maxStreams: flags['max-streams'],
      keepsUnanswered: true,
    };
    if (flags.once) {
      const snapshot = await snapshotWithRates(client, reading, this.stopping);
      if (snapshot !== undefined) await this.report(flags, ...options.report(snapshot));
      return;
    }
    const notes = this.notes(flags);
    await liveView({
      out: await this.watchedOut(),
      client,
      reading,
      options,
      isFull: this.takesScreen(flags),
      retryForMs: flags['retry-for'],
      stopping: this.stopping,
      warn: (line) => notes.warn(line),
      print: (snapshot) => this.report(flags, ...options.report(snapshot)),
    });
    this.endAsIntended();
  }
}
