import {BaseCommand} from '../lib/cli/base-command.js';
import {name} from '../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, groupFlag, streamFlag, writeFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {Releaser} from '../lib/groups/named-entries.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {describeAllDone, describeGiveBackCount, renderGiveBackCounts} from '../lib/output/views/id-counts-view.js';

export default class Nack extends BaseCommand {
  static override writes = true;
  static override summary = 'Release pending entries, so that other consumers can take them now (XNACK, or XCLAIM).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input. The entries ' +
    'stay pending and keep their delivery counts; the next consume --claim takes them without waiting for them to ' +
    'idle. A record that names a consumer is released only while that consumer still has it and it was not ' +
    'delivered again meanwhile. If you type --stream, --group or --consumer, a record of another one is refused ' +
    '(exit code 65).';
  static override examples = [
    {description: 'Release one entry', command: '<%= config.bin %> nack 1526919030474-55'},
    {
      description: 'Release everything that consumer w1 has',
      command: '<%= config.bin %> pending --details --consumer w1 | <%= config.bin %> nack',
    },
  ];
  static override args = {...idsArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    consumer: name({summary: 'only entries that this consumer has; records name their own'}),
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Nack);
    const {stream, group, consumer} = flags;
    const notes = this.notes(flags);
    const typed = typedTargets(flags, raw);
    const references = openIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, notes, typed});
    const giver = new Releaser(await this.connect(flags), {stream, group, consumer});

    try {
      for await (const batch of references) await giver.giveBack(batch);
    } catch (error) {
      for (const count of giver.counts) notes.note(`before it failed: ${describeGiveBackCount(count)}`);
      throw error;
    }
    const {counts} = giver;
    for (const count of counts) {
      const {notPending, withAnother, deliveredAgain, gone} = count;
      if (notPending + withAnother + deliveredAgain + gone > 0) notes.note(describeGiveBackCount(count));
      else notes.sumUp(describeAllDone('released', count.givenBack, count), undefined);
    }
    if (counts.length === 0) notes.note('nothing to release');
    await this.report(flags, JSON_FIELDS.nack, counts, (display) => renderGiveBackCounts(counts, display));
  }
}
