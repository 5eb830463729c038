import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {importFlags, importQuestion, importSources} from '../lib/cli/import-flags.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {renderSentence} from '../lib/output/views/export-view.js';
import {describeImport, importProgress} from '../lib/output/views/import-view.js';
import {ReconnectingClient} from '../lib/reconnecting-client.js';
import type {StreamInfo} from '../lib/stream-client.js';
import {
  askReplace,
  checkSections,
  type ImportPlan,
  importSections,
  refuseToReplace,
} from '../lib/transfer/import-sections.js';

export default class Import extends BaseCommand {
  static override writes = true;
  static override summary =
    'Restore streams from an export: entries, IDs, groups, what is pending (XADD, XCLAIM, XSETID).';
  static override description =
    'Reads what export has written, from standard input or from files, plain or compressed. A stream appears whole, with its ' +
    'groups, or not at all: it is restored under a name of its own, compared with the file, and renamed. If a run is killed, ' +
    'the same command goes on where it stopped. A stream that is there already is compared: exit code 0 if it is identical, ' +
    '65 and the first ID that differs if it is not. A file that is cut off, edited or in disorder is refused with the number ' +
    'of the line. With --append and --new-ids, what was added before a bad line of standard input stays.';
  static override examples = [
    {
      description: 'Move a stream to another server, with its groups and what is pending',
      command: '<%= config.bin %> export orders | <%= config.bin %> import --url redis://standby.example',
    },
    {description: 'Restore a backup', command: '<%= config.bin %> import backup.ndjson'},
    {
      description: 'Look at it under other names, with pending entries no older than they were',
      command: '<%= config.bin %> import backup.ndjson --prefix laptop: --age-to-now',
    },
    {
      description: 'See what a file would do',
      command: '<%= config.bin %> import backup.ndjson --replace --dry-run',
    },
    {
      description: 'Keep the failed orders in a stream of their own, under their IDs',
      command:
        '<%= config.bin %> range --stream orders --where status=failed | <%= config.bin %> import --unsealed --into failed',
    },
  ];
  static override args = {
    files: Args.string({
      ignoreStdin: true,
      multiple: true,
      description: 'exported files, - for standard input (default: -)',
    }),
  };
  static override flags = importFlags;

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Import);
    const notes = this.notes(flags);
    const {stopping} = this;
    const reading = this.fileReading(flags);
    const sources = importSources(args.files ?? [], flags, {piped: this.pipedInput, reading, stopping});
    const connect = await this.connector(flags);
    const retrying = {
      retryForMs: flags['retry-for'],
      mayFailOver: this.mayFailOver(flags),
      stopping,
      onProblem: (line: string) => notes.warn(line),
    };
    const redis = new ReconnectingClient({...retrying, connect});
    // What is before a pipe shows its own progress, on the same terminal.
    let showsProgress = false;
    const plan: ImportPlan = {
      ...importQuestion(flags),
      redis,
      openAdder: async (stream) => (await this.adderOpener(flags, stream, {}))(),
      delivery: {...retrying, inspect: connect},
      onNote: (line) => notes.warn(line),
      agreeToReplace: (stream, info) => this.#agreeToReplace(flags, stream, info),
      onProgress: (stream, entries, length) => {
        if (showsProgress) notes.progress(importProgress(stream, entries, length));
      },
    };
    try {
      await redis.connection();
      await this.beginReport(flags, JSON_FIELDS.import);
      for (const {isFile, open} of sources) {
        showsProgress = isFile;
        if (isFile && (flags.append || flags['new-ids'])) await checkSections(open());
        let startMs = performance.now();
        for await (const report of importSections(open(), plan)) {
          notes.endProgress();
          const tookMs = performance.now() - startMs;
          await this.report(flags, JSON_FIELDS.import, [report], (display) =>
            renderSentence(describeImport(report, tookMs), display),
          );
          startMs = performance.now();
        }
      }
    } finally {
      notes.endProgress();
      redis.close();
    }
  }

  /** Asks a person; of a script, --force is asked for. */
  async #agreeToReplace(
    flags: {force: boolean; 'dry-run': boolean; quiet: boolean; verbose: boolean},
    stream: string,
    info: StreamInfo,
  ): Promise<void> {
    if (flags.force) return;
    if (!this.asks(flags)) refuseToReplace(stream, info);
    const {confirm} = await import('../lib/cli/confirmation.js');
    await confirm(askReplace(stream, info), {
      notes: this.notes(flags),
      stopping: this.stopping,
      nothing: 'nothing was replaced',
    });
  }
}
