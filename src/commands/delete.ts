import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags, dryRunFlag, streamFlag, writeFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {unlessDenied} from '../lib/errors.js';
import {Deleter} from '../lib/groups/named-entries.js';
import {neededEntries} from '../lib/groups/needed-entries.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {counted} from '../lib/output/sentences.js';
import {describeDeleteCount, renderDeleteCounts} from '../lib/output/views/id-counts-view.js';
import {askDelete} from '../lib/output/views/loss-view.js';
import {notAllFound} from '../lib/reading/lookup.js';

export default class Delete extends BaseCommand {
  static override writes = true;
  static override summary = 'Delete single entries by ID (XDEL).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input. A record ' +
    'names its own stream; if you type --stream, a record of another one is refused (exit code 65). If an entry ' +
    'does not exist, the others are still deleted and the exit code is 66. An entry that is pending in a group ' +
    'stays in its pending list until it is acknowledged. At a terminal you are asked before entries are deleted that ' +
    'a group has not read and acknowledged.';
  static override examples = [
    {description: 'Delete one entry', command: '<%= config.bin %> delete 1526919030474-55'},
    {
      description: 'See which entries of type test would be deleted',
      command:
        '<%= config.bin %> range start @-30d | jq -c \'select(.fields.type == "test")\' | <%= config.bin %> delete --dry-run',
    },
  ];
  static override args = {...idsArgument};
  static override flags = {
    ...streamFlag,
    force: Flags.boolean({summary: 'do not ask about entries that groups still need'}),
    ...dryRunFlag,
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Delete);
    const {stream, 'dry-run': dryRun} = flags;
    const notes = this.notes(flags);
    const typed = typedTargets(flags, raw);
    const open = () => openIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, notes, typed});
    const references = open();
    let client = await this.connect(flags);
    if (this.asks(flags)) {
      const needed = await unlessDenied(neededEntries(client, open(), stream));
      if (needed?.length !== 0)
        client = await this.confirm(flags, client, {
          question: askDelete(needed),
          streams: needed?.map((one) => one.stream) ?? [stream],
          nothing: 'nothing was deleted',
        });
    }
    const deleter = new Deleter(client, {stream, dryRun});

    try {
      for await (const batch of references) await deleter.delete(batch);
    } catch (error) {
      for (const count of deleter.counts) notes.note(`before it failed: ${describeDeleteCount(count, dryRun)}`);
      throw error;
    }
    const {counts} = deleter;
    if (counts.length === 0) notes.note('nothing to delete');
    const findings = counts.map((count) => ({...count, dryRun}));
    await this.report(flags, JSON_FIELDS.delete, findings, (display) => renderDeleteCounts(counts, dryRun, display));
    const missing = counts.reduce((sum, count) => sum + count.missing, 0);
    const deleted = counts.reduce((sum, count) => sum + count.deleted, 0);
    if (!dryRun)
      notes.sumUp(`deleted ${counted(deleted, 'entry')}${missing > 0 ? `, ${missing} not found` : ''}`, undefined);
    const empty = counts.filter((count) => count.deleted === 0).map((count) => count.stream);
    if (missing > 0) throw await notAllFound(client, empty, missing, missing + deleted);
  }
}
