import {BaseCommand} from '../../lib/cli/base-command.js';
import {indexOf} from '../../lib/cli/command-index.js';
import {editConfig} from '../../lib/cli/editor.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderFacts} from '../../lib/output/table.js';

export default class ContextEdit extends BaseCommand {
  static override summary = 'Edit the configuration with your editor ($VISUAL or $EDITOR).';
  static override description =
    'Edits a copy. It replaces the file once it is valid; otherwise the copy stays beside it, and the exit code is 78.';
  static override examples = [
    {description: 'Edit it', command: '<%= config.bin %> context edit'},
    {description: 'Edit it with another editor', command: 'EDITOR=nano <%= config.bin %> context edit'},
  ];
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(ContextEdit);
    const {file, changed} = await editConfig(indexOf(this.config), this.fileReading(flags));
    await this.report(flags, JSON_FIELDS['context edit'], [{file, changed}], (display) =>
      renderFacts([[changed ? 'changed' : 'not changed', file]], display),
    );
  }
}
