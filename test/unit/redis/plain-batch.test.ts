import {beforeEach, describe, expect, it} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {AddEncoder} from '../../../src/lib/redis/add-encoder.js';
import type {Durability} from '../../../src/lib/redis/durability.js';
import {PlainBatch} from '../../../src/lib/redis/plain-batch.js';
import {OpenWire, Told} from './batches.js';

const oom = new StreamlogError('temporary', 'no memory', {code: 'OOM'});
const smaller = new StreamlogError('data', 'no', {code: 'SMALLER_ID'});
const replicas: Durability = {kind: 'replicas', count: 1, waitMs: 1_000};

let connection: OpenWire;
beforeEach(() => {
  connection = new OpenWire();
});

function batchOf(records: number, durability?: Durability): {batch: PlainBatch; reported: Told} {
  const encoder = new AddEncoder('events');
  for (let n = 1; n <= records; n++) encoder.add({fields: [['n', `record${n}`]], id: '*', options: {}});
  const told = new Told(durability);
  const batch = new PlainBatch(encoder.take(), told.context);
  batch.send(connection.connection);
  return {batch, reported: told};
}

const id = (batch: PlainBatch, text: string): void => batch.text(Buffer.from(text), 0, text.length);
/** The records that were sent last. */
const lastSent = (): number[] =>
  [
    ...connection.sent
      .at(-1)!
      .bytes.toString()
      .matchAll(/record(\d+)/g),
  ].map(([, number]) => Number(number));

describe('a batch of XADDs', () => {
  it('knows where the rejected records were, after tries that took others out', () => {
    const {batch, reported: told} = batchOf(5);
    id(batch, '1-1');
    batch.refused(smaller);
    batch.refused(oom);
    id(batch, '1-4');
    batch.refused(oom);
    batch.send(connection.connection);
    expect(lastSent()).toEqual([3, 5]);
    batch.refused(oom);
    batch.refused(smaller);
    batch.send(connection.connection);
    batch.refused(smaller);
    expect(told.rejected).toEqual([1, 4, 2]);
  });

  it('is over when each record has an ID', () => {
    const {batch, reported: told} = batchOf(3);
    expect(batch.awaits).toBe(3);
    for (const text of ['1-1', '1-2', '1-3']) id(batch, text);
    expect(told.lines).toEqual(['added 3: 1-1 1-2 1-3', 'answered, open 0']);
    expect([batch.open, batch.awaits]).toEqual([0, 0]);
  });

  it('sends again what was refused for a while, and says that later ones went ahead', () => {
    const {batch, reported: told} = batchOf(3);
    id(batch, '1-1');
    batch.refused(oom);
    id(batch, '1-3');
    expect(told.lines).toEqual(['overtaken', 'added 2: 1-1 1-3', 'answered, open 1: OOM']);
    batch.send(connection.connection);
    expect(lastSent()).toEqual([2]);
    id(batch, '1-4');
    expect(told.lines.slice(3)).toEqual(['added 1: 1-4', 'answered, open 0']);
  });

  it('keeps its order when all behind the refused one were refused', () => {
    const {batch, reported: told} = batchOf(2);
    id(batch, '1-1');
    batch.refused(oom);
    expect(told.lines).toEqual(['added 1: 1-1', 'answered, open 1: OOM']);
  });

  it('sends again what the lost connection left unanswered, which may be there already', () => {
    const {batch, reported: told} = batchOf(4);
    id(batch, '1-1');
    batch.refused(oom);
    batch.lost();
    expect(told.lines).toEqual(['doubtful 2', 'added 1: 1-1']);
    batch.send(connection.connection);
    expect(lastSent()).toEqual([2, 3, 4]);
  });

  it('does not forget what was rejected when the connection is lost before the last reply', () => {
    const {batch, reported: told} = batchOf(3);
    batch.refused(smaller);
    id(batch, '1-2');
    batch.lost();
    expect(told.lines).toEqual(['doubtful 1', 'rejected 1: SMALLER_ID', 'added 1: 1-2']);
    batch.send(connection.connection);
    expect(lastSent()).toEqual([3]);
  });
});

describe('a batch that has to be safe', () => {
  it('tells nothing as added before the replicas have it', () => {
    const {batch, reported: told} = batchOf(2, replicas);
    id(batch, '1-1');
    id(batch, '1-2');
    expect([told.lines, batch.awaits]).toEqual([[], 1]);
    batch.integer(1);
    expect(told.lines).toEqual(['added 2: 1-1 1-2', 'answered, open 0']);
  });

  it('stays open when they have not, and is not sent again', () => {
    const {batch, reported: told} = batchOf(3, replicas);
    id(batch, '1-1');
    batch.refused(smaller);
    batch.refused(oom);
    batch.integer(0);
    expect(told.lines).toEqual(['rejected 1: SMALLER_ID', 'answered, open 2: NOT_DURABLE']);
  });

  it('is sent again when the connection is lost before they say so, but for what was rejected', () => {
    const {batch, reported: told} = batchOf(3, replicas);
    id(batch, '1-1');
    batch.refused(smaller);
    id(batch, '1-3');
    batch.lost();
    expect(told.lines).toEqual(['doubtful 2', 'rejected 1: SMALLER_ID']);
    batch.send(connection.connection);
    expect(lastSent()).toEqual([1, 3]);
    id(batch, '2-1');
    id(batch, '2-2');
    batch.integer(1);
    expect(told.lines.slice(2)).toEqual(['added 2: 2-1 2-2', 'answered, open 0']);
  });

  it('waits for its turn when nothing of it was added: the master may have become a replica', () => {
    const {batch, reported: told} = batchOf(2, replicas);
    batch.refused(oom);
    batch.refused(oom);
    batch.refused(new StreamlogError('data', 'WAIT cannot be used with replica instances', {code: 'ERR'}));
    expect(told.lines).toEqual(['answered, open 2: OOM']);
    batch.send(connection.connection);
    expect(lastSent()).toEqual([1, 2]);
  });
});
