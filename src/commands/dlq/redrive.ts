import {Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {
  chosenDeadLetter,
  deadIdsArgument,
  deadLetterFlags,
  openDeadIds,
  sayNoOrigin,
  selectionFlags,
  selectionOf,
} from '../../lib/cli/dlq-flags.js';
import {name, rate} from '../../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, writeFlag} from '../../lib/cli/flags.js';
import {describeRedrive, entriesForeign, entriesWithoutOrigin, Redriver} from '../../lib/dead-letters/redriving.js';
import {deadLettersMissing, selectDeadLetters} from '../../lib/dead-letters/selection.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderRedriven} from '../../lib/output/views/dead-letter-view.js';

export default class DlqRedrive extends BaseCommand {
  static override writes = true;
  static override summary = 'Put dead letters back into their streams (XADD and XDEL in one step).';
  static override description =
    'Each entry moves in one step, with all its fields and those that begin with _dlq_, and gets a new ID: it is ' +
    'always in exactly one of the two streams. Only entries that came from --stream go back, since their fields ' +
    'could name any other stream; --any-stream takes them all. What fails again meanwhile is left for the next ' +
    'run. In a cluster, --to must be in the same slot.';
  static override examples = [
    {description: 'Put everything back, 50 entries per second', command: '<%= config.bin %> dlq redrive --rate 50/s'},
    {
      description: 'See which ten entries would go back',
      command: '<%= config.bin %> dlq redrive --stream orders --where _dlq_group=billing --limit 10 --dry-run',
    },
    {
      description: 'Put one entry into another stream',
      command: '<%= config.bin %> dlq redrive 1526919030474-55 --to orders-by-hand',
    },
  ];
  static override args = {...deadIdsArgument};
  static override flags = {
    ...deadLetterFlags,
    'any-stream': Flags.boolean({
      default: false,
      summary: 'also put back entries of other streams, to the stream that their fields name',
    }),
    to: name({summary: 'put all of them into this stream'}),
    ...selectionFlags,
    rate: rate({summary: 'maximum rate'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(DlqRedrive);
    const {to, rate: ratePerSecond, 'dry-run': dryRun = false} = flags;
    const deadLetter = chosenDeadLetter(flags);
    const {stopping} = this;
    const notes = this.notes(flags);
    const ids = openDeadIds(args.ids, {piped: this.pipedInput, stopping, notes});
    const {said, selection} = selectionOf(flags, notes);
    const client = await this.connect(flags);
    const origin = flags['any-stream'] ? undefined : flags.stream;
    const redriver = new Redriver(client, {deadLetter, to, origin, ratePerSecond, dryRun, stopping});
    const missing: string[] = [];
    const selected = selectDeadLetters(client, deadLetter, {
      ...selection,
      ids,
      onMissing: (id) => missing.push(id),
    });

    await this.beginReport(flags, JSON_FIELDS['dlq redrive']);
    try {
      for await (const page of redriver.redrive(selected)) {
        await this.report(flags, JSON_FIELDS['dlq redrive'], page, (display) => renderRedriven(page, display));
      }
    } catch (error) {
      said.end(selection.search);
      if (selection.search.scanned > 0) notes.note(`before it failed: ${describeRedrive(redriver.counts, dryRun)}`);
      throw error;
    }
    said.end(selection.search);
    notes.note(describeRedrive(redriver.counts, dryRun));
    if (selection.search.scanned === 0) await sayNoOrigin(client, flags, notes);
    if (missing.length > 0) throw deadLettersMissing(missing, deadLetter);
    const {foreign} = redriver.counts;
    if (foreign > 0) throw entriesForeign(foreign, redriver.foreignStreams, flags.stream);
    if (redriver.counts.withoutOrigin > 0) throw entriesWithoutOrigin(redriver.counts.withoutOrigin);
  }
}
