import {BaseCommand} from '../lib/cli/base-command.js';
import {fieldShape, recordFilter} from '../lib/cli/filter-flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {lastCount, tailFlags, tailStart} from '../lib/cli/tail-flags.js';
import {Search} from '../lib/filter/search.js';
import {SearchNotes} from '../lib/output/search-notes.js';
import {listed} from '../lib/output/sentences.js';
import {WaitingNote} from '../lib/output/waiting-note.js';
import {followStreams} from '../lib/reading/follow-streams.js';
import {meantStream} from '../lib/reading/known-names.js';

export default class Tail extends BaseCommand {
  static override summary = 'Print the last entries, then new ones as they come (XREAD BLOCK).';
  static override description =
    'Needs no group and changes nothing. Waits for a stream that does not exist yet. Entries of several streams ' +
    'are merged, each line with the name of its stream. While Redis is away, waits and then goes on where it was; a stream that ' +
    'was deleted and began anew is read from its beginning.';
  static override examples = [
    {description: 'Follow the default stream', command: '<%= config.bin %> tail'},
    {
      description: 'Follow two streams, from now on',
      command: '<%= config.bin %> tail orders payments --count 0',
    },
    {description: 'Print the last 15 minutes, then stop', command: '<%= config.bin %> tail --from @-15m --no-follow'},
    {
      description: 'Follow what matters, beginning with the last five of them',
      command: "<%= config.bin %> tail -n 5 --where 'level=warn|error' --not-where 'path~/health*'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = tailFlags;

  async run(): Promise<void> {
    const {flags} = await this.parse(Tail);
    const notes = this.notes(flags);
    const out = await this.watchedOut();
    const writer = await this.recordWriter(flags, out, {fields: fieldShape(flags), several: flags.stream.length > 1});
    const filter = recordFilter(flags);
    const client = await this.connect(flags);
    const waiting = new WaitingNote(notes, `waiting for new entries of ${listed(flags.stream)}; Ctrl-C ends`);
    let missing = 0;
    const sayMissing = async (stream: string): Promise<void> => {
      const meant = notes.isShown ? await meantStream(client, stream) : '';
      notes.note(`there is no stream "${stream}" yet; waiting for it${meant}`);
    };
    const onPage = (said: SearchNotes) => (search: Search, found: number) => {
      waiting.came();
      said.page(search, found);
      out.check();
    };
    const lastOf = (): Search =>
      new Search({
        filter,
        count: lastCount(flags),
        maxScan: flags['max-scan'],
        onPage: onPage(new SearchNotes(notes, {reverse: true})),
      });
    const batches = followStreams(client, {
      streams: flags.stream,
      from: tailStart(flags),
      lastOf: filter === undefined || flags.from !== undefined ? undefined : lastOf,
      follow: !flags['no-follow'],
      stopping: this.stopping,
      retryForMs: flags['retry-for'],
      onMissing: (stream) => {
        missing++;
        void sayMissing(stream);
      },
      onIdle: () => {
        if (missing < flags.stream.length) waiting.idle();
        out.check();
      },
      onProblem: (line) => notes.warn(line),
    });
    const said = new SearchNotes(notes);
    const search = new Search({filter, onPage: onPage(said)});
    for await (const records of search.of(batches)) await writer.write(records);
    said.printed(search);
  }
}
