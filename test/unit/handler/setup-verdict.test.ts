import {getEventListeners} from 'node:events';
import {expect, test} from 'vitest';
import {SetupVerdicts} from '../../../src/lib/handler/setup-verdict.js';

const never = new AbortController().signal;

function verdicts(facts: {busy?: boolean; more?: boolean} = {}): SetupVerdicts {
  return new SetupVerdicts({isBusy: () => facts.busy ?? false, mayComeMore: () => facts.more ?? true});
}

test('an attempt that starts later and runs shows that it was the entry', async () => {
  const all = verdicts({busy: true});
  const verdict = all.couldNotRun(false, never);
  all.ran(all.start());
  expect(await verdict).toBe('entry');
});

test('one that had started before says nothing of now', async () => {
  const facts = {busy: true, more: false};
  const all = verdicts(facts);
  const earlier = all.start();
  const verdict = all.couldNotRun(false, never);
  all.ran(earlier);
  facts.busy = false;
  all.review();
  expect(await verdict).toBe('setup');
});

test('the fifth in a row shows that it is the set-up, and not the fourth', async () => {
  const all = verdicts({busy: true});
  const settled: string[] = [];
  const four = [1, 2, 3, 4].map(() => all.couldNotRun(false, never).then((verdict) => settled.push(verdict)));
  await new Promise(setImmediate);
  expect(settled).toEqual([]);
  expect(await all.couldNotRun(true, never)).toBe('setup');
  await Promise.all(four);
  expect(settled).toEqual(['setup', 'setup', 'setup', 'setup']);
});

test('one that runs between begins the row anew', async () => {
  const all = verdicts({busy: true});
  const first = [1, 2, 3, 4].map(() => all.couldNotRun(false, never));
  all.ran(all.start());
  expect(await Promise.all(first)).toEqual(['entry', 'entry', 'entry', 'entry']);
  const fifth = all.couldNotRun(false, never);
  all.ran(all.start());
  expect(await fifth).toBe('entry');
});

test.each([
  [false, 'setup'],
  [true, 'entry'],
])(
  'where nothing more comes it is decided at once (larger than an argument may be: %s)',
  async (isTooLarge, verdict) => {
    expect(await verdicts({more: false}).couldNotRun(isTooLarge, never)).toBe(verdict);
  },
);

test('where more may come it is decided after a while without any', async () => {
  expect(await verdicts({more: true}).couldNotRun(false, never)).toBe('setup');
});

test('while others run, nothing is decided', async () => {
  const facts = {busy: true, more: false};
  const all = verdicts(facts);
  let verdict: string | undefined;
  const settled = all.couldNotRun(false, never).then((found) => {
    verdict = found;
  });
  all.review();
  await new Promise(setImmediate);
  expect(verdict).toBeUndefined();
  facts.busy = false;
  all.review();
  await settled;
  expect(verdict).toBe('setup');
});

test('the end of the work leaves it undecided', async () => {
  const ending = new AbortController();
  const verdict = verdicts({busy: true}).couldNotRun(false, ending.signal);
  ending.abort();
  expect(await verdict).toBe('undecided');
  expect(await verdicts({busy: true}).couldNotRun(false, ending.signal)).toBe('undecided');
});

test('whatever is decided, nothing waits for the end of the work any more', async () => {
  const {signal} = new AbortController();
  const all = verdicts({busy: true});
  const ofEntry = all.couldNotRun(false, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  all.ran(all.start());
  await ofEntry;
  await verdicts({more: false}).couldNotRun(false, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
