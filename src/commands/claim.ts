import {BaseCommand} from '../lib/cli/base-command.js';
import {duration, name, wholeNumber} from '../lib/cli/flag-values.js';
import {connectionFlags, dryRunFlag, groupFlag, recordFlags, streamFlag, writeFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {usageError} from '../lib/errors.js';
import {Claimer, describeClaim, entriesOf, namedEntries} from '../lib/groups/claiming.js';
import {describeNoConsumer} from '../lib/reading/missing-names.js';

export default class Claim extends BaseCommand {
  static override writes = true;
  static override summary = 'Transfer pending entries to another consumer (XCLAIM).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input; or, with ' +
    '--consumer, everything that is pending with that consumer. A record that names a consumer, a delivery count ' +
    'or an idle time is claimed only while these still hold, so an entry that was delivered again meanwhile stays ' +
    'where it is. If you type --stream or --group, a record of another one is refused (exit code 65). Prints the ' +
    'claimed entries; standard error says how many were not claimed, and why.';
  static override examples = [
    {description: 'Transfer one entry to consumer w2', command: '<%= config.bin %> claim 1526919030474-55 --to w2'},
    {
      description: 'Transfer what consumer w1 has had for 30 seconds or longer',
      command: '<%= config.bin %> claim --consumer w1 --to w2 --min-idle 30s',
    },
    {
      description: 'Transfer everything that has been idle for an hour',
      command: '<%= config.bin %> pending --details --idle 1h | <%= config.bin %> claim --to w2',
    },
  ];
  static override args = {...idsArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    to: name({required: true, summary: 'consumer that gets the entries'}),
    consumer: name({summary: 'in place of IDs: everything that is pending with this consumer'}),
    'min-idle': duration({summary: 'skip entries that were delivered within this time'}),
    count: wholeNumber({
      char: 'n',
      min: 1,
      dependsOn: ['consumer'],
      summary: 'claim at most N entries of --consumer',
    }),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...recordFlags,
  };

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Claim);
    const {stream, group, to, consumer, count = Number.POSITIVE_INFINITY} = flags;
    const {'min-idle': minIdleMs = 0, 'dry-run': dryRun = false} = flags;
    if (consumer !== undefined && args.ids !== undefined) throw usageError('give IDs or --consumer, not both');
    const notes = this.notes(flags);
    const writer = await this.recordWriter(flags, this.out, {delivered: true});
    const {stream: typedStream, group: typedGroup} = typedTargets(flags, raw);
    const typed = {stream: typedStream, group: typedGroup};
    const input = {piped: this.pipedInput, stopping: this.stopping, notes, typed};
    const references = consumer === undefined ? openIds(args.ids, input) : undefined;

    const client = await this.connect(flags);
    const batches =
      consumer === undefined
        ? namedEntries(references!, {stream, group}, minIdleMs)
        : entriesOf(client, {stream, group, consumer}, minIdleMs, count);
    const claimer = new Claimer(client, to, {
      dryRun,
      stopping: this.stopping,
      onRefused: ({stream: of, id, reason}) => notes.note(`${of} ${id}: not claimed, ${reason}`),
    });
    try {
      for await (const records of claimer.claim(batches)) await writer.write(records);
    } catch (error) {
      if (claimer.hasCounted) notes.note(`before it failed: ${describeClaim(claimer.counts, to, dryRun)}`);
      throw error;
    }
    notes.note(describeClaim(claimer.counts, to, dryRun));
    if (consumer === undefined || claimer.counts.claimed > 0) return;
    const unknown = await describeNoConsumer(client, {stream, group, consumer});
    if (unknown !== undefined) notes.note(unknown);
  }
}
