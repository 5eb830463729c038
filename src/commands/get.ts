import {BaseCommand} from '../lib/cli/base-command.js';
import {conditionFlags, fieldFlags, fieldShape, recordFilter} from '../lib/cli/filter-flags.js';
import {connectionFlags, recordFlags, streamFlag} from '../lib/cli/flags.js';
import {idsArgument, openIds, typedTargets} from '../lib/cli/id-input.js';
import {Search} from '../lib/filter/search.js';
import {SearchNotes} from '../lib/output/search-notes.js';
import {lookUp, notAllFound} from '../lib/reading/lookup.js';
import {untilStopped} from '../lib/reading/until-stopped.js';

export default class Get extends BaseCommand {
  static override summary = 'Print single entries by ID (XRANGE id id).';
  static override description =
    'Takes IDs, or records as other commands print them, from the arguments or from standard input, and keeps ' +
    'their order. A record names its own stream; if you type --stream, a record of another one is refused (exit ' +
    'code 65). If an entry does not exist, the others are still printed and the exit code is 66. ' +
    'On a terminal, each field has lines of its own, with JSON indented, and nothing is cut.';
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
  static override flags = {...streamFlag, ...conditionFlags, ...connectionFlags, ...recordFlags, ...fieldFlags};

  async run(): Promise<void> {
    const {args, flags, raw} = await this.parse(Get);
    const notes = this.notes(flags);
    const typed = typedTargets(flags, raw);
    const references = openIds(args.ids, {piped: this.pipedInput, stopping: this.stopping, notes, typed});
    const filter = recordFilter(flags);
    const pretty = flags.pretty || this.shapeOf(flags) === 'table';
    const writer = await this.recordWriter(flags, this.out, {fields: fieldShape(flags), pretty});
    const client = await this.connect(flags);
    const search = new Search({filter});
    let missing = 0;
    const empty = new Set<string>();
    const onMissing = (stream: string, id: string): void => {
      missing += 1;
      empty.add(stream);
      notes.note(`no entry ${id} on stream "${stream}"`);
    };

    const found = lookUp(client, references, {stream: flags.stream, onMissing});
    for await (const records of search.of(untilStopped(found, client, this.stopping))) {
      for (const {stream} of records) empty.delete(stream);
      await writer.write(records);
    }
    if (missing + search.scanned === 0) notes.note('nothing to get');
    else new SearchNotes(notes).printed(search);
    if (missing > 0) throw await notAllFound(client, empty, missing, missing + search.scanned);
  }
}
