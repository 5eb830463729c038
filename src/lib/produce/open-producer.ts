/**
 * What `produce` needs to deliver an input: the way to the stream that was asked
 * for, the producer on it, and where in the input to begin. Invariant: what an
 * earlier run of the same checkpoint or producer has added is not added again,
 * as far as either can know.
 */
import {randomBytes} from 'node:crypto';
import {colocatedKey} from '../colocated-key.js';
import {usageError} from '../errors.js';
import {START} from '../input/input-page.js';
import type {AddConnection} from '../stream-client.js';
import {PlainAccumulator} from '../redis/accumulator.js';
import type {Progress} from '../redis/batch.js';
import type {AddedFile, Checkpoint} from './checkpoint.js';
import {IdempotentAccumulator} from '../redis/idempotent-accumulator.js';
import {Producer, type ProducerOptions} from './producer.js';

export interface OpenProducerOptions extends Omit<ProducerOptions, 'accumulator' | 'onConfirmed'> {
  /** Connects to where the stream lives. */
  connect: (ask?: string) => Promise<AddConnection>;
  /** Each record once, by the fence script. */
  once?: {producerId: string | undefined; atomic: boolean} | undefined;
  /** Where it is kept how far `file` has been added. */
  checkpoint?: {path: string; file: AddedFile} | undefined;
}

export interface OpenProducer {
  producer: Producer;
  /** Where to begin reading. */
  start: Progress;
  checkpoint: Checkpoint | undefined;
}

/** A week: longer than anyone waits before running again what was cut off. */
const FENCE_SECONDS = 7 * 86_400;
/** From then on a fence that is missing is taken for expired, and not for lost with its stream; the clocks of two machines differ. */
const EXPIRY_MS = 6 * 86_400_000;

/** Connects. Throws as `StreamClient.connect` and `Checkpoint.open` do, and `incomplete` where the stream is gone to which this producer added. */
export async function openProducer(options: OpenProducerOptions): Promise<OpenProducer> {
  const kept = options.checkpoint;
  if (kept === undefined) return openWith(undefined, options);
  const checkpoint = await openCheckpoint(kept.path, kept.file, options.stream);
  try {
    return await openWith(checkpoint, options);
  } catch (error) {
    checkpoint.release();
    throw error;
  }
}

async function openWith(checkpoint: Checkpoint | undefined, options: OpenProducerOptions): Promise<OpenProducer> {
  const {stream, connect, once, newIdLines} = options;
  const confirmWith = (lastId: () => string | undefined) =>
    checkpoint === undefined ? {} : {onConfirmed: (end: Progress) => checkpoint.confirm(end, lastId())};
  const begin = checkpoint?.progress ?? {place: START, records: 0};
  if (once === undefined) {
    // Before anything is added: where it cannot be kept how far we are, to begin is no use.
    await checkpoint?.keepAs(undefined);
    const producer = await Producer.start({
      ...options,
      ...confirmWith(() => undefined),
      accumulator: new PlainAccumulator(stream, connect),
    });
    return {producer, start: begin, checkpoint};
  }

  if (once.producerId === '') throw usageError('--producer-id is empty');
  const id = once.producerId ?? checkpoint?.producer?.id ?? randomBytes(9).toString('base64url');
  const state = {
    key: colocatedKey('producer', stream, id),
    keepSeconds: FENCE_SECONDS,
    digest: '',
    wantsIds: newIdLines !== undefined,
    atomic: once.atomic,
  };
  const isLasting = once.producerId !== undefined || checkpoint !== undefined;
  const kept = checkpoint?.producer;
  const accumulator = new IdempotentAccumulator(
    stream,
    state,
    isLasting,
    connect,
    kept?.id === id ? kept.lastId : undefined,
  );
  const producer = await Producer.start({...options, ...confirmWith(() => accumulator.lastId), accumulator});
  if (accumulator.warning !== undefined) options.onProblem(accumulator.warning);
  if (accumulator.isForgotten) options.onProblem(FORGOTTEN);
  try {
    const since = sinceOf(id, accumulator, checkpoint);
    await checkpoint?.keepAs({id, since, ...(accumulator.lastId === undefined ? {} : {lastId: accumulator.lastId})});
    // A stream that has gone back, as after a failover, lacks records from before the checkpoint.
    const start = (accumulator.mark ?? 0) >= begin.records - since ? begin : {place: START, records: 0};
    accumulator.startBehind(start.records - since);
    return {producer, start, checkpoint};
  } catch (error) {
    producer.close();
    throw error;
  }
}

/** Loaded with what checks a file, which most runs do without. */
const openCheckpoint = async (path: string, file: AddedFile, stream: string): Promise<Checkpoint> =>
  (await import('./checkpoint.js')).Checkpoint.open(path, file, stream);

const FORGOTTEN =
  'Redis has forgotten this producer, though the stream has what it added: going on behind the checkpoint; ' +
  'what a run that was killed added behind it may be there twice';

/** So many records of the input come before the first one of producer `id` on `accumulator`. */
function sinceOf(
  id: string,
  {mark: lastSequence, isForgotten}: IdempotentAccumulator,
  checkpoint: Checkpoint | undefined,
): number {
  if (checkpoint === undefined) return 0;
  const {producer, progress, ageMs} = checkpoint;
  const mayBeExpired = isForgotten || (lastSequence === undefined && ageMs > EXPIRY_MS);
  if (producer?.id === id && !mayBeExpired) return producer.since;
  // One that has runs without this checkpoint behind it counts from the start of the input.
  return lastSequence === undefined ? progress.records : 0;
}
