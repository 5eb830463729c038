import {Flags} from '@oclif/core';
import {BaseCommand} from '../lib/cli/base-command.js';
import {
  connectionFlags,
  duration,
  durationOrOff,
  groupFlag,
  position,
  recordFlags,
  streamsFlag,
  wholeNumber,
} from '../lib/cli/flags.js';
import {consumeStreams} from '../lib/consume-streams.js';
import type {Position} from '../lib/position.js';
import {FIRST_ID} from '../lib/stream-id.js';

const fromStart: Position = {kind: 'id', id: FIRST_ID};

export default class Consume extends BaseCommand {
  static override summary = 'Read a stream as a member of a consumer group (XREADGROUP, XAUTOCLAIM, XACK).';
  static override description =
    'First its own pending entries, then those of consumers that went silent, then new ones. An entry is acknowledged ' +
    'once standard output has taken it; whatever ends the program before that leaves it pending, to be delivered again.';
  static override examples = [
    '<%= config.bin %> consume --name w1 | jq .fields',
    '<%= config.bin %> consume --stream orders --group billing --name w1 --exit',
    "<%= config.bin %> consume --name w1 --count 5 --format '%o %f{type}\\n'",
    '<%= config.bin %> consume --name w1 --ack none --exit | grep login | <%= config.bin %> ack',
  ];
  static override flags = {
    ...streamsFlag,
    ...groupFlag,
    name: Flags.string({
      helpValue: 'NAME',
      summary: 'the consumer; a restart with the same name finishes its backlog [default: host-pid]',
    }),
    from: position({default: fromStart, defaultHelp: async () => 'start', summary: 'where a new group begins'}),
    'no-create': Flags.boolean({summary: 'fail when the stream or the group is missing'}),
    claim: durationOrOff({
      default: 60_000,
      defaultHelp: async () => '60s',
      summary: 'take over entries that another consumer has had for longer',
    }),
    count: wholeNumber({char: 'n', min: 1, summary: 'stop after this many records'}),
    exit: Flags.boolean({summary: 'stop when nothing is left to read'}),
    wait: duration({exclusive: ['exit'], summary: 'stop after this long without a record'}),
    batch: wholeNumber({min: 1, default: 100, summary: 'entries a read at most'}),
    ack: Flags.option({
      options: ['written', 'none'] as const,
      default: 'written' as const,
      summary: 'acknowledge what was written, or leave that to "streamlog ack"',
    })(),
    'no-ack': Flags.boolean({exclusive: ['ack'], summary: 'at-most-once: entries never become pending (NOACK)'}),
    ...connectionFlags,
    ...recordFlags,
  };

  async run(): Promise<void> {
    const {flags} = await this.parse(Consume);
    const notes = this.notes(flags);
    const out = await this.watchedOut();
    const writer = this.recordWriter(flags, out);
    const client = await this.connect(flags);
    const counts = {written: 0, acknowledged: 0, gone: 0};

    const batches = consumeStreams(client, {
      streams: [...new Set(flags.stream)],
      group: flags.group,
      consumer: flags.name ?? this.processName,
      from: flags.from,
      create: !flags['no-create'],
      claimIdleMs: flags.claim === 'off' ? undefined : flags.claim,
      batch: flags.batch,
      noAck: flags['no-ack'],
      stopWhenEmpty: flags.exit,
      limit: flags.count ?? Number.POSITIVE_INFINITY,
      silenceMs: flags.wait,
      stopping: this.stopping,
      onIdle: () => out.check(),
      onGone: (count) => {
        counts.gone += count;
      },
    });
    try {
      for await (const batch of batches) {
        await writer.write(batch);
        counts.written += batch.length;
        if (flags.ack === 'none' || flags['no-ack']) continue;
        // Acknowledged last: an entry that nobody took stays pending, and a crash before this line repeats the batch.
        const ids = batch.map(({id}) => id);
        counts.acknowledged += await client.acknowledge(batch[0]!.stream, flags.group, ids);
      }
    } finally {
      notes.detail(`written ${counts.written}, acknowledged ${counts.acknowledged}`);
      if (counts.gone > 0)
        notes.warn(
          `${counts.gone} pending entries were no longer in the stream, trimmed or deleted before they were consumed`,
        );
    }
  }
}
