import {Args, Flags} from '@oclif/core';
import {addOptions} from '../lib/cli/add-options.js';
import {BaseCommand} from '../lib/cli/base-command.js';
import {
  addFlags,
  commonFlags,
  connectionFlags,
  entryId,
  rate,
  size,
  streamFlag,
  wholeNumber,
} from '../lib/cli/flags.js';
import {openInput} from '../lib/cli/produce-input.js';
import type {InputKind} from '../lib/input/records.js';
import {bulkProduce, describeCounts} from '../lib/producing/bulk-produce.js';
import {Producer} from '../lib/producing/producer.js';

export default class Produce extends BaseCommand {
  static override summary = 'Add entries to a stream: from arguments, or one a line from a pipe or file (XADD).';
  static override description =
    'Exit code 0 means that Redis has confirmed every record. Otherwise standard error says how many were read, added, ' +
    'rejected and left unconfirmed. Prints the new IDs, one a line.';
  static override examples = [
    '<%= config.bin %> produce type=login user=7',
    'printf \'%s\\n\' \'{"type":"login"}\' \'{"type":"logout"}\' | <%= config.bin %> produce',
    'git log --format=%s | <%= config.bin %> produce --stream commits --input text --field subject',
    '<%= config.bin %> produce --stream users --input csv --file users.csv --maxlen 100000 --approx',
    '<%= config.bin %> produce type=ping --count 1000 --rate 200 --quiet',
  ];
  static override args = {
    fields: Args.string({
      ignoreStdin: true,
      multiple: true,
      description: 'field=value; field=@FILE takes the value from a file',
    }),
  };
  static override flags = {
    ...streamFlag,
    input: Flags.option({
      options: ['ndjson', 'text', 'csv', 'envelope'] as const,
      default: 'ndjson' as InputKind,
      summary: 'what a line of the input is',
    })(),
    file: Flags.string({helpValue: 'PATH', summary: 'read this file; - is standard input'}),
    field: Flags.string({default: 'data', helpValue: 'NAME', summary: 'the field that holds a line of --input text'}),
    null: Flags.string({helpValue: 'TEXT', summary: 'store this for null, which is refused otherwise'}),
    'keep-ids': Flags.boolean({summary: 'give the records of --input envelope the IDs they had'}),
    'on-bad-line': Flags.option({
      options: ['fail', 'skip'] as const,
      default: 'fail' as const,
      summary: 'stop at a line that is no record, or go on',
    })(),
    'max-record-bytes': size({default: 8 * 1024 ** 2, defaultHelp: async () => '8MB', summary: 'refuse longer lines'}),
    id: entryId({summary: 'the ID of the entry; ms-* lets Redis choose the sequence'}),
    count: wholeNumber({char: 'n', min: 1, summary: 'add the entry given as arguments this often'}),
    rate: rate({summary: 'and this often a second; without --count, until interrupted'}),
    batch: wholeNumber({min: 1, default: 500, summary: 'records sent together at most'}),
    ...addFlags,
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Produce);
    const {stream, json, quiet} = flags;
    const notes = this.notes(flags);
    const input = openInput(args.fields ?? [], flags, {piped: this.pipedInput, stopping: this.stopping, notes});
    addOptions(flags, Date.now());
    const client = await this.connect(flags);

    // A reader that goes away has seen enough IDs; the records still have to arrive.
    const idSink = quiet || (input.bulk && this.outputIsTerminal && !json) ? undefined : this.out.untilClosed();
    const limits = {batchRecords: flags.batch, batchBytes: 1024 ** 2, batchesInFlight: 4};
    const producer = new Producer(client, limits, async (ids) => {
      await idSink?.write(ids.map((id) => `${json ? JSON.stringify({stream, id}) : id}\n`).join(''));
    });
    const {counts, failure} = await bulkProduce(input.pages, producer, {
      onBadLine: flags['on-bad-line'],
      additionOf: ({fields, id}) => ({
        stream,
        fields,
        options: {...addOptions(flags, Date.now()), id: flags['keep-ids'] ? (id ?? flags.id) : flags.id},
      }),
      onSkipped: (description) => notes.warn(`skipped ${description}`),
      onProgress: input.onProgress,
    });

    notes.endProgress();
    if (failure !== undefined && input.bulk) notes.warn(describeCounts(counts));
    else if (input.bulk) notes.note(describeCounts(counts));
    if (failure !== undefined) throw failure;
  }
}
