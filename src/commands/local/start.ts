import {BaseCommand} from '../../lib/cli/base-command.js';
import {contextStateFile} from '../../lib/cli/configuration.js';
import {environment, stateDirectory} from '../../lib/cli/environment.js';
import {commonFlags} from '../../lib/cli/flags.js';
import {withLockFile} from '../../lib/cli/lock-file.js';
import {serverProgram} from '../../lib/cli/server-program.js';
import {readContextState} from '../../lib/config/context-state.js';
import {launch, makeRoom} from '../../lib/local/launch.js';
import {localPaths, reportLocalServer} from '../../lib/local/local-server.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderLocalServer} from '../../lib/output/views/local-view.js';

export default class LocalStart extends BaseCommand {
  static override summary = 'Start a private Redis server, unless it is running.';
  static override description =
    'Runs the redis-server or valkey-server on your path, on a unix socket that only you can open, with an ' +
    'append-only file, so that its data outlives a restart. While it runs, every command uses it, unless --url, ' +
    'a context, STREAMLOG_URL or REDIS_URL names another. Its files are in $XDG_STATE_HOME/streamlog/local (by default under ' +
    '~/.local/state).';
  static override examples = [
    {description: 'Start the server', command: '<%= config.bin %> local start'},
    {description: 'Print its URL', command: '<%= config.bin %> local start --json | jq -r .url'},
  ];
  static override flags = {...commonFlags};

  async run(): Promise<void> {
    const {flags} = await this.parse(LocalStart);
    const notes = this.notes(flags);
    const paths = localPaths(stateDirectory());
    makeRoom(paths);

    const started = await withLockFile(
      paths.lockFile,
      () => launch(paths, serverProgram),
      () => notes.status('waiting for another streamlog that starts or stops the private server; Ctrl-C ends'),
    );

    const {STREAMLOG_URL, REDIS_URL} = environment();
    if (!started) notes.note('the private server is already running');
    if ((STREAMLOG_URL ?? REDIS_URL) !== undefined) {
      notes.warn('commands will not use it while STREAMLOG_URL or REDIS_URL is set; they name another server');
    }
    const {current} = readContextState(contextStateFile());
    if (current !== undefined)
      notes.warn(`commands use the current context ${current}, not it; to change that: streamlog context use --none`);
    const report = reportLocalServer(paths);
    await this.report(flags, JSON_FIELDS['local start'], [{started, ...report}], (display) =>
      renderLocalServer(report, display),
    );
  }
}
