import {Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {position} from '../../lib/cli/flag-values.js';
import {commonFlags, connectionFlags, groupFlag, streamFlag, typedText, writeFlag} from '../../lib/cli/flags.js';
import {groupArgument} from '../../lib/cli/positional-flags.js';
import {createGroupAt, seekCommand} from '../../lib/groups/group-position.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';
import {describeBeyondEnd} from '../../lib/output/views/group-view.js';
import {meantStream} from '../../lib/reading/known-names.js';
import type {Position} from '../../lib/records/position.js';
import {FIRST_ID} from '../../lib/records/stream-id.js';

const fromStart: Position = {kind: 'id', id: FIRST_ID};

export default class GroupCreate extends BaseCommand {
  static override writes = true;
  static override summary = 'Create a consumer group, and its stream if it does not exist (XGROUP CREATE).';
  static override description =
    'A group that exists stays as it is, which is not an error: standard error says so, and in JSON "created" is ' +
    'false. To move it, use group seek.';
  static override examples = [
    {description: 'Create the default group', command: '<%= config.bin %> group create'},
    {
      description: 'Create a group that gets new entries only',
      command: '<%= config.bin %> group create billing --stream orders --from end',
    },
    {
      description: 'Create a group that starts an hour ago, on a stream that exists',
      command: '<%= config.bin %> group create audit --from @-1h --no-create',
    },
  ];
  static override args = {...groupArgument};
  static override flags = {
    ...streamFlag,
    ...groupFlag,
    from: position({
      default: fromStart,
      defaultHelp: async () => 'start',
      summary: 'first entry that the group gets',
    }),
    'no-create': Flags.boolean({summary: 'fail if the stream does not exist'}),
    ...connectionFlags,
    ...writeFlag,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags, raw} = await this.parse(GroupCreate);
    const {stream, group, from, 'no-create': noCreate} = flags;
    const client = await this.connect(flags);

    const options = {makeStream: !noCreate, nowMs: Date.now()};
    const {created, madeStream, lastDeliveredId, beyondEnd} = await createGroupAt(client, stream, group, from, options);

    const notes = this.notes(flags);
    const typedFrom = notes.isShown ? typedText('from', raw) : undefined;
    const move = typedFrom === undefined ? '' : `; to move it: ${seekCommand(group, stream, typedFrom)}`;
    if (!created) notes.note(`group "${group}" already exists on stream "${stream}", at ${lastDeliveredId}${move}`);
    if (beyondEnd) notes.warn(describeBeyondEnd(group, stream, lastDeliveredId));
    await this.report(flags, JSON_FIELDS['group create'], [{stream, group, created, lastDeliveredId}], (display) =>
      renderFacts(
        [
          ['stream', stream],
          ['group', group],
          ['created', created ? 'yes' : 'no, it already exists'],
          ['last delivered', lastDeliveredId],
        ],
        display,
      ),
    );
    if (!notes.isShown || !created) return;
    if (madeStream) notes.status(`created stream ${stream} and group ${group}${await meantStream(client, stream)}`);
    else notes.status(`created group ${group} on ${stream}, after ${lastDeliveredId}`);
  }
}
