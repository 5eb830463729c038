/**
 * A TOML file as its lines: which statement sets what, for messages with a line and for changes that leave all other lines as
 * they are. Invariant: a changed text parses to what was there, but for the table that was meant; else it is refused.
 */
import {isDeepStrictEqual} from 'node:util';
import {parse, stringify} from 'smol-toml';

export type Path = readonly string[];

/** A line, or several of a value that spans them. */
interface Statement {
  /** Index of its first line, and of the one behind its last. */
  start: number;
  end: number;
  /** A `[table]` line. */
  isHeader: boolean;
  /** What it sets, from the top; empty for blank lines and comments. */
  paths: Path[];
}

/** Those of a text that parses. */
function statementsOf(text: string): Statement[] {
  // The end of a line of DOS is none without its newline.
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const statements: Statement[] = [];
  let table: Path = [];
  for (let start = 0; start < lines.length; ) {
    let end = start + 1;
    while (end < lines.length && !parses(lines.slice(start, end).join('\n'))) end++;
    const own = leavesOf(parse(lines.slice(start, end).join('\n')));
    const isHeader = /^\s*\[/.test(lines[start]!);
    if (isHeader) table = own[0] ?? [];
    statements.push({start, end, isHeader, paths: isHeader ? [table] : own.map((path) => [...table, ...path])});
    start = end;
  }
  return statements;
}

function parses(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The paths of all values and of empty tables. */
function leavesOf(value: unknown, path: Path = []): Path[] {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  const entries = isTable ? Object.entries(value) : [];
  if (entries.length > 0) return entries.flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
  return path.length === 0 ? [] : [path];
}

const beginsWith = (path: Path, start: Path): boolean => start.every((key, at) => path[at] === key);

/** The number of the line that sets `path` or the first thing in it, of a text that parses; 1 if none does. */
export function lineOf(text: string, path: Path): number {
  const statements = statementsOf(text);
  for (let length = path.length; length > 0; length--) {
    const start = path.slice(0, length);
    const found = statements.find(({paths}) => paths.some((one) => beginsWith(one, start)));
    if (found !== undefined) return found.start + 1;
  }
  return 1;
}

/** `text` without the table at `path`, its comments included; undefined where its lines set other things too. */
export function withoutTable(text: string, path: Path): string | undefined {
  const lines = text.split('\n');
  const dropped = new Set<number>();
  let keptTo = -1;
  let last: Statement | undefined;
  for (const statement of statementsOf(text)) {
    const {start, end, paths, isHeader} = statement;
    if (paths.length === 0) continue;
    const own = paths.filter((one) => beginsWith(one, path)).length;
    if (own > 0 && own < paths.length) return undefined;
    if (own > 0) {
      // Comments between its lines are about it, and those that stand directly on its first line.
      const from =
        last !== undefined && dropped.has(last.start) && !isHeader ? last.end : commentsAbove(lines, start, keptTo);
      for (let line = from; line < end; line++) dropped.add(line);
    } else {
      keptTo = end - 1;
    }
    last = statement;
  }
  const isBlank = (line: number): boolean => line < 0 || lines[line]?.trim() === '';
  // What separated it from its neighbours is there twice otherwise.
  for (const line of [...dropped])
    if (!dropped.has(line + 1) && isBlank(line + 1)) {
      let before = line;
      while (dropped.has(before)) before--;
      if (isBlank(before)) dropped.add(line + 1);
    }
  const kept = lines.filter((_, line) => !dropped.has(line)).join('\n');
  return isChange(text, kept, path, undefined) ? kept : undefined;
}

/** The first line of the comments that end directly above `line`. */
function commentsAbove(lines: readonly string[], line: number, keptTo: number): number {
  let from = line;
  while (from - 1 > keptTo && /^\s*#/.test(lines[from - 1]!)) from--;
  return from;
}

/** `text` with a table of `values` at its end; undefined where that is no TOML, as when the table is there. */
export function withTable(text: string, path: Path, values: Record<string, unknown>): string | undefined {
  const nested = path.reduceRight<Record<string, unknown>>((inner, key) => ({[key]: inner}), values);
  const before = text.replace(/[\r\n]+$/, '');
  const whole = `${before}${before === '' ? '' : '\n\n'}${stringify(nested).trimStart()}`;
  return isChange(text, whole, path, values) ? whole : undefined;
}

/** Whether `after` is `before` with `values` at `path`, or without `path`. */
function isChange(before: string, after: string, path: Path, values: Record<string, unknown> | undefined): boolean {
  try {
    const expected = parse(before) as Record<string, unknown>;
    put(expected, path, values);
    return isDeepStrictEqual(withoutEmpty(parse(after)), withoutEmpty(expected));
  } catch {
    return false;
  }
}

function put(table: Record<string, unknown>, [key, ...rest]: Path, values: Record<string, unknown> | undefined): void {
  if (key === undefined) return;
  if (rest.length > 0) {
    if (!Object.hasOwn(table, key)) table[key] = {};
    put(table[key] as Record<string, unknown>, rest, values);
  } else if (values === undefined) delete table[key];
  else table[key] = values;
}

/** Tables that hold nothing mean nothing. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmpty(inner)] as const);
  const left = entries.filter(([, inner]) => inner !== undefined);
  return left.length === 0 ? undefined : Object.fromEntries(left);
}
