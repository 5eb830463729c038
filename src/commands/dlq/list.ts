import {BaseCommand} from '../../lib/cli/base-command.js';
import {betweenFlags, conditionFlags, recordFilter} from '../../lib/cli/filter-flags.js';
import {name} from '../../lib/cli/flag-values.js';
import {commonFlags, connectionFlags} from '../../lib/cli/flags.js';
import {streamArgument} from '../../lib/cli/positional-flags.js';
import {deadLetterNames, listDeadLetters} from '../../lib/dead-letters/dead-letter-list.js';
import {deadLetterStream} from '../../lib/dead-letters/dead-letter-origin.js';
import {usageError} from '../../lib/errors.js';
import {JSON_FIELDS} from '../../lib/output/json-fields.js';
import {renderDeadLetters} from '../../lib/output/views/dead-letter-view.js';
import {untilStopped} from '../../lib/reading/until-stopped.js';

export default class DlqList extends BaseCommand {
  static override summary = 'List dead letter streams: how many entries, how old, and why they failed (SCAN, XRANGE).';
  static override description =
    'Lists all streams whose names end in :dead, as consume names them, or the one of --stream. Reads all of ' +
    'their entries.';
  static override examples = [
    {description: 'List all dead letters', command: '<%= config.bin %> dlq list'},
    {
      description: 'Count the causes for one stream',
      command: "<%= config.bin %> dlq list orders --json | jq '.causes[] | {group, reason, count}'",
    },
  ];
  static override args = {...streamArgument};
  static override flags = {
    stream: name({char: 's', summary: 'only the dead letters of this stream'}),
    'dead-letter': name({exclusive: ['stream'], summary: 'only this dead letter stream'}),
    ...betweenFlags,
    ...conditionFlags,
    ...connectionFlags,
    ...commonFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(DlqList);
    const named = namedIn(flags);
    const filter = recordFilter(flags);
    const client = await this.connect(flags);
    const table = this.shapeOf(flags) === 'table';
    let found = 0;
    await this.beginReport(flags, JSON_FIELDS['dlq list']);
    const summaries = listDeadLetters(client, named ?? deadLetterNames(client), {now: Date.now, filter, ...flags});
    for await (const summary of untilStopped(summaries, client, this.stopping)) {
      if (summary.entries === 0 && named === undefined) continue;
      const gap = table && found > 0 ? '\n' : '';
      found += 1;
      await this.report(
        flags,
        JSON_FIELDS['dlq list'],
        [summary],
        (display) => gap + renderDeadLetters(summary, display),
      );
    }
    if (found === 0 && !this.stopping.aborted) this.notes(flags).note('no dead letters');
  }
}

/** Undefined where all are meant. */
function namedIn({stream, 'dead-letter': deadLetter}: {stream?: string; 'dead-letter'?: string}): string[] | undefined {
  if (deadLetter !== undefined) {
    // "exclusive" compares flags alone, and the stream may have been given by position.
    if (stream !== undefined) throw usageError('give --stream or --dead-letter, not both');
    return [deadLetter];
  }
  return stream === undefined ? undefined : [deadLetterStream(stream)];
}
