import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {
  betweenFlags,
  boundsOf,
  conditionFlags,
  fieldFlags,
  fieldShape,
  maxScanFlag,
  recordFilter,
} from '../lib/cli/filter-flags.js';
import {wholeNumber} from '../lib/cli/flag-values.js';
import {connectionFlags, recordFlags, streamFlag} from '../lib/cli/flags.js';
import {Search} from '../lib/filter/search.js';
import {SearchNotes} from '../lib/output/search-notes.js';
import {readRange} from '../lib/reading/stream-range.js';
import {untilStopped} from '../lib/reading/until-stopped.js';

export default class Range extends BaseCommand {
  static override summary = 'Print entries from START to END (XRANGE, XREVRANGE).';
  static override description =
    'Both bounds are included. Each is an ID, start (or -), end (or +), -N (the last N entries) or @TIME (ISO ' +
    '8601, Unix s or ms, or @-1h); "(ID" excludes that ID. An ID without a sequence number means its whole ' +
    'millisecond.';
  static override examples = [
    {description: 'Print the whole stream', command: '<%= config.bin %> range'},
    {description: 'Print the last ten entries, newest first', command: '<%= config.bin %> range -10 --reverse'},
    {
      description: 'Print 100 entries of the last hour',
      command: '<%= config.bin %> range @-1h end --stream orders --count 100',
    },
    {
      description: 'Print the last five orders above 100 from two countries, newest first',
      command: "<%= config.bin %> range -n 5 --reverse --where 'amount>100' --where 'data.user.country=DE|AT'",
    },
    {
      description: 'Print entries from an ID on, in a format of your own',
      command: "<%= config.bin %> range 1526919030474-55 + --format '%d %f{type}\\n'",
    },
  ];
  static override args = {
    start: Args.string({ignoreStdin: true, default: 'start', description: 'first entry'}),
    end: Args.string({ignoreStdin: true, default: 'end', description: 'last entry'}),
  };
  static override flags = {
    ...streamFlag,
    reverse: Flags.boolean({summary: 'newest first; START is still the older bound'}),
    count: wholeNumber({char: 'n', min: 1, summary: 'print at most N entries'}),
    ...betweenFlags,
    ...conditionFlags,
    ...maxScanFlag,
    ...connectionFlags,
    ...recordFlags,
    ...fieldFlags,
  };

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Range);
    const {stream, reverse, count, 'max-scan': maxScan} = flags;
    const {start, end} = boundsOf(args, flags, raw);
    const filter = recordFilter(flags);
    const notes = this.notes(flags);
    const out = await this.watchedOut();
    const writer = await this.recordWriter(flags, out, {fields: fieldShape(flags)});
    const client = await this.connect(flags);
    const onEmpty = (from: string, to: string): void =>
      notes.note(`nothing can be between START and END: ${from} is after ${to}`);

    const said = new SearchNotes(notes, {reverse});
    const onPage = (search: Search, found: number): void => {
      said.page(search, found);
      out.check();
    };
    const search = new Search({filter, count, maxScan, onPage});
    const most = filter === undefined ? Math.min(count ?? Infinity, maxScan ?? Infinity) : Infinity;
    const pages = readRange(client, stream, {start, end, reverse, count: most, onEmpty});
    for await (const records of search.of(untilStopped(pages, client, this.stopping))) {
      await writer.write(records);
    }
    said.printed(search);
  }
}
