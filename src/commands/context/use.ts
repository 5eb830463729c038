import {Args, Flags} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {indexOf} from '../../lib/cli/command-index.js';
import {ContextStore} from '../../lib/cli/context-store.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {usageError} from '../../lib/errors.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class ContextUse extends BaseCommand {
  static override summary = 'Make a context the current one.';
  static override description =
    'Later commands use its server, unless a flag, a variable or a project file names another. - is the context before, as with cd. ' +
    'The name is kept in $XDG_STATE_HOME/streamlog/context, not in the configuration.';
  static override usage = ['context use NAME', 'context use -', 'context use --none'];
  static override examples = [
    {description: 'Use a context', command: '<%= config.bin %> context use prod'},
    {description: 'Go back to the one before', command: '<%= config.bin %> context use -'},
    {description: 'Use none', command: '<%= config.bin %> context use --none'},
  ];
  static override args = {
    name: Args.string({ignoreStdin: true, description: 'the context, or - for the one before'}),
  };
  static override flags = {none: Flags.boolean({summary: 'use no context'}), ...commonFlags};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(ContextUse);
    const {name} = args;
    if ((name === undefined) !== (flags.none === true))
      throw usageError('give the name of a context, or --none', 'see: streamlog context list');
    const store = await ContextStore.open(indexOf(this.config), this.fileReading(flags));
    const {current: context = null, previous = null} = await store.use(name);
    await this.report(flags, JSON_FIELDS['context use'], [{context, previous}], (display) =>
      renderFacts(
        [
          ['current context', context ?? 'none'],
          ['before', previous ?? 'none'],
        ],
        display,
      ),
    );
  }
}
