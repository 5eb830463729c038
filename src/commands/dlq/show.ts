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
import {fieldFlags, fieldShape} from '../../lib/cli/filter-flags.js';
import {connectionFlags, recordFlags} from '../../lib/cli/flags.js';
import {deadLettersMissing, selectDeadLetters} from '../../lib/dead-letters/selection.js';
import {DeadLetterWriter} from '../../lib/output/views/dead-letter-view.js';
import {untilStopped} from '../../lib/reading/until-stopped.js';

export default class DlqShow extends BaseCommand {
  static override summary = 'Show dead letters: their fields, where they came from and why they failed (XRANGE).';
  static override description =
    'On a terminal, one line for each; in a pipe, records whose _dlq_ fields hold the stream, group, ID, ' +
    'consumer, delivery count, reason and time. _dlq_deaths counts how often an entry has failed after it was put ' +
    'back.';
  static override examples = [
    {description: 'Show all dead letters', command: '<%= config.bin %> dlq show'},
    {
      description: 'Show ten that failed for one reason',
      command: "<%= config.bin %> dlq show --stream orders --where '_dlq_reason=exit code 65' --limit 10",
    },
    {
      description: 'Put back what passes a filter',
      command: '<%= config.bin %> dlq show | jq -c \'select(.fields.amount == "0")\' | <%= config.bin %> dlq redrive -',
    },
  ];
  static override args = {...deadIdsArgument};
  static override flags = {...deadLetterFlags, ...selectionFlags, ...connectionFlags, ...recordFlags, ...fieldFlags};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(DlqShow);
    const deadLetter = chosenDeadLetter(flags);
    const notes = this.notes(flags);
    const {said, selection} = selectionOf(flags, notes);
    const writer = new DeadLetterWriter(this.out, {...this.recordStyle(flags), fields: fieldShape(flags)});
    const ids = openDeadIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, notes});
    const client = await this.connect(flags);
    const missing: string[] = [];
    const selected = selectDeadLetters(client, deadLetter, {
      ...selection,
      ids,
      onMissing: (id) => missing.push(id),
    });

    let shown = 0;
    for await (const page of untilStopped(selected, client, this.stopping)) {
      shown += page.length;
      await writer.write(page);
    }
    said.printed(selection.search);
    if (shown === 0 && ids === undefined) {
      notes.note(`no matching dead letters in "${deadLetter}"`);
      await sayNoOrigin(client, flags, notes);
    }
    if (missing.length > 0) throw deadLettersMissing(missing, deadLetter);
  }
}
