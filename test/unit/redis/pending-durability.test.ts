import {expect, it} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {PendingDurability} from '../../../src/lib/redis/pending-durability.js';
import {OpenWire} from './batches.js';

const tooFew = new StreamlogError('temporary', 'too few replicas', {code: 'NOT_DURABLE'});

function pending() {
  const connection = new OpenWire();
  const reported: string[] = [];
  const durability = new PendingDurability({kind: 'replicas', count: 1, waitMs: 1_000}, () => true);
  const wait = (name: string): boolean =>
    durability.wait(
      {
        settled: (failure) => reported.push(`${name} ${failure?.code ?? 'safe'}`),
        lost: () => reported.push(`${name} lost`),
      },
      connection.connection,
      tooFew,
    );
  return {wire: connection, told: reported, durability, wait};
}

it('one question at a time is enough for all that wait, and its answer is for all of them', () => {
  const {wire, told, wait} = pending();
  expect([wait('a'), wait('b')]).toEqual([true, true]);
  expect(wire.sent).toHaveLength(1);
  wire.sent[0]!.callback.integer(0);
  expect([wire.sent.length, told]).toEqual([2, []]);
  wire.sent[1]!.callback.integer(1);
  expect(told).toEqual(['a safe', 'b safe']);
});

it('asks no more once a later batch has settled what waits, whatever the answer that is on its way', () => {
  const {wire, told, durability, wait} = pending();
  wait('a');
  durability.confirmed();
  expect(told).toEqual(['a safe']);
  wire.sent[0]!.callback.integer(0);
  expect([wire.sent.length, told]).toEqual([1, ['a safe']]);
  wait('b');
  expect(wire.sent).toHaveLength(2);
});

it('a lost connection is told to each that waits, once', () => {
  const {wire, told, wait} = pending();
  wait('a');
  wait('b');
  for (let n = 0; n < 2; n++) wire.sent[0]!.callback.lost(new StreamlogError('unreachable', 'away'));
  expect(told).toEqual(['a lost', 'b lost']);
});
