import {BaseCommand} from '../lib/cli/base-command.js';
import {
  type CopyFlags,
  changesSource,
  copyFlags,
  copyNames,
  holdGroupOf,
  isOneServer,
  scheduleOf,
  secondServer,
  streamsWanted,
} from '../lib/cli/copy-flags.js';
import {recordFilter} from '../lib/cli/filter-flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {copyStreams} from '../lib/copy/copy-streams.js';
import {streamsToCopy} from '../lib/copy/streams-to-copy.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {listed, progressText} from '../lib/output/sentences.js';
import {describeCopies, renderCopies} from '../lib/output/views/copy-view.js';
import {WaitingNote} from '../lib/output/waiting-note.js';

export default class Copy extends BaseCommand {
  static override writes = true;
  static override summary = 'Copy streams to another server, entry by entry with their IDs, and follow them (XADD).';
  static override description =
    'The copy says itself how far it is: a run that was killed goes on when it is run again, and each entry is copied once, in order, through lost ' +
    'connections and failovers of either side. With --follow it is a mirror. What cannot be a faithful copy ends it: entries that ' +
    'somebody else has added to the target (65), and entries that were trimmed before they were copied (70). Entries that are ' +
    'deleted from the middle of the source later stay in the copy. Groups are carried over with --groups.';
  static override examples = [
    {
      description: 'Copy a stream to another server',
      command: '<%= config.bin %> copy orders --to-url redis://standby.example',
    },
    {
      description: 'Keep a mirror at another site, and have trim --safe wait for it',
      command: "<%= config.bin %> copy --match 'order*' --to-context standby --follow",
    },
    {
      description: 'Copy the payments of the last hour beside the stream',
      command: "<%= config.bin %> copy orders --to payments-of-now --from @-1h --where 'amount>100'",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = copyFlags;

  async run(): Promise<void> {
    const {flags, raw} = await this.parse(Copy);
    const wanted = streamsWanted(flags, raw);
    const {follow} = flags;
    const notes = this.notes(flags);
    const filter = recordFilter(flags);
    const source = {connect: await this.connector(flags), mayFailOver: this.mayFailOver(flags)};
    const target = isOneServer(flags) ? source : await this.secondConnector(secondServer(flags));
    const connect = {source: source.connect, target: target.connect};
    const found = await streamsToCopy(connect, wanted);
    const all = copyNames(found, flags);
    this.sayFinishing(notes, () => 'what is under way');
    const waiting = new WaitingNote(
      notes,
      `everything is copied; waiting for new entries of ${listed(found.streams)}; Ctrl-C ends`,
    );
    const startMs = performance.now();
    let failure: unknown;
    const copies = await copyStreams(all, {
      connect,
      mayFailOver: {source: source.mayFailOver, target: target.mayFailOver},
      from: flags.from,
      until: flags['to-end'],
      filter,
      follow,
      groups: flags.groups,
      trim: flags.trim,
      verify: flags.verify,
      newIdsFrom: flags['new-ids'] ? found.sourceServer : undefined,
      schedule: scheduleOf(flags),
      holdOf: (names) => holdGroupOf(flags, names, found.server),
      retryForMs: flags['retry-for'],
      stopping: this.stopping,
      onProgress: (copied) => {
        waiting.came();
        notes.progress(progressText('copied', copied, performance.now() - startMs, follow));
      },
      onIdle: () => waiting.idle(),
      onProblem: (names, line) => notes.warn(all.length === 1 ? line : `${names.source}: ${line}`),
      onFailure: (names, error) => {
        if (failure !== undefined) notes.warn(`${names.source}: ${error instanceof Error ? error.message : error}`);
        failure ??= error;
      },
    });
    notes.endProgress();
    await this.report(flags, JSON_FIELDS.copy, copies, (display) => renderCopies(copies, display));
    notes.sumUp(
      describeCopies(copies, found.isSame ? undefined : found.server, performance.now() - startMs),
      undefined,
    );
    if (failure !== undefined) throw failure;
  }

  /** A source that is only read may be that of a context that is read-only. */
  protected override changesServer(flags: object): boolean {
    return changesSource(flags as CopyFlags);
  }
}
