import {BaseCommand} from '../lib/cli/base-command.js';
import {
  consumeFlags,
  describeUnused,
  describeWaiting,
  entryFilter,
  handlerPoolOptions,
  multiStreamOptions,
  removalAtEnd,
} from '../lib/cli/consume-flags.js';
import {fieldShape} from '../lib/cli/filter-flags.js';
import {typedText} from '../lib/cli/flags.js';
import {handlerProcess} from '../lib/cli/handler-process.js';
import {streamsArgument} from '../lib/cli/positional-flags.js';
import {ConsumeSummary} from '../lib/consume/consume-summary.js';
import {HandlerPool} from '../lib/consume/handler-pool.js';
import {JoinedGroups} from '../lib/consume/joined-groups.js';
import {MultiStreamConsumer} from '../lib/consume/multi-stream-consumer.js';
import {runHandler} from '../lib/handler/run-handler.js';
import {countedOrNone} from '../lib/output/sentences.js';
import {WaitingNote} from '../lib/output/waiting-note.js';

export default class Consume extends BaseCommand {
  static override writes = true;
  static override summary = 'Read a stream as a member of a consumer group (XREADGROUP, XCLAIM, XACK).';
  static override description =
    "Delivers the consumer's own pending entries first, then entries of consumers that have stopped working, then " +
    'new ones. An entry is acknowledged after standard output has taken it or, with --exec, after its handler has ' +
    'succeeded. If the program ends before that, the entry stays pending and is delivered again. While Redis is ' +
    'away, consume says so, waits and reconnects.';
  static override examples = [
    {description: 'Print entries as they come', command: '<%= config.bin %> consume --name w1 | jq .fields'},
    {
      description: 'Process what is there, then stop',
      command: '<%= config.bin %> consume orders --group billing --name w1 --exit',
    },
    {
      description: 'Print five entries in a format of your own',
      command: "<%= config.bin %> consume --name w1 --count 5 --format '%o %f{type}\\n'",
    },
    {
      description: 'Process what matches, and acknowledge the rest unseen',
      command: "<%= config.bin %> consume --name w1 --where 'type=login|logout' --others ack",
    },
    {
      description: 'Acknowledge only what has passed another program',
      command: '<%= config.bin %> consume --name w1 --ack none --exit | grep login | <%= config.bin %> ack',
    },
    {
      description: 'Run a handler for each entry, four at a time',
      command: "<%= config.bin %> consume --name w1 --exec 'jq -e .fields.user >/dev/null' -P 4 --exit",
    },
  ];
  static override args = {...streamsArgument};
  static override flags = consumeFlags;

  async run(): Promise<void> {
    const {flags, raw} = await this.parse(Consume);
    const {exec, drain: limitMs} = flags;
    const notes = this.notes(flags);
    const out = await this.watchedOut();
    const writer = await this.recordWriter(flags, out, {
      delivered: true,
      fields: fieldShape(flags),
      several: flags.stream.length > 1,
    });
    const filter = entryFilter(flags);
    const tally = new ConsumeSummary(notes, {isHandled: exec !== undefined});
    const consumer = flags.name ?? this.processName;
    const waiting = new WaitingNote(notes, describeWaiting(flags, consumer));
    const groups = new JoinedGroups(notes, flags.from, typedText('from', raw));
    const unused = describeUnused(flags, raw);
    if (unused !== undefined) notes.status(unused);
    this.drainWithin(limitMs);
    const consumption = new MultiStreamConsumer({
      ...multiStreamOptions(flags),
      filter,
      connect: await this.connector(flags),
      mayFailOver: this.mayFailOver(flags),
      consumer,
      stopping: this.stopping,
      onJoined: (joined, control) => {
        tally.hasJoined = true;
        void groups.joined(joined, control);
      },
      onIdle: () => {
        if (exec === undefined || consumption.inFlight === 0) waiting.idle();
        out.check();
      },
      onLost: (stream, id, loss) => tally.lost(stream, id, loss),
      onProblem: (line) => notes.warn(line),
    });
    try {
      if (exec === undefined) {
        this.sayFinishing(notes, () => countedOrNone(flags.ack === 'none' ? 0 : consumption.inFlight, 'entry'));
        for await (const delivery of consumption.deliveries()) {
          waiting.came();
          await writer.write(delivery.records);
          tally.written += delivery.records.length;
          // Last: what was not written stays pending, and a crash before this line repeats the batch.
          await delivery.consumer.finish(delivery);
        }
      } else {
        const handler = {...handlerProcess(out), command: exec, timeoutMs: flags['exec-timeout']};
        const pool = new HandlerPool(consumption, {
          ...handlerPoolOptions(flags),
          handle: (records, giveUp) => runHandler(records, handler, giveUp),
          onFailed: (record, reason, retryInMs) => tally.failed(record, reason, retryInMs),
          onDead: (record, reason) => tally.dead(record, reason),
        });
        this.sayFinishing(notes, () => countedOrNone(pool.atWork, 'entry'));
        await pool.work();
      }
    } finally {
      await consumption.close({limitMs, removal: removalAtEnd(flags)});
      tally.report(consumption.acknowledged, flags.ack !== 'none' && !flags['no-ack'], filter?.skipped);
    }
    if (flags['fail-on-trimmed']) tally.failOnGone();
  }
}
