import {BaseCommand} from '../lib/cli/base-command.js';
import {connectionFlags, recordFlags, streamFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {lookUp, notAllFound} from '../lib/reading/lookup.js';
import {untilStopped} from '../lib/reading/until-stopped.js';

export default class Get extends BaseCommand {
  static override summary = 'Print single entries by ID (XRANGE id id).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input, and keeps ' +
    'their order. A record names its own stream; if you type --stream, a record of another one is refused (exit ' +
    'code 65). If an entry does not exist, the others are still printed and the exit code is 66.';
  static override examples = [
    {description: 'Print two entries', command: '<%= config.bin %> get 1526919030474-55 1526919030474-56'},
    {
      description: 'Write a field to a file, byte for byte',
      command: "<%= config.bin %> get 1526919030474-55 --format '%f{body}' > body.json",
    },
    {
      description: 'Print the fields of pending entries',
      command: '<%= config.bin %> pending --details | <%= config.bin %> get',
    },
  ];
  static override args = {...idsArgument};
  static override flags = {...streamFlag, ...connectionFlags, ...recordFlags};

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Get);
    const notes = this.notes(flags);
    const typed = typedTargets(flags, raw);
    const references = openIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, typed});
    const writer = this.recordWriter(flags);
    const client = await this.connect(flags);
    const counts = {found: 0, missing: 0};
    const empty = new Set<string>();
    const onMissing = (stream: string, id: string): void => {
      counts.missing += 1;
      empty.add(stream);
      notes.note(`no entry ${id} on stream "${stream}"`);
    };

    const found = lookUp(client, references, {stream: flags.stream, onMissing});
    for await (const records of untilStopped(found, client, this.stopping)) {
      counts.found += records.length;
      for (const {stream} of records) empty.delete(stream);
      await writer.write(records);
    }
    if (counts.missing + counts.found === 0) notes.note('nothing to get');
    if (counts.missing > 0) throw await notAllFound(client, empty, counts.missing, counts.missing + counts.found);
  }
}
