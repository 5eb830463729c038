import {expect, it} from 'vitest';
import {InHand} from '../../../src/lib/consuming/in-hand.js';

it('has an entry in at most one state: given out, or finished', () => {
  const inHand = new InHand();
  inHand.give(['1-0', '2-0'], {});
  inHand.finish(['1-0']);
  expect([inHand.given, inHand.finished(10)]).toEqual([['2-0'], ['1-0']]);
});

it('does not acknowledge an entry that is given out again before it is finished again: it may be another one', () => {
  const inHand = new InHand();
  inHand.give(['1-0'], {});
  inHand.finish(['1-0']);
  inHand.give(['1-0'], {});
  expect([inHand.given, inHand.finished(10)]).toEqual([['1-0'], []]);
});

it('forgets what others have acknowledged, and not what is still to be acknowledged', () => {
  const inHand = new InHand();
  inHand.give(['1-0', '2-0', '3-0'], {});
  inHand.finish(['3-0']);
  inHand.keepOnly(new Set(['2-0']));
  expect([inHand.given, inHand.finished(10)]).toEqual([['2-0'], ['3-0']]);
});

it('who got an entry first does not let go of it once it has come again', () => {
  const [first, second] = [{}, {}];
  const inHand = new InHand();
  inHand.give(['1-0', '2-0'], first);
  inHand.give(['1-0'], second);
  expect([inHand.isHeld('1-0', first), inHand.isHeld('2-0', first)]).toEqual([false, true]);
  inHand.letGo(['1-0', '2-0'], first);
  expect([inHand.isHeld('1-0', second), inHand.given]).toEqual([true, ['1-0']]);
});

it('a confirmation that comes late leaves what has come again to be finished', () => {
  const inHand = new InHand();
  inHand.give(['1-0'], {});
  inHand.finish(['1-0']);
  inHand.give(['1-0'], {});
  inHand.confirm(['1-0']);
  expect(inHand.given).toEqual(['1-0']);
});
