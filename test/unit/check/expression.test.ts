/** Expressions of `check`: what they mean, against a model that tries each value, and how their mistakes are shown. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type CheckExpression, decide, OPERATORS, parseCheckExpression} from '../../../src/lib/check/expression.js';
import {StreamlogError} from '../../../src/lib/errors.js';

const HOLDS: Record<CheckExpression['operator'], (value: number, limit: number) => boolean> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '=': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit,
};

const mistakeIn = (text: string): StreamlogError => {
  try {
    parseCheckExpression(text);
  } catch (error) {
    if (error instanceof StreamlogError) return error;
  }
  throw new Error(`${text} was taken`);
};

describe('an expression', () => {
  it('is decided where all values between the bounds agree, and nowhere else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPERATORS), fc.nat(12), fc.nat(8), fc.nat(5), (operator, limit, atLeast, more) => {
        const expression = parseCheckExpression(`lag${operator}${limit}`);
        const values = Array.from({length: more + 1}, (_, index) => atLeast + index);
        const outcomes = new Set(values.map((value) => HOLDS[operator](value, limit)));
        const agreed = outcomes.size === 1 ? [...outcomes][0] : undefined;
        expect(decide(expression, {atLeast, atMost: atLeast + more})).toBe(agreed);
      }),
    );
  });

  it('is decided by a bound that proves it, whatever the other one is', () => {
    const endless = (atLeast: number) => ({atLeast, atMost: Number.POSITIVE_INFINITY});
    expect(decide(parseCheckExpression('deliveries>20'), endless(21))).toBe(true);
    expect(decide(parseCheckExpression('deliveries>20'), endless(20))).toBeUndefined();
    expect(decide(parseCheckExpression('drain>1h'), endless(Number.POSITIVE_INFINITY))).toBe(true);
  });

  it.each([
    ['lag>1000', 'lag', '>', 1_000],
    [' lag >= 10 ', 'lag', '>=', 10],
    ['behind>1h30m', 'behind', '>', 5_400_000],
    ['behind=0', 'behind', '=', 0],
    ['bytes<=64KB', 'bytes', '<=', 65_536],
    ['memory_used_percent>92.5%', 'memory_used_percent', '>', 92.5],
    ['consumers!=3', 'consumers', '!=', 3],
  ])('%j is read', (text, metric, operator, limit) => {
    expect(parseCheckExpression(text)).toMatchObject({metric, operator, limit});
  });

  it.each([
    ['', 'the expression is empty', 0],
    ['lagg>1', 'there is no metric "lagg"', 0],
    ['>1', 'the name of a metric is missing', 0],
    ['lag', 'an operator and a value are missing', 3],
    ['lag ~1', '"~" is not an operator', 4],
    ['lag==1', '"==" is not an operator', 3],
    ['lag=>1', '"=>" is not an operator', 3],
    ['lag<>1', '"<>" is not an operator', 3],
    ['lag>', 'lag takes a number such as 1000', 4],
    ['lag > 5m', 'lag takes a number such as 1000, not "5m"', 6],
    ['behind>300', 'behind takes a duration such as 30s, 5m or 1h, not "300"', 7],
    ['lag>-1', 'lag takes a number such as 1000, not "-1"', 4],
    ['lag>1e3', 'lag takes a number such as 1000, not "1e3"', 4],
    ['lag>1 && behind>5m', 'lag takes a number such as 1000, not "1 && behind>5m"', 4],
  ])('%j is refused where its mistake is', (text, message, at) => {
    expect(mistakeIn(text)).toMatchObject({kind: 'usage', message, excerpt: {text, at}});
  });

  it('names the metric that was meant', () => {
    expect(mistakeIn('oldest-pending>5m').hint).toMatch(/^did you mean oldest_pending\?/);
    expect(mistakeIn('deliverys>5').hint).toMatch(/^did you mean deliveries\?/);
  });
});
