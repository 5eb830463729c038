/**
 * What `produce` needs to deliver an input: the way to the stream that was asked
 * for, the producer on it, and where in the input to begin. Invariant: what an
 * earlier run of the same checkpoint or producer has added is not added again,
 * as far as either can know.
 */
import {randomBytes} from 'node:crypto';
import {usageError} from '../errors.js';
import {START} from '../input/pages.js';
import {neighbourOf} from '../slot-neighbour.js';
import type {Wire} from '../stream-client.js';
import type {Progress} from './batch.js';
import {Checkpoint} from './checkpoint.js';
import {FencedLane} from './fenced-lane.js';
import {PlainLane} from './lane.js';
import {Producer, type ProducerOptions} from './producer.js';

export interface DeliveryOptions extends Omit<ProducerOptions, 'lane' | 'onConfirmed'> {
  /** Connects to where the stream lives. */
  connect: () => Promise<Wire>;
  /** Each record once, by the fence script. */
  once?: {producerId: string | undefined; atomic: boolean} | undefined;
  /** Where it is kept how far `file` has been added. */
  checkpoint?: {path: string; file: string} | undefined;
}

export interface Delivery {
  producer: Producer;
  /** Where to begin reading. */
  start: Progress;
  checkpoint: Checkpoint | undefined;
}

/** A week: longer than anyone waits before running again what was cut off. */
const FENCE_SECONDS = 7 * 86_400;

/** Connects. Throws as `StreamClient.connect` and `Checkpoint.open` do, and a usage error for a stream that can have no fence. */
export async function openDelivery(options: DeliveryOptions): Promise<Delivery> {
  const {stream, connect, once, newIdLines} = options;
  const kept = options.checkpoint;
  const checkpoint = kept === undefined ? undefined : await Checkpoint.open(kept.path, kept.file, stream);
  const confirm = checkpoint === undefined ? {} : {onConfirmed: (end: Progress) => checkpoint.confirm(end)};
  const begin = checkpoint?.progress ?? {place: START, records: 0};
  if (once === undefined) {
    const producer = await Producer.start({...options, ...confirm, lane: new PlainLane(stream, connect)});
    return {producer, start: begin, checkpoint};
  }

  const known = once.producerId === undefined ? checkpoint?.producer : {id: once.producerId, since: 0};
  const {id, since} = known ?? {id: randomBytes(9).toString('base64url'), since: begin.records};
  const fence = {
    key: fenceOf(stream, id),
    keepSeconds: FENCE_SECONDS,
    digest: '',
    wantsIds: newIdLines !== undefined,
    atomic: once.atomic,
  };
  const isLasting = once.producerId !== undefined || checkpoint !== undefined;
  const lane = new FencedLane(stream, fence, isLasting, connect);
  const producer = await Producer.start({...options, ...confirm, lane});
  if (checkpoint !== undefined) {
    checkpoint.producer = {id, since};
    // Before anything is added under this ID: else a run that is killed soon would be forgotten.
    await checkpoint.keep();
  }
  // A stream that has gone back, as after a failover, lacks records from before the checkpoint.
  const start = lane.mark >= begin.records - since ? begin : {place: START, records: 0};
  lane.startBehind(start.records - since);
  return {producer, start, checkpoint};
}

/** The fence of a producer lies beside the stream. */
function fenceOf(stream: string, producerId: string): string {
  const key = neighbourOf(stream, `producer:${producerId}`);
  if (key === undefined)
    throw usageError(`the stream "${stream}" has braces that are no hash tag`, 'give another --stream');
  return key;
}
