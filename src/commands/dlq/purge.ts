import {Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {
  chosenDeadLetter,
  deadIdsArgument,
  deadLetterFlags,
  openDeadIds,
  selectionFlags,
} from '../../lib/cli/dlq-flags.js';
import {commonFlags, connectionFlags, dryRunFlag, duration} from '../../lib/cli/flags.js';
import {deadLettersMissing, Purger, selectDeadLetters} from '../../lib/dead-letters/selection.js';
import {usageError} from '../../lib/errors.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class DlqPurge extends BaseCommand {
  static override summary = 'Delete dead letters for good (XDEL).';
  static override description =
    'Select them by ID, --older-than, --where or --limit, or delete all of them with --force.';
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
    force: Flags.boolean({summary: 'delete all of them'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(DlqPurge);
    const {where = [], limit = Number.POSITIVE_INFINITY, 'older-than': olderThanMs, 'dry-run': dryRun = false} = flags;
    const deadLetter = chosenDeadLetter(flags);
    const {stopping} = this;
    const ids = openDeadIds(args.ids, {piped: this.pipedInput, stopping});
    const limited = ids !== undefined || where.length > 0 || flags.limit !== undefined || olderThanMs !== undefined;
    if (!limited && !flags.force && !dryRun) {
      throw usageError(`all dead letters of "${deadLetter}" would be deleted`, 'say which ones, or give --force');
    }
    const client = await this.connect(flags);
    const purger = new Purger(client, {deadLetter, dryRun, stopping});
    const missing: string[] = [];
    const beforeMs = olderThanMs === undefined ? undefined : Date.now() - olderThanMs;
    const selection = {where, limit, ids, beforeMs, onMissing: (id: string) => missing.push(id)};

    try {
      await purger.purge(selectDeadLetters(client, deadLetter, selection));
    } catch (error) {
      this.notes(flags).note(`before it failed: ${purger.purged} deleted`);
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
    if (missing.length > 0) throw deadLettersMissing(missing, deadLetter);
  }
}
