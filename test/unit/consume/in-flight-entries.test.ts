import {expect, it} from 'vitest';
import {InHand} from '../../../src/lib/consume/in-flight-entries.js';
import {EntryIds} from '../../../src/lib/records/entry-ids.js';

const ids = (...texts: string[]): EntryIds => EntryIds.of(texts);

/** What is given out, and what is finished. */
const states = (inHand: InHand): [given: readonly string[], finished: readonly string[]] => [
  inHand.given,
  inHand.finished(Number.POSITIVE_INFINITY).flatMap(({texts}) => texts),
];

it('has an entry in at most one state: given out, or finished', () => {
  const inHand = new InHand();
  const handout = inHand.give(ids('1-0', '2-0'));
  inHand.finish(handout, ['1-0']);
  expect(states(inHand)).toEqual([['2-0'], ['1-0']]);
  inHand.finish(handout);
  expect(states(inHand)).toEqual([[], ['1-0', '2-0']]);
});

it('finishes an entry once, whoever says so again', () => {
  const inHand = new InHand();
  const handout = inHand.give(ids('1-0'));
  for (let turn = 0; turn < 2; turn++) inHand.finish(handout);
  inHand.finish(handout, ['1-0']);
  expect([inHand.finishedCount, inHand.givenCount, handout.holds('1-0')]).toEqual([1, 0, false]);
});

it('does not acknowledge an entry that is given out again before it is finished again: it may be another one', () => {
  const inHand = new InHand();
  inHand.finish(inHand.give(ids('1-0', '2-0')));
  inHand.give(ids('1-0'));
  expect(states(inHand)).toEqual([['1-0'], ['2-0']]);
});

it('who got an entry first does not finish it once it has come again', () => {
  const inHand = new InHand();
  const first = inHand.give(ids('1-0', '2-0'));
  inHand.give(ids('2-0', '3-0'));
  inHand.finish(first);
  expect(states(inHand)).toEqual([['2-0', '3-0'], ['1-0']]);
});

it('names what was given first, in that order and without what is asked about', () => {
  const inHand = new InHand();
  inHand.give(ids('5-0', '6-0'));
  inHand.give(ids('1-0', '2-0'));
  expect(inHand.oldest(3, new Set(['6-0']))).toEqual([
    {id: '5-0', order: 1},
    {id: '1-0', order: 2},
    {id: '2-0', order: 2},
  ]);
  expect([...inHand.holdersOf(new Set(['2-0', '9-0']))].map(([id, {order}]) => [id, order])).toEqual([['2-0', 2]]);
});

it('who got an entry first does not let go of it once it has come again', () => {
  const inHand = new InHand();
  const first = inHand.give(ids('1-0', '2-0'));
  const second = inHand.give(ids('1-0'));
  expect([first.holds('1-0'), first.holds('2-0')]).toEqual([false, true]);
  inHand.letGo(new Set(['1-0', '2-0']), first);
  expect([second.holds('1-0'), inHand.given]).toEqual([true, ['1-0']]);
});

it('a confirmation that comes late leaves what has come again to be finished', () => {
  const inHand = new InHand();
  inHand.finish(inHand.give(ids('1-0')));
  const sent = inHand.finished(10);
  inHand.give(ids('1-0'));
  inHand.confirm(sent);
  expect(states(inHand)).toEqual([['1-0'], []]);
});

it('gives as many of what is finished as go into one command, and never nothing', () => {
  const inHand = new InHand();
  for (const part of [ids('1-0', '2-0', '3-0'), ids('4-0'), ids('5-0')]) inHand.finish(inHand.give(part));
  expect(inHand.finished(4).map(({count}) => count)).toEqual([3, 1]);
  expect(inHand.finished(2).map(({count}) => count)).toEqual([3]);
});

it('keeps as many of what is never finished as it was told, and knows up to where it has given out the rest', () => {
  const inHand = new InHand(4);
  for (const part of [ids('1-0', '2-0'), ids('3-0', '4-0'), ids('5-0', '6-0')]) inHand.give(part);
  expect([inHand.given, inHand.givenCount, inHand.forgottenUpTo]).toEqual([['3-0', '4-0', '5-0', '6-0'], 4, '2-0']);
  // One that comes alone is kept, however large it is, and what came out of order is never thought not to have come.
  inHand.give(ids('1-0', '7-0', '8-0', '9-0', '10-0'));
  expect([inHand.givenCount, inHand.forgottenUpTo]).toEqual([5, '6-0']);
});
