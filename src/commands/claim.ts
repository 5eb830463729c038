import {Args, Flags} from '@oclif/core';
import {Claimer, describeClaim, entriesOf, namedEntries} from '../lib/claiming.js';
import {BaseCommand} from '../lib/cli/base-command.js';
import {
  connectionFlags,
  dryRunFlag,
  duration,
  groupFlag,
  recordFlags,
  streamFlag,
  wholeNumber,
} from '../lib/cli/flags.js';
import {openIds} from '../lib/cli/id-input.js';
import {usageError} from '../lib/errors.js';

export default class Claim extends BaseCommand {
  static override summary = 'Take pending entries over for another consumer (XCLAIM).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input; or, with --from, ' +
    'all that a consumer has pending. Prints the claimed entries; standard error says how many were not claimed and why.';
  static override examples = [
    '<%= config.bin %> claim 1526919030474-55 --to w2',
    '<%= config.bin %> claim --from w1 --to w2 --min-idle 30s',
    '<%= config.bin %> pending --details --idle 1h | <%= config.bin %> claim --to w2',
  ];
  static override args = {
    ids: Args.string({
      ignoreStdin: true,
      multiple: true,
      description: 'IDs or records; without any, they are read from standard input, one a line',
    }),
  };
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    to: Flags.string({required: true, helpValue: 'NAME', summary: 'the consumer that gets the entries'}),
    from: Flags.string({helpValue: 'NAME', summary: 'all that this consumer has pending, in place of IDs'}),
    'min-idle': duration({
      default: 0,
      defaultHelp: async () => '0ms',
      summary: 'leave what was delivered more recently',
    }),
    count: wholeNumber({char: 'n', min: 1, dependsOn: ['from'], summary: 'at most this many entries of --from'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...recordFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Claim);
    const {
      stream,
      group,
      from,
      count = Number.POSITIVE_INFINITY,
      'min-idle': minIdleMs,
      'dry-run': dryRun = false,
    } = flags;
    if (from !== undefined && args.ids !== undefined) throw usageError('give IDs or --from, not both');
    const notes = this.notes(flags);
    const writer = this.recordWriter(flags);
    const input = {piped: this.pipedInput, stopping: this.stopping};
    const references = from === undefined ? openIds(args.ids, input) : undefined;

    const client = await this.connect(flags);
    const batches =
      references === undefined
        ? entriesOf(client, {stream, group, consumer: from!}, minIdleMs, count)
        : namedEntries(references, {stream, group}, minIdleMs);
    const claimer = new Claimer(client, flags.to, dryRun);
    try {
      for await (const batch of batches) {
        await writer.write(await claimer.claim(batch));
        if (this.stopping.aborted) return;
      }
    } finally {
      notes.note(describeClaim(claimer.counts, flags.to, dryRun));
    }
  }
}
