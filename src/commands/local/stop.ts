import {BaseCommand} from '../../lib/cli/base-command.js';
import {stateDirectory} from '../../lib/cli/environment.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {shutDown} from '../../lib/local/launch.js';
import {localPaths, reportLocalServer} from '../../lib/local/local-server.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderLocalServer} from '../../lib/output/views/local-view.js';

export default class LocalStop extends BaseCommand {
  static override summary = 'Stop the private Redis server (SHUTDOWN); its data is there at the next start.';
  static override examples = [
    {description: 'Stop the server', command: '<%= config.bin %> local stop'},
    {
      description: 'Stop it, and print how large its data is',
      command: '<%= config.bin %> local stop --json | jq .bytes',
    },
  ];
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(LocalStop);
    const paths = localPaths(stateDirectory());

    const stopped = await shutDown(paths);

    if (!stopped) this.notes(flags).note('the private server was not running');
    const report = reportLocalServer(paths);
    await this.report(flags, JSON_FIELDS['local stop'], [{stopped, ...report}], (display) =>
      renderLocalServer(report, display),
    );
  }
}
