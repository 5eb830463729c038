import type {Interfaces} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {exportFlags, exportQuestion, writesToOutput} from '../lib/cli/export-flags.js';
import {exportRun, sectionsOf, streamsOf} from '../lib/cli/exporting.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {isFailure} from '../lib/errors.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {
  describeExported,
  describeMissing,
  describePlanned,
  exportReport,
  plannedReport,
  renderSentence,
} from '../lib/output/views/export-view.js';
import {ReconnectingClient} from '../lib/reconnecting-client.js';
import {type ExportQuestion, type ExportRun, readHeader} from '../lib/transfer/stream-export.js';

export default class Export extends BaseCommand {
  static override summary = 'Write streams with their groups and pending entries to a file (XRANGE, XPENDING).';
  static override description =
    'NDJSON, which jq, grep and produce --input envelope read as it is, to standard output or to a file. It has each entry that was ' +
    'there when its page was read, the groups with their positions, and what is pending: since when, with whom, how often delivered. All groups are as of one ' +
    'moment, while writers and workers go on; what they acknowledge and delete later may be left out, and nothing else. It changes nothing.';
  static override examples = [
    {description: 'Back up a stream', command: '<%= config.bin %> export orders --file orders.ndjson.gz'},
    {
      description: 'Move a stream to another server',
      command: '<%= config.bin %> export orders | <%= config.bin %> import -u redis://standby.example',
    },
    {
      description: 'Back up all streams of one kind, a file for each, and go on after an interruption',
      command: "<%= config.bin %> export --match 'order*' --dir backup --resume",
    },
    {
      description: 'Take the entries that a group is stuck on to a laptop, without addresses',
      command: '<%= config.bin %> export orders --pending-only -g billing --mask email >stuck.ndjson',
    },
  ];
  static override args = {...streamsArgument};
  static override flags = exportFlags;

  async run(): Promise<void> {
    const {flags, raw} = await this.parse(Export);
    const notes = this.notes(flags);
    const question = exportQuestion(flags);
    const out = writesToOutput(flags, this.outputIsTerminal) ? await this.watchedOut() : undefined;
    const {stopping} = this;
    const client = new ReconnectingClient({
      connect: await this.connector(flags),
      mayFailOver: this.mayFailOver(flags),
      retryForMs: flags['retry-for'],
      stopping,
      onProblem: (line) => notes.warn(line),
    });
    stopping.addEventListener('abort', () => client.close(), {once: true});
    try {
      const run = client.runCommands;
      const streams = await run((commands) => streamsOf(commands, flags, raw));
      const reading = await exportRun(run, flags, {notes, signal: stopping});
      if (flags['dry-run']) return await this.#plan(flags, streams, question, reading);
      let startMs = performance.now();
      for await (const section of sectionsOf(streams, flags, question, {run: reading, out, notes})) {
        const sentence = describeExported(section, performance.now() - startMs);
        notes.endProgress();
        if (section.missing > 0) notes.warn(describeMissing(section));
        if (out !== undefined) notes.sumUp(sentence, undefined);
        else
          await this.report(flags, JSON_FIELDS.export, [exportReport(section)], (display) =>
            renderSentence(sentence, display),
          );
        startMs = performance.now();
      }
    } catch (error) {
      // The signal has closed the connection.
      if (!stopping.aborted || !isFailure(error, 'unreachable')) throw error;
    } finally {
      notes.endProgress();
      client.close();
    }
  }

  async #plan(
    flags: ExportFlags,
    streams: readonly string[],
    question: ExportQuestion,
    {run, server, warn}: Omit<ExportRun, 'take'>,
  ): Promise<void> {
    for (const stream of streams) {
      const {header} = await run((client) => readHeader(client, stream, question, {server, warn}));
      const report = plannedReport(header);
      await this.report(flags, JSON_FIELDS.export, [report], (display) =>
        renderSentence(describePlanned(report), display),
      );
    }
  }
}

type ExportFlags = Interfaces.InferredFlags<typeof exportFlags>;
