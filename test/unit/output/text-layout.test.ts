import {describe, expect, it} from 'vitest';
import {cellsOf} from '../../../src/lib/output/cell-width.js';
import {termList, wrap} from '../../../src/lib/output/text-layout.js';

const WORDS = 'the quick brown fox jumps over the lazy dog and then over a fence that nobody had seen before';
const wordsOf = (lines: readonly string[]): string[] => lines.join(' ').split(/\s+/).filter(Boolean);

describe('a paragraph', () => {
  it.each([10, 20, 60, 80, 120])('in %i columns keeps its words and its width', (width) => {
    const lines = wrap(WORDS, width);
    expect(wordsOf(lines)).toEqual(WORDS.split(' '));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('leaves a word alone that is wider than a line, and colours out of the count', () => {
    expect(wrap('a redis://127.0.0.1:6379 b', 10)).toEqual(['a', 'redis://127.0.0.1:6379', 'b']);
    expect(wrap('\u001b[1mab\u001b[22m cd', 5)).toEqual(['\u001b[1mab\u001b[22m cd']);
  });

  it('of nothing has no lines', () => {
    expect(wrap('', 80)).toEqual([]);
  });
});

describe('a list', () => {
  const rows = [
    ['    --json', 'print JSON'],
    ['-q, --quiet', WORDS],
    [`    --${'long'.repeat(10)} NAME`, 'below'],
  ] as const;

  it('has all explanations in one column', () => {
    const lines = termList(rows, 80);
    expect(lines[0]).toBe('      --json   print JSON');
    expect(lines[1]).toMatch(/^ {2}-q, --quiet {2}the quick/);
    for (const line of lines.slice(2, -2)) expect(line).toMatch(/^ {15}\S/);
    expect(lines.at(-1)).toBe(`${' '.repeat(15)}below`);
  });

  it.each([40, 60, 80, 120])('fits in %i columns', (width) => {
    for (const line of termList(rows.slice(0, 2), width)) expect(cellsOf(line)).toBeLessThanOrEqual(width);
  });

  it('has explanations below their terms where there is little room', () => {
    expect(termList([['-u, --url URL', 'which server']], 40)).toEqual(['  -u, --url URL', '      which server']);
  });
});
