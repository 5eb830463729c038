import {Args} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {addOptions, addRequests, deliveryOptions, durabilityOf, produceFlags} from '../lib/cli/produce-flags.js';
import {openInput} from '../lib/cli/produce-input.js';
import {isReservedKey} from '../lib/colocated-key.js';
import {usageError} from '../lib/errors.js';
import {idHeadings, idLineOf} from '../lib/output/id-line.js';
import {countedOrNone} from '../lib/output/sentences.js';
import {describeLines} from '../lib/produce/line-ranges.js';
import {openProducer} from '../lib/produce/open-producer.js';
import {produceRecords} from '../lib/produce/produce-records.js';
import {describeAdded, describeCounts, describeUncertain, unconfirmedHint} from '../lib/produce/produce-summary.js';

export default class Produce extends BaseCommand {
  static override writes = true;
  static override summary = 'Add entries to a stream, from arguments, a pipe or a file (XADD).';
  static override description =
    'Prints the IDs of the new entries, one per line. Exit code 0 means that Redis has confirmed every record; ' +
    'otherwise standard error says how many were read, added, rejected and left unconfirmed. If a connection is ' +
    'lost, unconfirmed records are sent again and may be added twice, unless --exactly-once is given. With ' +
    '--resume, a run that was killed continues where it stopped. With --follow, it goes on until a signal ends it.';
  static override usage = [
    'produce FIELD=VALUE... [flags]',
    'produce JSON [flags]',
    'produce [--file PATH] [flags] < INPUT',
    'produce --follow FILE [flags]',
  ];
  static override examples = [
    {description: 'Add one entry', command: '<%= config.bin %> produce type=login user=7'},
    {
      description: 'Add an entry for each line of NDJSON',
      command: 'printf \'%s\\n\' \'{"type":"login"}\' \'{"type":"logout"}\' | <%= config.bin %> produce',
    },
    {
      description: 'Add an entry for each line of text',
      command: 'git log --format=%s | <%= config.bin %> produce --stream commits --input text --field subject',
    },
    {
      description: 'Add the rows of a CSV file, and keep about 100,000 entries',
      command: '<%= config.bin %> produce --stream users --input csv --file users.csv --maxlen 100000 --approx',
    },
    {
      description: 'Add a file without duplicates, and continue if the run is killed',
      command: '<%= config.bin %> produce --file events.ndjson --exactly-once --resume',
    },
    {
      description: 'Add each line that a program logs, through rotation and restarts',
      command: '<%= config.bin %> produce --follow /var/log/app.ndjson --exactly-once --quiet',
    },
    {
      description: 'Add a file that may be sent again from anywhere within a week',
      command: '<%= config.bin %> produce --file orders.ndjson --exactly-once --producer-id orders-2026-01',
    },
    {
      description: 'Add all records of a file, or none',
      command: '<%= config.bin %> produce --file order.ndjson --atomic',
    },
    {
      description: 'Add an entry 1,000 times, 200 per second',
      command: '<%= config.bin %> produce type=ping --count 1000 --rate 200 --quiet',
    },
  ];
  static override args = {
    fields: Args.string({
      ignoreStdin: true,
      multiple: true,
      description: 'FIELD=VALUE, FIELD=@FILE for a value from a file, or one JSON object',
    }),
  };
  static override flags = produceFlags;

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Produce);
    const {stream, quiet, atomic, file} = flags;
    const shape = flags.output ?? (flags.json ? 'json' : 'table');
    if (isReservedKey(stream))
      throw usageError(`"${stream}" is a name for streamlog's own keys`, 'give another stream');
    const notes = this.notes(flags);
    const reading = this.fileReading(flags);
    const around = {piped: this.pipedInput, terminal: this.terminalInput, stopping: this.stopping, reading, notes};
    const input = await openInput(args.fields ?? [], flags, around);
    const inspect = await this.connector(flags);
    if (flags['max-age'] !== undefined && !flags.force) {
      const {requireAges} = await import('../lib/trimming/age-goal.js');
      await requireAges(stream, flags.id, inspect, Date.now());
    }
    const options = addOptions(flags);

    const wantsIds = !(quiet || (input.bulk && !input.isTyped && this.outputIsTerminal && shape === 'table'));
    // A reader that goes away has seen enough IDs; the records still have to arrive.
    const idSink = wantsIds ? this.out.untilClosed() : undefined;
    await idSink?.write(idHeadings(shape));
    const {checkpointed} = input;
    const opened = await openProducer({
      ...deliveryOptions(flags),
      openAdder: await this.adderOpener(flags, stream, {
        durability: durabilityOf(flags),
        trim: atomic ? undefined : options().trim,
        idLine: wantsIds ? idLineOf(stream, shape) : undefined,
      }),
      inspect,
      mayFailOver: flags.follow !== undefined || this.mayFailOver(flags),
      checkpoint: checkpointed && {path: flags.checkpoint ?? `${checkpointed.name}.checkpoint`, input: checkpointed},
      onIds: async (lines) => idSink?.write(lines),
      onProblem: (line) => notes.warn(line),
      onRejected: input.bulk
        ? (lines, failure) => notes.warn(`${describeLines(lines)}: rejected: ${failure.message}`)
        : undefined,
      stopping: this.stopping,
    });
    const {producer, start, checkpoint} = opened;
    this.sayFinishing(notes, () => countedOrNone(producer.open, 'record'));
    const startMs = performance.now();
    const {counts, usedBytes, failure} = await produceRecords(input.pages(opened), producer, {
      onBadLine: flags['on-bad-line'],
      requestsOf: addRequests(flags, options),
      recordsBefore: start.records,
      atomic,
      stopping: this.stopping,
      unconfirmedHint: unconfirmedHint({
        exactlyOnce: flags['exactly-once'],
        resume: checkpointed !== undefined,
        producerId: flags['producer-id'] !== undefined,
      }),
      onSkipped: (description) => {
        notes.warn(`skipped ${description}`);
        return notes.backlog;
      },
      onProgress: input.onProgress,
      explain: input.explain,
    });

    notes.endProgress();
    for (const line of describeUncertain(producer)) notes.warn(line);
    const tookMs = performance.now() - startMs;
    if (failure !== undefined) {
      if (input.bulk) notes.warn(describeCounts(counts));
    } else if (input.wasAdded?.(start.position) === true) {
      notes.sumUp(undefined, describeCounts(counts));
      notes.note(`${file} was added completely before; nothing to do`);
    } else {
      if (notes.isShown && !flags['no-create'])
        await (await import('../lib/produce/made-stream.js')).sayMadeStream(inspect, stream, counts.added, notes);
      notes.sumUp(describeAdded(counts, stream, tookMs), input.bulk ? describeCounts(counts) : undefined);
    }
    await input.leaveBehind?.(usedBytes);
    try {
      await checkpoint?.finish();
    } finally {
      checkpoint?.release();
    }
    if (failure !== undefined) throw failure;
  }
}
