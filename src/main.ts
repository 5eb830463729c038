/**
 * The entry point of both artefacts. Gives oclif a plugin of our own
 * (https://oclif.io/docs/plugin_loading), so that it loads one command and searches
 * no directories, and turns the outcome into an exit code and at most two lines.
 * Invariant: exit code 0 is only set at the very end.
 */
import './lib/cli/debug-filter.js';
import './lib/cli/standard-streams.js';
import {run} from '@oclif/core';
import {tuneBun} from './lib/cli/bun-tuning.js';
import {type CommandIndex, oclifOptions} from './lib/cli/command-index.js';
import {commandLine, isSilent} from './lib/cli/command-line.js';
import {environment} from './lib/cli/environment.js';
import {endProcess, restoreTerminal} from './lib/cli/process-exit.js';
import {asFailure, stackOf} from './lib/cli/report-error.js';
import {signals} from './lib/cli/signals.js';
import {standardNotes} from './lib/cli/standard-notes.js';
import {standardError, standardOutput} from './lib/cli/standard-streams.js';
import {refuseChangedText, refuseRuntimeVariables} from './lib/cli/startup-checks.js';
import {formatDuration} from './lib/duration.js';
import {exitCodeOf} from './lib/exit-codes.js';
import {InputCut} from './lib/input/source.js';
import {OutputClosed} from './lib/output/sink.js';

/** Runs `argv` (without the program's own name) and ends the process. */
export async function main(argv: string[], index: CommandIndex): Promise<void> {
  const report = (error: unknown): number => reported(error);
  const sayOutputFailed = (error: Error): void => void report(error);
  tuneBun();
  process.exitCode = exitCodeOf('incomplete');
  // oclif rethrows errors of this stream where nothing catches them (oclif/command#54); endProcess asks for them.
  standardOutput.removeAllListeners('error').on('error', () => {});
  // Node prints an uncaught error with all its properties (https://nodejs.org/api/process.html#event-uncaughtexception), and errors
  // of ioredis have the arguments of their command (https://github.com/redis/ioredis/blob/main/lib/DataHandler.ts).
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => void endProcess(report(error), sayOutputFailed));
  signals.install((limitMs) => {
    restoreTerminal();
    standardNotes().warn(`gave up after ${formatDuration(limitMs)}; what was in progress is not finished`);
  });
  let code: number;
  try {
    refuseRuntimeVariables(process.env);
    refuseChangedText(argv, process.env);
    const answer: unknown = await run(await commandLine(argv, index), oclifOptions(index));
    // A command may have exit codes of its own: check has those of Nagios.
    code = signals.exitCode ?? (typeof answer === 'number' ? answer : exitCodeOf('done'));
  } catch (error) {
    code = isSilent(argv) ? exitCodeOf('done') : report(error);
  }
  await endProcess(code, sayOutputFailed);
}

/** Prints a failure and returns its exit code. The only place where failures are printed. */
function reported(error: unknown): number {
  if (error instanceof OutputClosed) return signals.exitCode ?? exitCodeOf('done');
  // A signal came while a file that a flag names was awaited.
  if (error instanceof InputCut && signals.exitCode !== undefined) return signals.exitCode;
  const failure = asFailure(error);
  if (failure === undefined) return exitCodeOf('done');
  restoreTerminal();
  standardNotes().failure(failure);
  if (environment().DEBUG !== undefined && error instanceof Error) standardError.write(`${stackOf(error, failure)}\n`);
  return signals.exitCode ?? exitCodeOf(failure.kind);
}
