import {archiveStreams} from '../lib/archive/archive-streams.js';
import {archiveFlags, archiveOptions} from '../lib/cli/archive-flags.js';
import {BaseCommand} from '../lib/cli/base-command.js';
import {recordFilter} from '../lib/cli/filter-flags.js';
import {namedStreams} from '../lib/cli/flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {matchingStreams} from '../lib/copy/streams-to-copy.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {listed, progressText} from '../lib/output/sentences.js';
import {describeArchives, renderArchives} from '../lib/output/views/archive-view.js';
import {WaitingNote} from '../lib/output/waiting-note.js';

export default class Archive extends BaseCommand {
  static override writes = true;
  static override summary = 'Write streams to files as entries come, and know what is on disk (XRANGE, XGROUP SETID).';
  static override description =
    'The files hold what range prints, and are named by the UTC time of their first ID: DIR/STREAM/2026-12-01T10-00-00.123Z-000000.ndjson. ' +
    'One that is not finished ends with .part; a finished one has its .sha256 beside it, and a line in DIR/STREAM/index.ndjson. Each entry is ' +
    'on disk once, also if the run is killed: the same command goes on behind the last entry on disk. A group of the stream stands there, so trim ' +
    '--safe removes only what is on disk. Entries that were trimmed before they were archived end it with exit code 70.';
  static override examples = [
    {
      description: 'Archive a stream in files of an hour, until a signal',
      command: '<%= config.bin %> archive orders --dir archive --gzip',
    },
    {
      description: 'Archive what is there now, from cron, and then trim it',
      command:
        '<%= config.bin %> archive orders --dir archive --gzip --exit && <%= config.bin %> trim orders --safe --maxlen 0',
    },
    {
      description: 'Keep the files of 90 days, none much larger than 256 MB',
      command: "<%= config.bin %> archive --match 'order*' --dir archive --rotate 1h --rotate 256MB --keep 90d",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = archiveFlags;

  async run(): Promise<void> {
    const {flags, raw} = await this.parse(Archive);
    const named = namedStreams(flags, raw);
    const files = archiveOptions(flags);
    const notes = this.notes(flags);
    const connect = await this.connector(flags);
    const client = await connect();
    const streams = named ?? (await matchingStreams(client, flags.match ?? '*').finally(() => client.close()));
    client.close();
    this.sayFinishing(notes, () => 'what is under way');
    const waiting = new WaitingNote(
      notes,
      `everything is archived; waiting for new entries of ${listed(streams)}; Ctrl-C ends`,
    );
    const startMs = performance.now();
    let failure: unknown;
    const archives = await archiveStreams(streams, {
      connect,
      mayFailOver: this.mayFailOver(flags),
      group: flags.group,
      files,
      from: flags.from,
      filter: recordFilter(flags),
      follow: !flags.exit,
      retryForMs: flags['retry-for'],
      stopping: this.stopping,
      onProgress: (archived) => {
        waiting.came();
        notes.progress(progressText('archived', archived, performance.now() - startMs, !flags.exit));
      },
      onIdle: () => waiting.idle(),
      onProblem: ({source}, line) => notes.warn(streams.length === 1 ? line : `${source}: ${line}`),
      onFailure: ({source}, error) => {
        if (failure !== undefined) notes.warn(`${source}: ${error instanceof Error ? error.message : error}`);
        failure ??= error;
      },
    });
    notes.endProgress();
    await this.report(flags, JSON_FIELDS.archive, archives, (display) => renderArchives(archives, display));
    notes.sumUp(describeArchives(archives, performance.now() - startMs), undefined);
    if (failure !== undefined) throw failure;
  }
}
