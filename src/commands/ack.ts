import {BaseCommand} from '../lib/cli/base-command.js';
import {commonFlags, connectionFlags, groupFlag, streamFlag, writeFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {Acknowledger} from '../lib/groups/named-entries.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {describeAckCount, describeAllDone, renderAckCounts} from '../lib/output/views/id-counts-view.js';

export default class Ack extends BaseCommand {
  static override writes = true;
  static override summary = 'Acknowledge entries of a consumer group (XACK).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input, and ' +
    'acknowledges them as they arrive. A record names its own stream and group; if you type --stream or --group, ' +
    'a record of another one is refused (exit code 65). An entry that is not pending, or that another consumer ' +
    'now has, is counted and is not an error: acknowledging twice is harmless.';
  static override examples = [
    {description: 'Acknowledge one entry', command: '<%= config.bin %> ack 1526919030474-55'},
    {
      description: 'Acknowledge what passes a filter; the rest stays pending',
      command: '<%= config.bin %> consume --name w1 --ack none --exit | grep login | <%= config.bin %> ack',
    },
    {
      description: 'Acknowledge entries that were delivered more than five times',
      command: "<%= config.bin %> pending --details | jq -r 'select(.deliveries > 5).id' | <%= config.bin %> ack",
    },
  ];
  static override args = {...idsArgument};
  static override flags = {...streamFlag, ...groupFlag, ...connectionFlags, ...writeFlag, ...commonFlags};

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Ack);
    const {stream, group} = flags;
    const notes = this.notes(flags);
    const typed = typedTargets(flags, raw);
    const references = openIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, notes, typed});
    const acknowledger = new Acknowledger(await this.connect(flags), {stream, group});

    try {
      for await (const batch of references) await acknowledger.acknowledge(batch);
    } catch (error) {
      for (const count of acknowledger.counts) notes.note(`before it failed: ${describeAckCount(count)}`);
      throw error;
    }
    const {counts} = acknowledger;
    for (const count of counts) {
      if (count.notPending + count.withAnother > 0) notes.note(describeAckCount(count));
      else notes.sumUp(describeAllDone('acknowledged', count.acknowledged, count), undefined);
    }
    if (counts.length === 0) notes.note('nothing to acknowledge');
    await this.report(flags, JSON_FIELDS.ack, counts, (display) => renderAckCounts(counts, display));
  }
}
