import fc from 'fast-check';
import {expect, it} from 'vitest';
import {InFlightWindow} from '../../../src/lib/produce/in-flight-window.js';
import {CountedBatch} from '../redis/batches.js';
import {progress} from './progress.js';

const LIMITS = {records: 20, bytes: 100};

/** What a window is to be: all batches that are not done, each with its place in the input, and how far they were sent. */
interface Model {
  batches: {batch: CountedBatch; records: number; bytes: number; done: boolean; behind: number}[];
  /** Index into `batches` of the next one to be sent. */
  unsent: number;
  /** The last place that the input has come to. */
  place: number;
}

const waiting = ({batches}: Model): Model['batches'] => batches.filter(({done}) => !done);

function check(model: Model, window: InFlightWindow): void {
  const left = waiting(model);
  expect(window.empty).toBe(left.length === 0);
  expect(window.oldest).toBe(left[0]?.batch);
  expect(window.open).toBe(left.reduce((sum, {batch}) => sum + batch.open, 0));
  const sum = (what: 'records' | 'bytes'): number => left.reduce((total, each) => total + each[what], 0);
  const fits = sum('records') + 3 <= LIMITS.records && sum('bytes') + 20 <= LIMITS.bytes;
  expect(window.hasRoomFor(new CountedBatch(3, 20))).toBe(left.length === 0 || fits);
  const firstOpen = model.batches.findIndex(({done}) => !done);
  // Behind the last one of those that are done without a hole, and behind what had nothing to send.
  const done = firstOpen === -1 ? model.batches : model.batches.slice(0, firstOpen);
  expect(window.confirmed).toEqual(done.length === 0 ? undefined : progress(done.at(-1)!.behind));
}

type Step = fc.Command<Model, InFlightWindow>;

const pushing = fc.tuple(fc.integer({min: 1, max: 9}), fc.integer({min: 1, max: 50})).map(
  ([records, bytes]): Step => ({
    check: () => true,
    run(model, window) {
      const batch = new CountedBatch(records, bytes);
      model.batches.push({batch, records, bytes, done: false, behind: ++model.place});
      window.push(batch, progress(model.place));
      check(model, window);
    },
    toString: () => `push(${records}, ${bytes})`,
  }),
);

const passing = fc.constant<Step>({
  check: ({batches}) => batches.length > 0,
  run(model, window) {
    model.batches.at(-1)!.behind = ++model.place;
    window.pass(progress(model.place));
    check(model, window);
  },
  toString: () => 'pass',
});

const sending = fc.constant<Step>({
  check: () => true,
  run(model, window) {
    while (model.batches[model.unsent]?.done) model.unsent++;
    const due = model.batches[model.unsent];
    if (due !== undefined) model.unsent++;
    expect(window.next()).toBe(due?.batch);
    check(model, window);
  },
  toString: () => 'next',
});

/** Some of the records of a batch that was sent, or all of them; then it may leave at once, or at the next rewind. */
const confirming = fc.tuple(fc.nat(), fc.nat(), fc.boolean()).map(
  ([which, count, leaves]): Step => ({
    check: (model) => sent(model).length > 0,
    run(model, window) {
      const chosen = sent(model)[which % sent(model).length]!;
      chosen.batch.open -= Math.min(chosen.batch.open, count % 4 === 0 ? chosen.batch.open : count % 10);
      if (chosen.batch.open === 0 && leaves) {
        chosen.done = true;
        window.remove(chosen.batch);
      }
      check(model, window);
    },
    toString: () => `confirm(${which}, ${count}, ${leaves})`,
  }),
);

const rewinding = fc.constant<Step>({
  check: () => true,
  run(model, window) {
    const again = sent(model);
    expect(window.rewind()).toBe(again.reduce((sum, {batch}) => sum + batch.open, 0));
    for (const each of again) each.done ||= each.batch.open === 0;
    model.unsent = 0;
    check(model, window);
  },
  toString: () => 'rewind',
});

const sent = (model: Model): Model['batches'] => model.batches.slice(0, model.unsent).filter(({done}) => !done);

it('sends in order, holds the input back, and confirms without a hole, whatever comes back when', () => {
  fc.assert(
    fc.property(
      fc.commands([pushing, pushing, passing, sending, sending, confirming, confirming, rewinding], {
        size: 'medium',
        maxCommands: 60,
      }),
      (steps) => {
        fc.modelRun(() => ({model: {batches: [], unsent: 0, place: 0}, real: new InFlightWindow(LIMITS)}), steps);
      },
    ),
    {numRuns: 500},
  );
});

it('an input that begins with nothing to send is confirmed all the same', () => {
  const window = new InFlightWindow(LIMITS);
  window.pass(progress(3));
  expect(window.confirmed).toEqual(progress(3));
});
