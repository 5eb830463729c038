/**
 * The pages of docs/, set for a terminal. Knows the part of CommonMark and of GFM tables that
 * they use: headings, paragraphs, lists, tables, code and links. Nothing is escaped: the text is our own.
 */

import {cellsOf} from './cell-width.js';
import type {Colors} from './colors.js';
import {indented, padded, termList, wrap} from './text-layout.js';

export interface PageStyle {
  /** In columns. */
  width: number;
  colors: Colors;
  /** The text for a link to a file such as `delivery.md`; undefined for the text of the link itself. */
  reference(file: string): string | undefined;
}

const INDENT = 2;
const ITEM = /^([-*]|\d+\.) +/;
const GAP = 2;

/** The lines of `markdown`. */
export function renderMarkdown(markdown: string, style: PageStyle): string[] {
  return blocksOf(markdown).flatMap((block, index) => [...(index === 0 ? [] : ['']), ...renderBlock(block, style)]);
}

/** Runs of lines between blank lines; a fenced block is one, whatever it holds. */
function blocksOf(markdown: string): string[][] {
  const blocks: string[][] = [];
  let block: string[] = [];
  let isCode = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    if (line.trim() === '' && !isCode) {
      if (block.length > 0) blocks.push(block);
      block = [];
    } else {
      block.push(line);
    }
  }
  return block.length > 0 ? [...blocks, block] : blocks;
}

function renderBlock(lines: readonly string[], style: PageStyle): string[] {
  const [first = ''] = lines;
  const heading = /^#+ (.*)/.exec(first)?.[1];
  if (heading !== undefined) return [style.colors.heading(plain(heading).toUpperCase())];
  if (first.startsWith('```')) return lines.slice(1, -1).map((line) => `    ${line}`.trimEnd());
  if (first.startsWith('    ')) return [...lines];
  if (first.startsWith('|')) return renderTable(lines, style);
  const item = lines.findIndex((line) => ITEM.test(line));
  const paragraph = item < 0 ? lines : lines.slice(0, item);
  return [
    ...indented(inline(paragraph.join(' '), style), style.width, INDENT),
    ...(item < 0 ? [] : renderList(lines.slice(item), style)),
  ];
}

function renderList(lines: readonly string[], style: PageStyle): string[] {
  const items: string[] = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line);
    else items.push(`${items.pop()} ${line.trim()}`);
  }
  return items.flatMap((item) => {
    const marker = ITEM.exec(item)![0];
    const indent = INDENT + marker.length;
    const [first = '', ...rest] = indented(inline(item.slice(marker.length), style), style.width, indent);
    return [`${' '.repeat(INDENT)}${marker}${first.slice(indent)}`, ...rest];
  });
}

/** A GFM table. Where it cannot have its columns, each row is a term and what is known of it. */
function renderTable(lines: readonly string[], style: PageStyle): string[] {
  const [head = [], , ...rows] = lines.map((line) =>
    line
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => inline(cell.replaceAll('\\|', '|').trim(), style)),
  );
  const widths = columnWidths([head, ...rows], style.width - INDENT);
  if (widths === undefined)
    return termList(
      rows.map(([term = '', ...cells]) => [term, cells.filter(Boolean).join('; ')]),
      style.width,
    );
  const line = (cells: readonly string[]): string[] => {
    const columns = cells.map((cell, index) => wrap(cell, widths[index]!));
    const height = Math.max(...columns.map((column) => column.length));
    return Array.from({length: height}, (_, at) =>
      columns
        .map((column, index) => padded(column[at] ?? '', widths[index]!))
        .join(' '.repeat(GAP))
        .replace(/^/, ' '.repeat(INDENT))
        .trimEnd(),
    );
  };
  const rules = widths.map((width) => '-'.repeat(width));
  return [...line(head.map((cell) => style.colors.heading(cell))), ...line(rules), ...rows.flatMap(line)];
}

/** For each column as many of `available` as its widest cell takes, or a share; undefined where not even its words fit. */
function columnWidths(rows: readonly (readonly string[])[], available: number): number[] | undefined {
  const columns = rows[0]!.map((_, index) => rows.map((row) => row[index] ?? ''));
  const room = available - GAP * (columns.length - 1);
  const least = columns.map((cells) => Math.max(...cells.flatMap((cell) => cell.split(' ').map(cellsOf))));
  const natural = columns.map((cells) => Math.max(...cells.map(cellsOf)));
  const spare = room - sum(least);
  if (spare < 0) return undefined;
  const wanted = natural.map((width, index) => width - least[index]!);
  const share = Math.min(1, spare / Math.max(1, sum(wanted)));
  return least.map((width, index) => width + Math.floor(share * wanted[index]!));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Code, emphasis and links in colour, word by word, so that a line can end between two of them. */
function inline(text: string, {colors, reference}: PageStyle): string {
  const eachWord = (words: string, paint: (word: string) => string): string =>
    words
      .split(' ')
      .map((word) => paint(word))
      .join(' ');
  return text.replace(
    /`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)]+)\)/g,
    (_, code?: string, strong?: string, emphasis?: string, label?: string, target = '') => {
      if (code !== undefined) return eachWord(code, colors.name);
      if (strong !== undefined) return eachWord(plain(strong), colors.heading);
      if (emphasis !== undefined) return emphasis;
      const file = target.replace(/#.*/, '');
      const reached = /^https?:/.test(target) ? target : file === '' ? undefined : reference(file);
      if (reached === undefined) return plain(label!);
      return label === file ? reached : `${plain(label!)} (${reached})`;
    },
  );
}

const plain = (text: string): string => text.replace(/[`*]/g, '');
