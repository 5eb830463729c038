import {Args} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {indexOf} from '../../lib/cli/command-index.js';
import {ContextStore} from '../../lib/cli/context-store.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class ContextRemove extends BaseCommand {
  static override summary = 'Remove a context from the configuration.';
  static override description =
    'The rest of the file stays as it is, comments included. The server is not touched. If it was the current context, there is none then.';
  static override examples = [
    {description: 'Remove a context', command: '<%= config.bin %> context remove staging'},
    {
      description: 'Remove it, and print the name of the file',
      command: '<%= config.bin %> context remove old --json | jq -r .file',
    },
  ];
  static override args = {
    name: Args.string({required: true, ignoreStdin: true, description: 'the context'}),
  };
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(ContextRemove);
    const store = await ContextStore.open(indexOf(this.config), this.fileReading(flags));
    const {file, wasCurrent} = await store.remove(args.name);
    if (wasCurrent) this.notes(flags).note('it was the current context; there is none now');
    await this.report(flags, JSON_FIELDS['context remove'], [{context: args.name, file}], (display) =>
      renderFacts(
        [
          ['removed', args.name],
          ['file', file],
        ],
        display,
      ),
    );
  }
}
