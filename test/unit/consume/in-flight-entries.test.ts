import {expect, it} from 'vitest';
import {InFlightEntries} from '../../../src/lib/consume/in-flight-entries.js';
import {EntryIds} from '../../../src/lib/records/entry-ids.js';

const ids = (...texts: string[]): EntryIds => EntryIds.of(texts);

/** What is given out, and what is finished. */
const states = (inFlight: InFlightEntries): [given: readonly string[], finished: readonly string[]] => [
  inFlight.delivered,
  inFlight.finished(Number.POSITIVE_INFINITY).flatMap(({texts}) => texts),
];

it('has an entry in at most one state: given out, or finished', () => {
  const inFlight = new InFlightEntries();
  const batch = inFlight.deliver(ids('1-0', '2-0'));
  inFlight.finish(batch, ['1-0']);
  expect(states(inFlight)).toEqual([['2-0'], ['1-0']]);
  inFlight.finish(batch);
  expect(states(inFlight)).toEqual([[], ['1-0', '2-0']]);
});

it('finishes an entry once, whoever says so again', () => {
  const inFlight = new InFlightEntries();
  const batch = inFlight.deliver(ids('1-0'));
  for (let turn = 0; turn < 2; turn++) inFlight.finish(batch);
  inFlight.finish(batch, ['1-0']);
  expect([inFlight.finishedCount, inFlight.deliveredCount, batch.holds('1-0')]).toEqual([1, 0, false]);
});

it('does not acknowledge an entry that is given out again before it is finished again: it may be another one', () => {
  const inFlight = new InFlightEntries();
  inFlight.finish(inFlight.deliver(ids('1-0', '2-0')));
  inFlight.deliver(ids('1-0'));
  expect(states(inFlight)).toEqual([['1-0'], ['2-0']]);
});

it('who got an entry first does not finish it once it has come again', () => {
  const inFlight = new InFlightEntries();
  const first = inFlight.deliver(ids('1-0', '2-0'));
  inFlight.deliver(ids('2-0', '3-0'));
  inFlight.finish(first);
  expect(states(inFlight)).toEqual([['2-0', '3-0'], ['1-0']]);
});

it('names what was given first, in that order and without what is asked about', () => {
  const inFlight = new InFlightEntries();
  inFlight.deliver(ids('5-0', '6-0'));
  inFlight.deliver(ids('1-0', '2-0'));
  expect(inFlight.oldest(3, new Set(['6-0']))).toEqual([
    {id: '5-0', order: 1},
    {id: '1-0', order: 2},
    {id: '2-0', order: 2},
  ]);
  expect([...inFlight.holdersOf(new Set(['2-0', '9-0']))].map(([id, {order}]) => [id, order])).toEqual([['2-0', 2]]);
});

it('who got an entry first does not let go of it once it has come again', () => {
  const inFlight = new InFlightEntries();
  const first = inFlight.deliver(ids('1-0', '2-0'));
  const second = inFlight.deliver(ids('1-0'));
  expect([first.holds('1-0'), first.holds('2-0')]).toEqual([false, true]);
  inFlight.drop(new Set(['1-0', '2-0']), first);
  expect([second.holds('1-0'), inFlight.delivered]).toEqual([true, ['1-0']]);
});

it('a confirmation that comes late leaves what has come again to be finished', () => {
  const inFlight = new InFlightEntries();
  inFlight.finish(inFlight.deliver(ids('1-0')));
  const sent = inFlight.finished(10);
  inFlight.deliver(ids('1-0'));
  inFlight.confirm(sent);
  expect(states(inFlight)).toEqual([['1-0'], []]);
});

it('gives as many of what is finished as go into one command, and never nothing', () => {
  const inFlight = new InFlightEntries();
  for (const part of [ids('1-0', '2-0', '3-0'), ids('4-0'), ids('5-0')]) inFlight.finish(inFlight.deliver(part));
  expect(inFlight.finished(4).map(({count}) => count)).toEqual([3, 1]);
  expect(inFlight.finished(2).map(({count}) => count)).toEqual([3]);
});

it('keeps as many of what is never finished as it was told, and knows up to where it has given out the rest', () => {
  const inFlight = new InFlightEntries(4);
  for (const part of [ids('1-0', '2-0'), ids('3-0', '4-0'), ids('5-0', '6-0')]) inFlight.deliver(part);
  expect([inFlight.delivered, inFlight.deliveredCount, inFlight.forgottenUpTo]).toEqual([
    ['3-0', '4-0', '5-0', '6-0'],
    4,
    '2-0',
  ]);
  // One that comes alone is kept, however large it is, and what came out of order is never thought not to have come.
  inFlight.deliver(ids('1-0', '7-0', '8-0', '9-0', '10-0'));
  expect([inFlight.deliveredCount, inFlight.forgottenUpTo]).toEqual([5, '6-0']);
});
