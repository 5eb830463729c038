/**
 * Opens what `produce` adds an input with: the producer, its checkpoint, and
 * where in the input to begin. Invariant: what an earlier run of the same
 * checkpoint or producer has added is not added again, as far as either can know.
 */
import {randomBytes} from 'node:crypto';
import {colocatedKey} from '../colocated-key.js';
import {usageError} from '../errors.js';
import {START} from '../input/input-item.js';
import type {Adder, IdempotentAccumulator, IdempotentProducer} from '../stream-client.js';
import type {Checkpoint, CheckpointedInput, CheckpointOptions} from './checkpoint.js';
import type {Progress} from './in-flight-window.js';
import {Producer, type ProducerOptions} from './producer.js';

export interface OpenProducerOptions extends Omit<ProducerOptions, 'adder' | 'onConfirmed'> {
  /** `StreamClient.openAdder`, on the stream that is added to. */
  openAdder: (idempotent?: IdempotentProducer) => Adder;
  /** Adds each record once. */
  once?: {producerId: string | undefined; atomic: boolean} | undefined;
  /** Where it is kept how far `input` has been added. */
  checkpoint?: {path: string; input: CheckpointedInput} | undefined;
}

export interface OpenProducer {
  producer: Producer;
  /** Where to begin reading. */
  start: Progress;
  checkpoint: Checkpoint | undefined;
}

/** A week: longer than anyone waits before running again what was cut off. */
const STATE_SECONDS = 7 * 86_400;
/** From then on a missing state is taken for expired, and not for lost with its stream; the clocks of two machines differ. */
const EXPIRY_MS = 6 * 86_400_000;

/** Connects. Throws as `StreamClient.connect` and `Checkpoint.open` do, and `incomplete` where the stream is gone to which this producer added. */
export async function openProducer(options: OpenProducerOptions): Promise<OpenProducer> {
  const kept = options.checkpoint;
  if (kept === undefined) return openWith(undefined, options);
  const {stream, onProblem} = options;
  const checkpoint = await openCheckpoint({...kept, stream, onProblem});
  try {
    return await openWith(checkpoint, options);
  } catch (error) {
    checkpoint.release();
    throw error;
  }
}

async function openWith(checkpoint: Checkpoint | undefined, options: OpenProducerOptions): Promise<OpenProducer> {
  const {openAdder, once} = options;
  const begin = beginOf(checkpoint);
  const adder = openAdder(once && idempotentProducer(once, options.stream, checkpoint));
  const accumulator = adder.idempotent;
  const onConfirmed = checkpoint && ((end: Progress) => checkpoint.confirm(end, accumulator?.lastId));
  // Before anything is added: where a checkpoint cannot be kept, to begin is no use.
  if (accumulator === undefined) await checkpoint?.keepAs(undefined);
  const producer = await Producer.start({...options, adder, onConfirmed});
  if (accumulator === undefined) return {producer, start: begin, checkpoint};
  if (accumulator.warning !== undefined) options.onProblem(accumulator.warning);
  if (accumulator.isForgotten) options.onProblem(FORGOTTEN);
  try {
    const id = accumulator.producerId;
    const since = sinceOf(id, accumulator, checkpoint);
    const last = accumulator.lastSequence ?? 0;
    const start = startOf(begin, since + last, checkpoint);
    // Of what it lacks, the files are gone: its numbers go on behind what it has.
    const lacking = Math.max(0, start.records - since - last);
    if (lacking > 0) options.onProblem(earlierRecordsGone(lacking));
    const {lastId} = accumulator;
    await checkpoint?.keepAs({id, since: since + lacking, ...(lastId === undefined ? {} : {lastId})});
    accumulator.startBehind(start.records - since - lacking);
    return {producer, start, checkpoint};
  } catch (error) {
    producer.close();
    throw error;
  }
}

/** The producer that an earlier run of the same ID or checkpoint was, or a new one. */
function idempotentProducer(
  {producerId, atomic}: {producerId: string | undefined; atomic: boolean},
  stream: string,
  checkpoint: Checkpoint | undefined,
): IdempotentProducer {
  if (producerId === '') throw usageError('--producer-id is empty');
  const kept = checkpoint?.producer;
  const id = producerId ?? kept?.id ?? randomBytes(9).toString('base64url');
  return {
    id,
    key: colocatedKey('producer', stream, id),
    keepSeconds: STATE_SECONDS,
    atomic,
    isLasting: producerId !== undefined || checkpoint !== undefined,
    lastId: kept?.id === id ? kept.lastId : undefined,
  };
}

/** Loaded only where it is used: most runs do without. */
const openCheckpoint = async (options: CheckpointOptions): Promise<Checkpoint> =>
  (await import('./checkpoint.js')).Checkpoint.open(options);

const FORGOTTEN =
  'Redis has forgotten this producer, though the stream has what it added: going on behind the checkpoint; ' +
  'what a run that was killed added behind it may be there twice';

/** Where an earlier run stopped, as far as its checkpoint knows. */
const beginOf = (checkpoint: Checkpoint | undefined): Progress => {
  const progress = checkpoint?.progress ?? {position: START, records: 0};
  return checkpoint?.isFileGone ? {position: START, records: progress.records} : progress;
};

/** The same, where the stream has the first `has` records of the input. */
function startOf(begin: Progress, has: number, checkpoint: Checkpoint | undefined): Progress {
  if (checkpoint?.isFileGone) return {position: START, records: Math.max(begin.records, has)};
  // A stream that has gone back, as after a failover, lacks records from before the checkpoint.
  return has < begin.records ? {position: START, records: checkpoint?.recordsBefore ?? 0} : begin;
}

const earlierRecordsGone = (count: number): string =>
  `the stream lacks ${count} records of earlier files, which were added to it before; they are not added again`;

/** How many records of the input come before the first one of producer `id`. */
function sinceOf(
  id: string,
  {lastSequence, isForgotten}: IdempotentAccumulator,
  checkpoint: Checkpoint | undefined,
): number {
  if (checkpoint === undefined) return 0;
  const {producer, progress, ageMs} = checkpoint;
  const mayBeExpired = isForgotten || (lastSequence === undefined && ageMs > EXPIRY_MS);
  if (producer?.id === id && !mayBeExpired) return producer.since;
  // A producer that ran without this checkpoint before counts from the start of the input.
  return lastSequence === undefined ? progress.records : 0;
}
