import {Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {commonFlags, connectionFlags, groupFlag, position, streamFlag} from '../../lib/cli/flags.js';
import {groupArgument} from '../../lib/cli/positional-flags.js';
import {createGroupAt} from '../../lib/groups/group-position.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';
import {describeBeyondEnd} from '../../lib/output/views/group-view.js';
import type {Position} from '../../lib/records/position.js';
import {FIRST_ID} from '../../lib/records/stream-id.js';

const fromStart: Position = {kind: 'id', id: FIRST_ID};

export default class GroupCreate extends BaseCommand {
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
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(GroupCreate);
    const {stream, group, from, 'no-create': noCreate} = flags;
    const client = await this.connect(flags);

    const options = {makeStream: !noCreate, nowMs: Date.now()};
    const {created, lastDeliveredId, beyondEnd} = await createGroupAt(client, stream, group, from, options);

    const notes = this.notes(flags);
    if (!created) notes.note(`group "${group}" already exists on stream "${stream}", at ${lastDeliveredId}`);
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
  }
}
