import {describe, expect, it} from 'vitest';
import {chart, sparkline} from '../../../src/lib/output/sparkline.js';

describe('a sparkline', () => {
  it('has the full height for the greatest value, and the least for 0', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, true)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, false)).toBe(' .:-=+*#');
    expect(sparkline([0, 0], 2, true)).toBe('▁▁');
  });

  it('shows what is small, and leaves out what is not known', () => {
    expect(sparkline([1, 1_000_000, null], 3, true)).toBe('▂█ ');
    expect(sparkline([null, null], 4, true)).toBe('    ');
  });

  it('has one cell for the mean of several values', () => {
    expect(sparkline([0, 0, 6, 8, null, 7], 3, true)).toBe('▁██');
  });
});

describe('a chart', () => {
  it('has rows from the top down', () => {
    expect(chart([0, 1, 2, null, 4], {cells: 5, rows: 2, unicode: true})).toEqual(['    █', '▁▄█ █']);
    expect(chart([0, 1, 2, null, 4], {cells: 5, rows: 2, unicode: false})).toEqual(['    #', '.## #']);
    expect(chart([0, null], {cells: 2, rows: 2, unicode: true})).toEqual(['  ', '▁ ']);
  });
});
