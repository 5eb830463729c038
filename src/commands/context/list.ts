import {BaseCommand} from '../../lib/cli/base-command.js';
import {indexOf} from '../../lib/cli/command-index.js';
import {ContextStore} from '../../lib/cli/context-store.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {contextSummary, renderContexts} from '../../lib/output/views/context-view.js';

export default class ContextList extends BaseCommand {
  static override summary = 'List the contexts: the servers that configuration names.';
  static override description =
    'The current context is marked with *. It is used where neither a flag, a variable nor a project file names a server.';
  static override examples = [
    {description: 'List all contexts', command: '<%= config.bin %> context list'},
    {description: 'Print their names', command: '<%= config.bin %> context list --json | jq -r .context'},
  ];
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(ContextList);
    const store = await ContextStore.open(indexOf(this.config), this.fileReading(flags));
    const {current} = store.state;
    const summaries = store.contexts.map((context) => contextSummary(context, current));
    if (summaries.length === 0) this.notes(flags).note('no contexts; add one: streamlog context add NAME --url URL');
    if (summaries.length === 0 && this.outputIsTerminal && !flags.json) return;
    await this.report(flags, JSON_FIELDS['context list'], summaries, (display) => renderContexts(summaries, display));
  }
}
