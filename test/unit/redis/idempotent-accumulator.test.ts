import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {IdempotentAccumulator} from '../../../src/lib/redis/idempotent-accumulator.js';
import type {AddConnection} from '../../../src/lib/stream-client.js';
import {readCommands} from './commands.js';
import {OpenWire} from './batches.js';

const DAY_MS = 86_400_000;
const state = {
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

let connection: LosableWire;
let accumulator: IdempotentAccumulator;
beforeEach(() => {
  vi.useFakeTimers();
  connection = new LosableWire();
  accumulator = new IdempotentAccumulator('events', state, true, async () => connection as unknown as AddConnection);
});
afterEach(() => vi.useRealTimers());

/** Opens the accumulator on a server that knows the script and a mark. */
async function open(lastSequence: string | undefined): Promise<void> {
  const opening = accumulator.open();
  await vi.advanceTimersByTimeAsync(0);
  const {callback: taker} = connection.sent.at(-1)!;
  taker.text(Buffer.from('name'), 0, 4);
  if (lastSequence === undefined) taker.nil();
  else taker.text(Buffer.from(lastSequence), 0, lastSequence.length);
  await vi.advanceTimersByTimeAsync(0);
  // A accumulator that opens for the first time asks about memory too.
  const next = connection.sent.at(-1)!.callback;
  if (next !== taker) next.nil();
  await opening;
}

it('knows a producer that never was from one of which nothing is in the stream', async () => {
  await open(undefined);
  expect(accumulator.mark).toBeUndefined();
  await open('0');
  expect(accumulator.mark).toBeUndefined();
  const other = new IdempotentAccumulator('events', state, true, async () => connection as unknown as AddConnection);
  accumulator = other;
  await open('0');
  expect(accumulator.mark).toBe(0);
});

it('keeps the fence of an input that pauses for longer than a week, as long as there is a connection', async () => {
  await open('5');
  const greeting = connection.commands.length;
  await vi.advanceTimersByTimeAsync(8 * DAY_MS);
  const since = connection.commands.slice(greeting);
  expect(since).toEqual(Array(8).fill(['EXPIRE', state.key, '604800']));
  connection.lose();
  await vi.advanceTimersByTimeAsync(2 * DAY_MS);
  expect(connection.commands.slice(greeting)).toHaveLength(8);
});

it('leaves no connection behind when Redis refuses the script', async () => {
  const opening = accumulator.open();
  const refused = expect(opening).rejects.toThrow('no');
  await vi.advanceTimersByTimeAsync(0);
  connection.sent[0]!.callback.refused(new StreamlogError('denied', 'no'));
  await refused;
  expect(connection.closes).toBe(1);
});
