import {BaseCommand} from '../../lib/cli/base-command.js';
import {
  chosenDeadLetter,
  deadIdsArgument,
  deadLetterFlags,
  openDeadIds,
  selectionFlags,
} from '../../lib/cli/dlq-flags.js';
import {connectionFlags, recordFlags} from '../../lib/cli/flags.js';
import {deadLettersMissing, selectDeadLetters} from '../../lib/dead-letters/selection.js';
import {DeadLetterWriter} from '../../lib/output/views/dead-letter-view.js';
import {untilStopped} from '../../lib/reading/until-stopped.js';

export default class DlqShow extends BaseCommand {
  static override summary = 'Show dead letters: what they hold, where they came from and why they died (XRANGE).';
  static override description =
    'On a terminal a line each; in a pipe records, whose _dlq_ fields say the stream, group, ID, consumer, deliveries, ' +
    'reason and time; _dlq_deaths counts, for an entry that was put back and died again.';
  static override examples = [
    '<%= config.bin %> dlq show',
    "<%= config.bin %> dlq show --stream orders --where '_dlq_reason=exit code 65' --limit 10",
    '<%= config.bin %> dlq show | jq -c \'select(.fields.amount == "0")\' | <%= config.bin %> dlq redrive -',
  ];
  static override args = {...deadIdsArgument};
  static override flags = {...deadLetterFlags, ...selectionFlags, ...connectionFlags, ...recordFlags};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(DlqShow);
    const {where = [], limit = Number.POSITIVE_INFINITY, format, json} = flags;
    const deadLetter = chosenDeadLetter(flags);
    const notes = this.notes(flags);
    const writer = new DeadLetterWriter(this.out, {format, json, terminal: this.outputIsTerminal, colors: this.colors});
    const ids = openDeadIds(args.ids, {piped: this.pipedInput, stopping: this.stopping});
    const client = await this.connect(flags);
    const missing: string[] = [];
    const selection = {where, limit, ids, onMissing: (id: string) => missing.push(id)};

    let shown = 0;
    for await (const page of untilStopped(selectDeadLetters(client, deadLetter, selection), client, this.stopping)) {
      shown += page.length;
      await writer.write(page.map((entry) => ({stream: deadLetter, ...entry})));
    }
    if (shown === 0 && ids === undefined) notes.note(`there are no such dead letters in "${deadLetter}"`);
    if (missing.length > 0) throw deadLettersMissing(missing, deadLetter);
  }
}
