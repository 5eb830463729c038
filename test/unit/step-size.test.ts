import {describe, expect, it} from 'vitest';
import {StepSize} from '../../src/lib/step-size.js';

describe('the size of a step', () => {
  const countAfter = (...times: number[]): number => {
    const step = new StepSize();
    for (const ms of times) step.took(ms);
    return step.count;
  };

  it('grows while steps are quick, up to a limit', () => {
    expect(countAfter()).toBe(128);
    expect(countAfter(0.2, 0.3)).toBe(512);
    const step = new StepSize();
    for (let index = 0; index < 20; index++) step.took(0.1);
    expect([step.count, step.isLargest]).toEqual([20_000, true]);
  });

  it('shrinks when one took long, and never below where it began', () => {
    expect(countAfter(0.2, 0.2, 0.2, 3)).toBe(512);
    expect(countAfter(0.2, 3, 3, 3)).toBe(128);
  });

  it('stays where it is when a step took its time', () => expect(countAfter(0.2, 0.2, 1.7, 1.7)).toBe(512));

  it('takes the way to the server and back for no work', () => {
    expect(countAfter(80, 80.2, 80.1)).toBe(1_024);
    expect(countAfter(80, 80.2, 84)).toBe(256);
  });
});
