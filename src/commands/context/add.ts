import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {indexOf} from '../../lib/cli/command-index.js';
import {contextFlags, tableOf} from '../../lib/cli/context-flags.js';
import {ContextStore} from '../../lib/cli/context-store.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {ServerConnections} from '../../lib/cli/server-connections.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class ContextAdd extends BaseCommand {
  static override summary = 'Add a context: a server, under a name.';
  static override description =
    'Writes it to ~/.config/streamlog/config.toml, which only you can read. The rest of the file stays as it is, comments included. ' +
    'With --password-command, the password stays where it is: the command is run without a shell when the context is used.';
  static override examples = [
    {description: 'Add a server of this machine', command: '<%= config.bin %> context add dev --url localhost:6379'},
    {
      description: 'Add one of production, which is only looked at',
      command:
        "<%= config.bin %> context add live --url rediss://orders.example:6380 --username ops --password-command 'pass show redis/live' --readonly",
    },
    {
      description: 'Give it a stream and a group of its own',
      command: '<%= config.bin %> context add billing --url :6380 --stream orders --group billing',
    },
  ];
  static override args = {
    name: Args.string({required: true, ignoreStdin: true, description: 'its name'}),
  };
  static override flags = {
    ...contextFlags,
    force: Flags.boolean({summary: 'replace a context of this name'}),
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(ContextAdd);
    const store = await ContextStore.open(indexOf(this.config), this.fileReading(flags));
    const {table, notes} = tableOf(args.name, flags);
    await ServerConnections.checkUrl(flags.url);
    const {file, replaced} = await store.add(args.name, table, flags.force);
    for (const text of notes) this.notes(flags).note(text);
    await this.report(flags, JSON_FIELDS['context add'], [{context: args.name, file, replaced}], (display) =>
      renderFacts(
        [
          [replaced ? 'replaced' : 'added', args.name],
          ['file', file],
        ],
        display,
      ),
    );
  }
}
