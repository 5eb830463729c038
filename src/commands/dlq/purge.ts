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
  selectsSome,
} from '../../lib/cli/dlq-flags.js';
import {duration} from '../../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, writeFlag} from '../../lib/cli/flags.js';
import {askPurge, deadLettersMissing, Purger, selectDeadLetters} from '../../lib/dead-letters/selection.js';
import {usageError} from '../../lib/errors.js';
import {withCommas} from '../../lib/number-text.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {counted} from '../../lib/output/sentences.js';
import {renderFacts} from '../../lib/output/table.js';

export default class DlqPurge extends BaseCommand {
  static override writes = true;
  static override summary = 'Delete dead letters for good (XDEL).';
  static override description =
    'Select them by ID, --older-than, --where, --grep or --limit, or delete all of them with --force. At a terminal you ' +
    'are asked before, unless you give --force.';
  static override examples = [
    {description: 'Delete what failed more than a week ago', command: '<%= config.bin %> dlq purge --older-than 7d'},
    {
      description: 'See what would be deleted',
      command: "<%= config.bin %> dlq purge --stream orders --where '_dlq_reason=exit code 65' --dry-run",
    },
    {description: 'Delete all of them', command: '<%= config.bin %> dlq purge --stream orders --force'},
  ];
  static override args = {...deadIdsArgument};
  static override flags = {
    ...deadLetterFlags,
    'older-than': duration({summary: 'only entries that failed longer ago than this'}),
    ...selectionFlags,
    force: Flags.boolean({summary: 'do not ask, and delete all of them where none are selected'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(DlqPurge);
    const {'older-than': olderThanMs, 'dry-run': dryRun = false} = flags;
    const deadLetter = chosenDeadLetter(flags);
    const {stopping} = this;
    const openIds = () => openDeadIds(args.ids, {piped: this.pipedInput, stopping, notes: this.notes(flags)});
    const ids = openIds();
    const limited = ids !== undefined || selectsSome(flags) || olderThanMs !== undefined;
    if (!limited && !flags.force && !dryRun && !this.asks(flags)) {
      throw usageError(`all dead letters of "${deadLetter}" would be deleted`, 'say which ones, or give --force');
    }
    const notes = this.notes(flags);
    const {said, selection} = selectionOf(flags, notes);
    let client = await this.connect(flags);
    const missing: string[] = [];
    const beforeMs = olderThanMs === undefined ? undefined : Date.now() - olderThanMs;
    let agreed = {};
    if (this.asks(flags)) {
      const plan = new Purger(client, {deadLetter, dryRun: true, stopping});
      const planned = {...selectionOf(flags, notes).selection, ids: openIds(), beforeMs, onMissing: () => {}};
      await plan.purge(selectDeadLetters(client, deadLetter, planned));
      if (plan.purged > 0) {
        const question = askPurge(deadLetter, plan.purged, await client.length(deadLetter));
        const nothing = 'nothing was deleted';
        client = await this.confirm(flags, client, {question, streams: [deadLetter], nothing});
        agreed = {most: plan.purged, upTo: plan.highest};
      }
    }
    const purger = new Purger(client, {deadLetter, dryRun, stopping});
    const onMissing = (id: string): void => void missing.push(id);

    try {
      await purger.purge(selectDeadLetters(client, deadLetter, {...selection, ids, beforeMs, onMissing, ...agreed}));
      said.end(selection.search);
    } catch (error) {
      if (selection.search.scanned > 0) notes.note(`before it failed: ${purger.purged} deleted`);
      throw error;
    }
    const facts = {deadLetter, purged: purger.purged, left: await client.length(deadLetter), dryRun};
    await this.report(flags, JSON_FIELDS['dlq purge'], [facts], (display) =>
      renderFacts(
        [
          ['dead letters', deadLetter],
          [dryRun ? 'would delete' : 'deleted', facts.purged],
          ['left', facts.left],
        ],
        display,
      ),
    );
    if (facts.purged === 0) await sayNoOrigin(client, flags, notes);
    if (!dryRun)
      notes.sumUp(`deleted ${counted(facts.purged, 'dead letter')}; ${withCommas(facts.left)} left`, undefined);
    if (missing.length > 0) throw deadLettersMissing(missing, deadLetter);
  }
}
