import {BaseCommand} from '../../lib/cli/base-command.js';
import {stateDirectory} from '../../lib/cli/environment.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {StreamlogError} from '../../lib/errors.js';
import {localPaths, reportLocalServer} from '../../lib/local/local-server.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderLocalServer} from '../../lib/output/views/local-view.js';

export default class LocalStatus extends BaseCommand {
  static override summary = 'Show whether the private Redis server is running, and where its data is.';
  static override description = 'The exit code is 66 if it is not running.';
  static override examples = [
    {description: 'Show the server', command: '<%= config.bin %> local status'},
    {description: 'Print the name of its log file', command: '<%= config.bin %> local status --json | jq -r .logFile'},
  ];
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(LocalStatus);

    const report = reportLocalServer(localPaths(stateDirectory()));

    await this.report(flags, JSON_FIELDS['local status'], [report], (display) => renderLocalServer(report, display));
    if (!report.running) {
      throw new StreamlogError('notFound', 'the private server is not running', {hint: 'streamlog local start'});
    }
  }
}
