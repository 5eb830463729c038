/** Text for people, set to a width in columns: wrapped paragraphs, and lists of a term and its explanation. */
import {cellsOf} from './cell-width.js';

export const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - cellsOf(text)));

/** The lines of a paragraph. A word that is wider than `width` stands on a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== '' && cellsOf(line) + 1 + cellsOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** The paragraph with `indent` blanks before each line. */
export const indented = (text: string, width: number, indent: number): string[] =>
  wrap(text, width - indent).map((line) => ' '.repeat(indent) + line);

/** Terms wider than this have their explanation on the next line. */
const WIDEST_TERM = 28;
/** An explanation in fewer columns than this is hard to read, so it goes below its term. */
const NARROW = 36;
const INDENT = 2;

/** Lines of `rows`: terms in one column and explanations in another, or below where the terminal is narrow. */
export function termList(rows: readonly (readonly [term: string, text: string])[], width: number): string[] {
  const terms = rows.map(([term]) => cellsOf(term)).filter((term) => term <= WIDEST_TERM);
  const column = INDENT + Math.max(0, ...terms) + 2;
  if (width - column < NARROW)
    return rows.flatMap(([term, text]) => [`  ${term.trimStart()}`, ...indented(text, width, 3 * INDENT)]);
  return rows.flatMap(([term, text]) => {
    const [first = '', ...rest] = indented(text, width, column);
    if (INDENT + cellsOf(term) + 2 > column) return [`  ${term}`, first, ...rest];
    return [`  ${padded(term, column - INDENT)}${first.slice(column)}`.trimEnd(), ...rest];
  });
}
