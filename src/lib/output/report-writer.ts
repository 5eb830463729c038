/** Prints reports, in the shape that was asked for. All shapes hold the same facts: `json-fields.ts` lists them. */
import {DelimitedLines} from './delimited.js';
import type {Display} from './display.js';
import {type Fields, type FieldTree, reportCells, reportToJson} from './report-fields.js';
import {escapeJsonForTerminal} from './sanitize.js';
import type {Shape} from './shape.js';
import type {Sink} from './sink.js';

export class ReportWriter {
  readonly #sink: Sink;
  readonly #shape: Shape;
  readonly #display: () => Display;
  #lines: DelimitedLines | undefined;

  constructor(sink: Sink, shape: Shape, display: () => Display) {
    this.#sink = sink;
    this.#shape = shape;
    this.#display = display;
  }

  /** Prints headings where there are some: a list may stay empty. */
  begin(fields: FieldTree): Promise<void> {
    return this.#sink.write(this.#linesOf(fields)?.of([]) ?? '');
  }

  /** Of one run, all reports have the same `fields`. */
  write<Report extends object>(
    reports: readonly Report[],
    fields: Fields<Report>,
    render: (display: Display) => string,
  ): Promise<void> {
    return this.#sink.write(this.#text(reports, fields, render));
  }

  #text<Report extends object>(
    reports: readonly Report[],
    fields: Fields<Report>,
    render: (display: Display) => string,
  ): string {
    const display = this.#display();
    if (this.#shape === 'table') return render(display);
    if (this.#shape === 'json') {
      const safe = display.terminal ? escapeJsonForTerminal : String;
      return reports.map((report) => `${safe(reportToJson(report, fields))}\n`).join('');
    }
    return this.#linesOf(fields as FieldTree)!.of(reports.map((report) => reportCells(report, fields)));
  }

  /** Undefined for the other shapes. */
  #linesOf(fields: FieldTree): DelimitedLines | undefined {
    if (this.#shape !== 'csv' && this.#shape !== 'tsv') return undefined;
    this.#lines ??= new DelimitedLines(this.#shape, Object.keys(fields), this.#display().terminal);
    return this.#lines;
  }
}
