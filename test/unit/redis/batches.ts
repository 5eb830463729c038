/** Batches as a window sees them, and the connection as a batch sees it. */
import type {StreamlogError} from '../../../src/lib/errors.js';
import type {AddConnection, ReplyHandler} from '../../../src/lib/redis/add-connection.js';
import type {Batch, BatchContext} from '../../../src/lib/redis/batch.js';
import type {Durability} from '../../../src/lib/redis/durability.js';
import {IdLines} from '../../../src/lib/redis/id-lines.js';
import {PendingDurability} from '../../../src/lib/redis/pending-durability.js';

/** So many records, of which a test says by hand how many are open. */
export class CountedBatch implements Batch {
  open: number;
  readonly awaits = 0;
  readonly isBarrier = false;
  readonly foundGap = false;
  readonly numbers = undefined;

  constructor(
    records: number,
    readonly byteLength: number,
  ) {
    this.open = records;
  }

  send(): void {}
  reopen(): number {
    return 0;
  }
  text(): void {}
  integer(): void {}
  nil(): void {}
  refused(): void {}
  lost(): void {}
}

/** Keeps what is sent, until a test answers it. */
export class OpenWire {
  readonly sent: {bytes: Buffer; callback: ReplyHandler}[] = [];

  send(bytes: readonly Uint8Array[], taker: ReplyHandler): void {
    this.sent.push({bytes: Buffer.concat(bytes), callback: taker});
  }

  get connection(): AddConnection {
    return this as unknown as AddConnection;
  }
}

/** What batches have told of themselves, one line each. */
export class Told {
  readonly lines: string[] = [];
  /** Places in the batch. */
  readonly rejected: number[] = [];
  readonly context: BatchContext;
  /** That of the last answer. */
  failure: StreamlogError | undefined;
  /** Whether what is not safe may still become so. */
  mayWait = false;

  constructor(durability?: Durability) {
    const say = (line: string) => this.lines.push(line);
    this.context = {
      stream: 'events',
      durability,
      pending: durability && new PendingDurability(durability, () => this.mayWait),
      newIdLines: () => new IdLines('', '\n'),
      events: {
        added: (count, ids) => say(`added ${count}: ${String(ids).trim().replaceAll('\n', ' ')}`),
        rejected: (_, records, failure) => {
          this.rejected.push(...records);
          say(`rejected ${records.length}: ${codeOf(failure)}`);
        },
        overtaken: () => say('overtaken'),
        answered: (batch, failure) => {
          this.failure = failure;
          say(`answered, open ${batch.open}${failure ? `: ${codeOf(failure)}` : ''}`);
        },
        uncertain: (count) => say(`doubtful ${count}`),
      },
    };
  }
}

const codeOf = ({code, message}: StreamlogError): string => code ?? message;
