import {beforeEach, describe, expect, it} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import type {Durability} from '../../../src/lib/redis/durability.js';
import {IdempotentBatch} from '../../../src/lib/redis/idempotent-batch.js';
import {OpenWire, Told} from './batches.js';

let connection: OpenWire;
beforeEach(() => {
  connection = new OpenWire();
});

/** Records 11, 12 and 13 of a producer. */
function batchOf(options: {durability?: Durability; atomic?: boolean} = {}): {batch: IdempotentBatch; reported: Told} {
  const told = new Told(options.durability);
  const call = {bytes: [Buffer.from('call')], first: 11, records: 3, atomic: options.atomic ?? false, byteLength: 4};
  const batch = new IdempotentBatch(call, told.context);
  batch.send(connection.connection);
  return {batch, reported: told};
}

const answer = (batch: IdempotentBatch, lastSequence: number, ids = '', why = ''): void => {
  const text = Buffer.from(`${lastSequence}\n${ids}\n${why}`);
  batch.text(text, 0, text.length);
};

describe('a batch behind the fence', () => {
  it('is over when the mark is at its last record, or behind it', () => {
    for (const mark of [13, 20]) {
      const {batch, reported: told} = batchOf();
      answer(batch, mark, '1-1 1-2 1-3');
      expect(told.lines).toEqual(['added 3: 1-1 1-2 1-3', 'answered, open 0']);
    }
  });

  it('is sent whole again after a lost connection, and is in doubt of nothing', () => {
    const {batch, reported: told} = batchOf();
    batch.lost();
    batch.send(connection.connection);
    expect(connection.sent.map(({bytes}) => bytes.toString())).toEqual(['call', 'call']);
    answer(batch, 13, '1-1 1-2 1-3');
    expect(told.lines).toEqual(['added 3: 1-1 1-2 1-3', 'answered, open 0']);
  });

  it('tells the IDs with its last try, and each record once', () => {
    const {batch, reported: told} = batchOf();
    answer(batch, 12, '1-1 1-2', 'OOM no memory');
    expect(told.lines).toEqual(['added 2: undefined', 'answered, open 1: OOM']);
    batch.send(connection.connection);
    answer(batch, 13, '1-1 1-2 1-3');
    expect(told.lines.slice(2)).toEqual(['added 1: 1-1 1-2 1-3', 'answered, open 0']);
  });

  it('tells the IDs of what was added when the rest is rejected in a later try', () => {
    const {batch, reported: told} = batchOf();
    answer(batch, 12, '1-1 1-2', 'OOM no memory');
    batch.send(connection.connection);
    answer(batch, 12, '1-1 1-2', 'WRONGTYPE no stream');
    expect(told.lines.slice(2)).toEqual(['added 0: 1-1 1-2', 'rejected 1: WRONGTYPE', 'answered, open 0: WRONGTYPE']);
  });

  it('rejects the one at which it stopped, and leaves the rest open', () => {
    const {batch, reported: told} = batchOf();
    answer(batch, 11, '1-1', 'WRONGTYPE no stream');
    expect(told.lines).toEqual(['added 1: 1-1', 'rejected 1: WRONGTYPE', 'answered, open 1: WRONGTYPE']);
  });

  it('with --atomic rejects all of them', () => {
    const {batch, reported: told} = batchOf({atomic: true});
    answer(batch, 10, '', 'WRONGTYPE no stream');
    expect(told.lines).toEqual(['added 0: ', 'rejected 3: WRONGTYPE', 'answered, open 0: WRONGTYPE']);
  });

  it('knows a gap in front of it', () => {
    const {batch, reported: told} = batchOf();
    answer(batch, 7, '', 'GAP');
    expect([batch.foundGap, told.lines]).toEqual([true, ['answered, open 3: GAP']]);
    expect(told.failure?.message).toContain('has only 7 records of this producer, where 10 were confirmed');
    batch.send(connection.connection);
    expect(batch.foundGap).toBe(false);
  });

  it('waits for a server that has forgotten the script', () => {
    const {batch, reported: told} = batchOf();
    batch.refused(new StreamlogError('data', 'NOSCRIPT', {code: 'NOSCRIPT'}));
    expect(told.lines).toEqual(['answered, open 3: NOSCRIPT']);
    batch.send(connection.connection);
    answer(batch, 13, '1-1 1-2 1-3');
    expect(told.lines.at(-1)).toBe('answered, open 0');
  });

  it('is not over before it is as safe as it has to be', () => {
    const {batch, reported: told} = batchOf({durability: {kind: 'fsync', waitMs: 1_000}});
    answer(batch, 13, '1-1 1-2 1-3');
    expect([told.lines, batch.awaits]).toEqual([[], 2]);
    batch.integer(0);
    batch.integer(0);
    expect(told.lines).toEqual(['answered, open 3: NOT_DURABLE']);
  });

  it('asks again for what may become safe yet, without sending its records again', () => {
    const {batch, reported: told} = batchOf({durability: {kind: 'fsync', waitMs: 1_000}});
    told.mayWait = true;
    answer(batch, 13, '1-1 1-2 1-3');
    batch.integer(0);
    batch.integer(0);
    expect([told.lines, batch.awaits, connection.sent.length]).toEqual([[], 0, 2]);
    const {bytes, callback: taker} = connection.sent[1]!;
    expect(bytes.toString()).not.toContain('call');
    expect(taker.awaits).toBe(2);
    taker.integer(1);
    taker.integer(0);
    expect([told.lines, taker.awaits]).toEqual([['added 3: 1-1 1-2 1-3', 'answered, open 0'], 0]);
  });
});
