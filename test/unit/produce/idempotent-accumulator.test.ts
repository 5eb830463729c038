import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {FencedLane} from '../../../src/lib/produce/idempotent-accumulator.js';
import type {Wire} from '../../../src/lib/stream-client.js';
import {readCommands} from '../redis/commands.js';
import {OpenWire} from './batches.js';

const DAY_MS = 86_400_000;
const fence = {
  key: '{events}:streamlog:producer:events:p',
  keepSeconds: 604_800,
  digest: '',
  wantsIds: false,
  atomic: false,
};

/** A wire that can be lost, and knows whether it was closed. */
class LosableWire extends OpenWire {
  closes = 0;
  lose: () => void = () => {};
  readonly closed = new Promise<void>((resolve) => {
    this.lose = resolve;
  });

  close(): void {
    this.closes++;
  }

  get commands(): string[][] {
    return this.sent.flatMap(({bytes}) => readCommands(bytes));
  }
}

let wire: LosableWire;
let lane: FencedLane;
beforeEach(() => {
  vi.useFakeTimers();
  wire = new LosableWire();
  lane = new FencedLane('events', fence, true, async () => wire as unknown as Wire);
});
afterEach(() => vi.useRealTimers());

/** Opens the lane on a server that knows the script and a mark. */
async function open(mark: string | undefined): Promise<void> {
  const opening = lane.open();
  await vi.advanceTimersByTimeAsync(0);
  const {taker} = wire.sent.at(-1)!;
  taker.text(Buffer.from('name'), 0, 4);
  if (mark === undefined) taker.nil();
  else taker.text(Buffer.from(mark), 0, mark.length);
  await vi.advanceTimersByTimeAsync(0);
  // A lane that opens for the first time asks about memory too.
  const next = wire.sent.at(-1)!.taker;
  if (next !== taker) next.nil();
  await opening;
}

it('knows a producer that never was from one of which nothing is in the stream', async () => {
  await open(undefined);
  expect(lane.mark).toBeUndefined();
  await open('0');
  expect(lane.mark).toBeUndefined();
  const other = new FencedLane('events', fence, true, async () => wire as unknown as Wire);
  lane = other;
  await open('0');
  expect(lane.mark).toBe(0);
});

it('keeps the fence of an input that pauses for longer than a week, as long as there is a connection', async () => {
  await open('5');
  const greeting = wire.commands.length;
  await vi.advanceTimersByTimeAsync(8 * DAY_MS);
  const since = wire.commands.slice(greeting);
  expect(since).toEqual(Array(8).fill(['EXPIRE', fence.key, '604800']));
  wire.lose();
  await vi.advanceTimersByTimeAsync(2 * DAY_MS);
  expect(wire.commands.slice(greeting)).toHaveLength(8);
});

it('leaves no connection behind when Redis refuses the script', async () => {
  const opening = lane.open();
  const refused = expect(opening).rejects.toThrow('no');
  await vi.advanceTimersByTimeAsync(0);
  wire.sent[0]!.taker.refused(new StreamlogError('denied', 'no'));
  await refused;
  expect(wire.closes).toBe(1);
});
