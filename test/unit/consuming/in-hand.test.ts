import {expect, it} from 'vitest';
import {InHand} from '../../../src/lib/consuming/in-hand.js';

it('has an entry in at most one state: given out, or finished', () => {
  const inHand = new InHand();
  inHand.give(['1-0', '2-0']);
  inHand.finish(['1-0']);
  expect([inHand.given, inHand.finished(10)]).toEqual([['2-0'], ['1-0']]);
});

it('does not acknowledge an entry that is given out again before it is finished again: it may be another one', () => {
  const inHand = new InHand();
  inHand.give(['1-0']);
  inHand.finish(['1-0']);
  inHand.give(['1-0']);
  expect([inHand.given, inHand.finished(10)]).toEqual([['1-0'], []]);
});

it('forgets what others have acknowledged, and not what is still to be acknowledged', () => {
  const inHand = new InHand();
  inHand.give(['1-0', '2-0', '3-0']);
  inHand.finish(['3-0']);
  inHand.keepOnly(new Set(['2-0']));
  expect([inHand.given, inHand.finished(10)]).toEqual([['2-0'], ['3-0']]);
});
