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

const INDENT = 2;

/** A command to type, which ends a sentence. */
const COMMAND = /(?<=^| )streamlog [a-z].*$/s;
/** A terminal that is narrower breaks lines itself. */
const NARROWEST = 20;

/**
 * `text` in lines of `width` columns, all but the first indented. Several blanks in a row are kept, as they may be in a name. So
 * is a command at its end, which is to be copied: the terminal breaks what is wider, and knows that it is one line.
 */
export function wrapSentence(text: string, width: number): string {
  if (width < NARROWEST || cellsOf(text) <= width) return text;
  const command = COMMAND.exec(text);
  const words = text
    .slice(0, command?.index)
    .replace(/ $/, '')
    .split(/(?<! ) (?! )/);
  if (command !== null) words.push(command[0]);
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of words) {
    if (line === undefined) line = word;
    else if (cellsOf(line) + 1 + cellsOf(word) <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = ' '.repeat(INDENT) + word;
    }
  }
  return [...lines, line].join('\n');
}

/** The paragraph with `indent` blanks before each line. */
export const indented = (text: string, width: number, indent: number): string[] =>
  wrap(text, width - indent).map((line) => ' '.repeat(indent) + line);

/** Terms wider than this have their explanation on the next line. */
const WIDEST_TERM = 28;
/** An explanation in fewer columns than this is hard to read, so it goes below its term. */
const NARROW = 36;

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
