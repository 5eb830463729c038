/**
 * Cuts records into batches of which each adds its records once. Records of a
 * producer are numbered from 1 in the order of its input, across its runs.
 * Invariant: what the stream has of this producer is not sent.
 */
import {StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import type {Accumulator} from './accumulator.js';
import type {AddConnection} from './add-connection.js';
import type {AddRequest} from './args.js';
import type {Batch, BatchContext} from './batch.js';
import {call, callText, commandBatch} from './command-batch.js';
import {IdempotentBatch} from './idempotent-batch.js';
import {producerForgotten, stateFailure, streamGone} from './idempotent-failures.js';
import {FORGOTTEN, GONE} from './producer-scripts.js';
import {
  IdempotentEncoder,
  loadScript,
  type ProducerState,
  readSequence,
  refreshTtl,
  removeState,
} from './producer-state.js';
import {MOST_FIELDS_IN_SCRIPT} from './script.js';
import {evictionWarning, MEMORY_COMMAND} from './server-commands.js';

/** All of `--atomic` is one script, during which Redis does nothing else. */
const ATOMIC_RECORDS = 100_000;
const ATOMIC_BYTES = 64 * 1024 ** 2;
const DAY_MS = 86_400_000;

/** The producer whose records are added once. */
export interface IdempotentProducer extends Omit<ProducerState, 'digest' | 'wantsIds'> {
  /** The producer ID, which `key` is made of. */
  readonly id: string;
  /** A later run may be of the same producer. */
  readonly isLasting: boolean;
  /** The ID of a record that an earlier run has added. */
  readonly lastId?: string | undefined;
}

export class IdempotentAccumulator implements Accumulator {
  readonly #stream: string;
  readonly producerId: string;
  readonly #state: ProducerState;
  readonly #isLasting: boolean;
  readonly #encoder: IdempotentEncoder;
  /** Batches whose IDs the server may still keep, oldest first. */
  readonly #batches: Batch[] = [];
  /** The number of the last record that was given to `add`. */
  #number = 0;
  #lastSequence: number | undefined;
  #confirmedByServer = 0;
  /** The last record known to be in the stream: its number, 0 for one of an earlier run, and its ID. */
  #last: {readonly number: number; readonly id: string} | undefined;
  #isForgotten = false;
  #hasBegun = false;
  #warning: string | undefined;

  constructor(stream: string, {id, isLasting, lastId, ...state}: IdempotentProducer, wantsIds: boolean) {
    this.#last = lastId === undefined ? undefined : {number: 0, id: lastId};
    this.producerId = id;
    this.#stream = stream;
    this.#state = {...state, digest: '', wantsIds};
    this.#isLasting = isLasting;
    this.#encoder = new IdempotentEncoder(stream, this.#state);
  }

  get records(): number {
    return this.#encoder.records;
  }

  get byteLength(): number {
    return this.#encoder.byteLength;
  }

  /** The number of the last record in the stream at the first connection; undefined when none ever was, as far as Redis knows. */
  get lastSequence(): number | undefined {
    return this.#lastSequence;
  }

  get confirmedByServer(): number {
    return this.#confirmedByServer;
  }

  /** Whether the server knew nothing of this producer at the first connection, though its stream has what an earlier run added. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  /** The ID of the last record that is known to be in the stream. */
  get lastId(): string | undefined {
    return this.#last?.id;
  }

  /** What the user should know about this server; undefined for most. */
  get warning(): string | undefined {
    return this.#warning;
  }

  /** Has the server load the script, and learns how far the stream has come. */
  async begin(connection: AddConnection): Promise<void> {
    const isFirst = !this.#hasBegun;
    try {
      const hello = isFirst
        ? readSequence(this.#stream, this.#state, this.lastId)
        : loadScript(this.#stream, this.#state.key, this.lastId);
      const answer = await call(connection, hello);
      if (answer === FORGOTTEN && !isFirst) throw producerForgotten(this.#last!.number);
      this.#isForgotten = answer === FORGOTTEN;
      const lastSequence = this.#isForgotten ? undefined : answer;
      if (isFirst) this.#lastSequence = lastSequence;
      if (lastSequence === GONE) throw streamGone(this.#stream);
      this.#confirmedByServer = lastSequence ?? 0;
      if (isFirst && this.#isLasting) this.#warning = await evictionOf(connection);
      this.#hasBegun = true;
      this.#keepAlive(connection);
    } catch (error) {
      throw stateFailure(error, this.#state.key);
    }
  }

  /** An input may pause for longer than an unused state stays. */
  #keepAlive(connection: AddConnection): void {
    const refreshing = setInterval(() => void call(connection, refreshTtl(this.#state)).catch(() => {}), DAY_MS);
    refreshing.unref();
    void connection.closed.then(() => clearInterval(refreshing));
  }

  /**
   * Removes the state where no later run needs it, or else what only this run
   * needed of it. Nothing is lost when that cannot be done: it expires.
   */
  async leave(connection: AddConnection): Promise<void> {
    const end = this.#isLasting ? readSequence(this.#stream, this.#state) : removeState(this.#state.key);
    await call(connection, end).catch(() => {});
  }

  /** So many records of this producer come before the first one that is given to `add`; below 0, so many of others. */
  startBehind(records: number): void {
    this.#number = records;
  }

  /** A transaction is all or nothing, so that only --atomic has others beside what needs one. */
  get mostFieldsTogether(): number | undefined {
    return this.#state.atomic ? undefined : MOST_FIELDS_IN_SCRIPT;
  }

  add(request: AddRequest): boolean {
    if (++this.#number <= (this.#lastSequence ?? 0)) return false;
    this.#encoder.add(request);
    if (this.#state.atomic && (this.records > ATOMIC_RECORDS || this.byteLength > ATOMIC_BYTES)) throw tooMuch();
    return true;
  }

  take(context: BatchContext): Batch {
    const known = this.#batches[0]?.open === 0 ? this.#batches.shift() : undefined;
    const added = this.#encoder.take(this.#number - this.#encoder.records + 1, known?.numbers?.first);
    const batch = new IdempotentBatch(added, context, (number, id) => {
      if (number >= (this.#last?.number ?? 0)) this.#last = {number, id};
    });
    if (this.#state.wantsIds) this.#batches.push(batch);
    return batch;
  }
}

/** A user who may not ask is not warned. */
async function evictionOf(connection: AddConnection): Promise<string | undefined> {
  const info = await callText(connection, commandBatch(MEMORY_COMMAND)).catch(() => undefined);
  return info && evictionWarning(info, 'what --exactly-once knows of earlier runs');
}

const tooMuch = (): StreamlogError =>
  new StreamlogError(
    'data',
    `--atomic takes at most ${withCommas(ATOMIC_RECORDS)} records and 64MB; nothing was added`,
    {
      hint: 'leave --atomic out; --exactly-once --resume adds a file of any size, once',
    },
  );
