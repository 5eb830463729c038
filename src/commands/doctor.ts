import {BaseCommand} from '../lib/cli/base-command.js';
import {doctorFlags} from '../lib/cli/doctor-flags.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {requireStreams} from '../lib/cli/top-run.js';
import {Commands} from '../lib/doctor/commands.js';
import {type Diagnosis, diagnose} from '../lib/doctor/diagnosis.js';
import {isAtLeast} from '../lib/doctor/finding.js';
import {exitCodeOf} from '../lib/exit-codes.js';
import {JSON_FIELDS} from '../lib/output/json-fields.js';
import {
  describeDiagnosis,
  describeSkipped,
  failureOf,
  findingReport,
  kindReports,
  renderDiagnosis,
  renderKinds,
} from '../lib/output/views/doctor-view.js';

export default class Doctor extends BaseCommand {
  static override summary = 'Find what is wrong, and what to type against it (XINFO, XPENDING).';
  static override description =
    'Reads all streams and groups twice, two seconds apart, and names what hurts or will: what was seen, why it matters, and commands to ' +
    'paste: "look" shows more, "mend" changes something. It changes nothing itself. With streams, --match or --group, only those are looked ' +
    'at, and not the server.  --list says what it looks for, and from which limits on. No ' +
    'data of entries is printed without --payload. For ./worker, put your own program.';
  static override examples = [
    {description: 'Look at everything', command: '<%= config.bin %> doctor'},
    {description: 'Look at one stream and its groups', command: '<%= config.bin %> doctor orders'},
    {
      description: 'Look at all pending entries, for poison and ghosts',
      command: '<%= config.bin %> doctor --deep --only D05,D06',
    },
    {description: 'Stop a deployment where something is bad', command: '<%= config.bin %> doctor --fail-on bad'},
    {description: 'Print what to type', command: "<%= config.bin %> doctor --json | jq -r '.mend[]'"},
  ];
  static override args = {...streamsArgument};
  static override flags = doctorFlags;

  async run(): Promise<number> {
    const {flags} = await this.parse(Doctor);
    if (flags.list) {
      await this.report(flags, JSON_FIELDS['doctor --list'], kindReports(), (display) =>
        renderKinds(kindReports(), display),
      );
      return exitCodeOf('done');
    }
    const notes = this.notes(flags);
    const client = await this.connect(flags);
    const streams = flags.stream && [...new Set(flags.stream)];
    await requireStreams(client, streams ?? []);
    const words = await this.configured.printed(flags);
    let diagnosis: Diagnosis | undefined;
    try {
      diagnosis = await diagnose(client, {
        commands: new Commands(words, client.server),
        deadLetter: this.configured.deadLetter(flags),
        streams,
        match: flags.match,
        group: flags.group,
        only: flags.only && new Set(flags.only),
        isDeep: flags.deep,
        withPayload: flags.payload,
        stopping: this.stopping,
        onProgress: (text) => notes.progress(text),
      });
    } finally {
      notes.endProgress();
    }
    if (diagnosis === undefined) return exitCodeOf('done');
    const {findings} = diagnosis;
    await this.beginReport(flags, JSON_FIELDS.doctor);
    if (this.shapeOf(flags) === 'table') await this.out.write(renderDiagnosis(diagnosis, this.display));
    else await this.report(flags, JSON_FIELDS.doctor, findings.map(findingReport), () => '');
    for (const line of [...describeSkipped(diagnosis), ...diagnosis.unexamined]) notes.warn(line);
    const failure = failureOf(diagnosis);
    if (failure !== undefined) throw failure;
    if (this.shapeOf(flags) !== 'table') notes.sumUp(describeDiagnosis(diagnosis), undefined);
    if (words.lacksPassword && findings.length > 0)
      notes.status('the commands do not have the password of --url: put it into STREAMLOG_PASSWORD');
    if (diagnosis.snapshot.server.role === 'replica' && findings.length > 0)
      notes.status('the server is a replica: what mends has to go to its master');
    const least = flags['fail-on'];
    const fails = least !== undefined && findings.some(({level}) => isAtLeast(level, least));
    return exitCodeOf(fails ? 'temporary' : 'done');
  }
}
