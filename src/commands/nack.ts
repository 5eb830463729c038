import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags, groupFlag, name, streamFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {Releaser} from '../lib/groups/giving-back.js';
import {describeGiveBackCount, renderGiveBackCounts} from '../lib/output/views/nack-view.js';

export default class Nack extends BaseCommand {
  static override summary = 'Give pending entries back, for others to take at once (XNACK, or XCLAIM).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input. The entries stay ' +
    'pending, their counts of deliveries stay as they are, and the next consume --claim takes them without waiting for ' +
    'them to idle. A record that names a consumer is given back only while that one still has it and it was not ' +
    'delivered again since. Where --stream, --group or --consumer is typed, a record of another is refused (65).';
  static override examples = [
    '<%= config.bin %> nack 1526919030474-55',
    '<%= config.bin %> pending --details --consumer w1 | <%= config.bin %> nack',
  ];
  static override args = {...idsArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    consumer: name({summary: 'only what this consumer has, where a record does not say'}),
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Nack);
    const {stream, group, consumer} = flags;
    const notes = this.notes(flags);
    const typed = typedTargets(flags, raw);
    const references = openIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, typed});
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
    }
    if (counts.length === 0) notes.note('there was nothing to give back');
    await this.report(flags, counts, (colors) => renderGiveBackCounts(counts, colors));
  }
}
