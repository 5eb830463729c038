import {Args} from '@oclif/core';
import {BaseCommand} from '../../lib/cli/base-command.js';
import {indexOf} from '../../lib/cli/command-index.js';
import {ContextStore} from '../../lib/cli/context-store.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {settingsInUse} from '../../lib/cli/settings-in-use.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderSettings} from '../../lib/output/views/context-view.js';

export default class ContextShow extends BaseCommand {
  static override summary =
    'Show a context, or which server and settings commands use here, and where each comes from.';
  static override description =
    'With NAME, what commands would use with --context NAME; without, what they use as things are, in this directory. Passwords are never shown, only where they are.';
  static override examples = [
    {description: 'Show what commands use here', command: '<%= config.bin %> context show'},
    {description: 'Show a context', command: '<%= config.bin %> context show prod'},
    {
      description: 'Print where the address comes from',
      command: '<%= config.bin %> context show --json | jq -r \'select(.setting == "url").from\'',
    },
  ];
  static override args = {
    name: Args.string({ignoreStdin: true, description: 'the context'}),
  };
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {args, flags} = await this.parse(ContextShow);
    const store = await ContextStore.open(indexOf(this.config), this.fileReading(flags));
    const {settings, notes} = settingsInUse(store.config, args.name);
    for (const text of notes) this.notes(flags).note(text);
    await this.report(flags, JSON_FIELDS['context show'], settings, (display) => renderSettings(settings, display));
  }
}
