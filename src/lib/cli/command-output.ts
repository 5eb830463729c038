/**
 * Standard output of one command: the sink for its data, in which shape facts and records are printed, and what prints them.
 * Invariant: what prints is loaded when something is printed; `produce` prints neither reports nor records.
 */
import type {Interfaces} from '@oclif/core';
import type {Display} from '../output/display.js';
import type {RecordStyle, RecordWriter} from '../output/record-writer.js';
import type {Fields, FieldTree} from '../output/report-fields.js';
import type {ReportWriter} from '../output/report-writer.js';
import {type Shape, shapeOf} from '../output/shape.js';
import {Sink} from '../output/sink.js';
import type {recordFlags} from './flags.js';
import {standardDisplay} from './standard-display.js';
import {checkOutput, standardOutput} from './standard-streams.js';
import {readerProbe} from './system-calls.js';

type RecordFlags = Interfaces.InferredFlags<typeof recordFlags>;
export type OutputFlags = Pick<RecordFlags, 'json' | 'output'> &
  Partial<Pick<RecordFlags, 'format' | 'utc' | 'full' | 'pretty'>>;

export class CommandOutput {
  #sink: Sink | undefined;
  #reports: ReportWriter | undefined;

  /** Throws `io` when standard output is closed. */
  get sink(): Sink {
    checkOutput();
    this.#sink ??= new Sink(standardOutput);
    return this.#sink;
  }

  /** The same; its `check` notices that the reader has gone. */
  async watchedSink(): Promise<Sink> {
    checkOutput();
    this.#sink ??= new Sink(standardOutput, await readerProbe());
    return this.#sink;
  }

  shapeOf(flags: OutputFlags): Shape {
    return shapeOf(flags, standardOutput.isTTY);
  }

  recordStyle(flags: OutputFlags): RecordStyle {
    const {format, utc, full, pretty} = flags;
    return {format, utc, full, pretty, shape: this.shapeOf(flags), display: standardDisplay()};
  }

  async recordWriter(flags: OutputFlags, sink: Sink, style: Partial<RecordStyle>): Promise<RecordWriter> {
    const writers = await import('../output/record-writer.js');
    return new writers.RecordWriter(sink, {...this.recordStyle(flags), ...style});
  }

  async report<Report extends object>(
    flags: OutputFlags,
    fields: Fields<Report>,
    reports: readonly Report[],
    render: (display: Display) => string,
  ): Promise<void> {
    await (await this.#reportWriter(flags)).write(reports, fields, render);
  }

  async beginReport(flags: OutputFlags, fields: FieldTree): Promise<void> {
    await (await this.#reportWriter(flags)).begin(fields);
  }

  async #reportWriter(flags: OutputFlags): Promise<ReportWriter> {
    const writers = await import('../output/report-writer.js');
    this.#reports ??= new writers.ReportWriter(this.sink, this.shapeOf(flags), standardDisplay);
    return this.#reports;
  }
}
