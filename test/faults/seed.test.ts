/** A failure that chance found can be repeated. */
import {afterEach, expect, it, vi} from 'vitest';
import {killPoints, SeededRandom, seededRandom} from './support/seed.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const draw = (random: SeededRandom): number[] => Array.from({length: 20}, () => random.next());

function printed(): () => string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return () => write.mock.calls.map(([text]) => String(text)).join('');
}

it('the seed that a run prints repeats its numbers', () => {
  const output = printed();
  const first = draw(seededRandom('soak'));
  const [, seed] = /^soak: seed (\d+), to be repeated with STREAMLOG_SEED=\1\n$/.exec(output())!;
  vi.stubEnv('STREAMLOG_SEED', seed);
  expect(draw(seededRandom('soak'))).toEqual(first);
});

it('runs without a seed differ, and so do two tests with the same one', () => {
  printed();
  expect(draw(seededRandom('soak'))).not.toEqual(draw(seededRandom('soak')));
  vi.stubEnv('STREAMLOG_SEED', '7');
  expect(draw(seededRandom('soak'))).not.toEqual(draw(seededRandom('slice')));
});

it.each(['x', '-1', '1.5', '4294967296'])('STREAMLOG_SEED=%s is refused, not replaced', (text) => {
  vi.stubEnv('STREAMLOG_SEED', text);
  expect(() => seededRandom('soak')).toThrow(`STREAMLOG_SEED=${text} is no seed`);
});

it('numbers cover their range evenly, both ends included', () => {
  const random = new SeededRandom(1);
  const counts = new Map<number, number>();
  for (let turn = 0; turn < 4000; turn += 1) {
    const number = random.integer(-1, 2);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2]);
  for (const count of counts.values()) expect(count).toBeGreaterThan(800);
});

it('picks and chances follow the seed', () => {
  const random = new SeededRandom(1);
  const picked = Array.from({length: 100}, () => random.pick(['a', 'b']));
  expect(new Set(picked)).toEqual(new Set(['a', 'b']));
  expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
  expect(() => random.pick([])).toThrow('nothing to pick from');
});

it('kill points come in order, each after another thing', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const points = killPoints(new SeededRandom(seed), {kills: 20, things: 40, maxDelayMs: 5});
    const after = points.map(({afterDone}) => afterDone);
    expect(after).toEqual([...new Set(after)].sort((a, b) => a - b));
    expect(after).toHaveLength(20);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...after)).toBeLessThanOrEqual(40);
    expect(points.every(({delayMs}) => Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= 5)).toBe(true);
  }
  expect(killPoints(new SeededRandom(1), {kills: 3, things: 3, maxDelayMs: 0}).map((p) => p.afterDone)).toEqual([
    1, 2, 3,
  ]);
  expect(() => killPoints(new SeededRandom(1), {kills: 4, things: 3, maxDelayMs: 0})).toThrow('do not fit');
});
