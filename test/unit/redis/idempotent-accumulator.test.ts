import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import type {AddConnection} from '../../../src/lib/redis/add-connection.js';
import {Adder} from '../../../src/lib/redis/adder.js';
import type {IdempotentAccumulator} from '../../../src/lib/redis/idempotent-accumulator.js';
import {OpenWire, Told} from './batches.js';
import {readCommands} from './commands.js';

const DAY_MS = 86_400_000;
const state = {
  key: '{events}:streamlog:producer:events:p',
  keepSeconds: 604_800,
  atomic: false,
};
const producer = {...state, id: 'p', isLasting: true};

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
let adder: Adder;
let accumulator: IdempotentAccumulator;
beforeEach(() => {
  vi.useFakeTimers();
  connection = new LosableWire();
  make();
});
afterEach(() => vi.useRealTimers());

function make(): void {
  adder = new Adder('events', async () => connection as unknown as AddConnection, {idempotent: producer});
  accumulator = adder.idempotent!;
  adder.listen({...new Told().context.events, lost: () => {}, mayWait: () => false});
}

/** Connects to a server that knows the script and a mark. */
async function open(lastSequence: string | undefined): Promise<void> {
  const opening = adder.connect();
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
  expect(accumulator.lastSequence).toBeUndefined();
  await open('0');
  expect(accumulator.lastSequence).toBeUndefined();
  make();
  await open('0');
  expect(accumulator.lastSequence).toBe(0);
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
  const opening = adder.connect();
  const refused = expect(opening).rejects.toThrow('no');
  await vi.advanceTimersByTimeAsync(0);
  connection.sent[0]!.callback.refused(new StreamlogError('denied', 'no'));
  await refused;
  expect(connection.closes).toBe(1);
});
