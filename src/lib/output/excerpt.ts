/**
 * What a user typed, with a caret below the mistake, as compilers show it. Invariant: it fits 40 columns, whatever was typed,
 * and quotes no password.
 */
import type {Excerpt} from '../errors.js';
import {redact} from '../redact.js';
import {cellsOf} from './cell-width.js';
import {escapeForTerminal} from './sanitize.js';

/** Columns before the mistake and from it on. */
const BEFORE = 20;
const AFTER = 14;
const INDENT = '  ';

/** Two lines; none where the text holds what must not be shown. */
export function excerptLines({text, at}: Excerpt): string {
  if (redact(text) !== text) return '';
  const before = fitting([...text.slice(0, at)].reverse().map(escapeForTerminal), BEFORE)
    .reverse()
    .join('');
  const after = fitting([...text.slice(at)].map(escapeForTerminal), AFTER).join('');
  return `${INDENT}${before}${after}\n${INDENT}${' '.repeat(cellsOf(before))}^\n`;
}

/** The first characters, in at most `columns`; `…` stands for the rest. */
function fitting(characters: readonly string[], columns: number): string[] {
  let width = 0;
  const cut = characters.findIndex((character) => {
    width += cellsOf(character);
    return width > columns - 1;
  });
  return cut === -1 ? [...characters] : [...characters.slice(0, cut), '…'];
}
