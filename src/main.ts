/**
 * The one way in, for the npm package and for the executable alike: hands oclif
 * a plugin of our own, so that it searches no directories and loads one command,
 * and turns whatever comes out into one exit code and at most two lines.
 * Invariant: exit 0 is only set at the very end, so a process that dies half
 * way, or waits for something that can no longer happen, does not look like a
 * success.
 */
import './lib/cli/quiet-debug.js';
import './lib/cli/standard-streams.js';
import {type Command, type Interfaces, run} from '@oclif/core';
import {commandTable} from './command-table.js';
import {refuseChangedText} from './lib/cli/argument-bytes.js';
import {standardNotes} from './lib/cli/base-command.js';
import {endProcess} from './lib/cli/ending.js';
import {environment} from './lib/cli/environment.js';
import {asFailure, stackOf} from './lib/cli/failure.js';
import {interruption} from './lib/cli/interruption.js';
import {compileAsUsualLater} from './lib/cli/machine-code.js';
import {collectWhenGrown} from './lib/cli/memory.js';
import {refuseRuntimeVariables} from './lib/cli/runtime-variables.js';
import {standardError, standardOutput} from './lib/cli/standard-streams.js';
import {formatDuration} from './lib/duration.js';
import {exitCodeOf} from './lib/exit-codes.js';
import {InputCut} from './lib/input/source.js';
import {OutputClosed} from './lib/output/sink.js';

/** What the build writes down, so that help and lookup load no command: see scripts/write-manifest.js. */
export interface Manifest {
  pjson: Interfaces.PJSON;
  commands: Record<string, Command.Cached>;
}

/** Runs `argv` (without the program's own name) and ends the process. */
export async function main(argv: string[], manifest: Manifest): Promise<void> {
  compileAsUsualLater();
  collectWhenGrown();
  process.exitCode = exitCodeOf('incomplete');
  // oclif rethrows what goes wrong there into the void; it is asked for at the end.
  standardOutput.removeAllListeners('error').on('error', () => {});
  // Node prints an error that nobody caught with all its properties: ioredis' have the arguments of the command.
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => void endProcess(report(error), sayOutputFailed));
  interruption.install((limitMs) =>
    standardNotes().warn(`gave up after ${formatDuration(limitMs)}; what was in hand is not finished`),
  );
  let code: number;
  try {
    refuseRuntimeVariables(process.env);
    refuseChangedText(argv, process.env);
    await run(argv, configuration(manifest));
    code = interruption.exitCode ?? exitCodeOf('done');
  } catch (error) {
    code = report(error);
  }
  await endProcess(code, sayOutputFailed);
}

const sayOutputFailed = (error: Error): void => void report(error);

/** Prints a failure and returns its exit code. The only place where failures are printed. */
function report(error: unknown): number {
  if (error instanceof OutputClosed) return interruption.exitCode ?? exitCodeOf('done');
  // Asked to end while it waited for a file that says how to begin.
  if (error instanceof InputCut && interruption.exitCode !== undefined) return interruption.exitCode;
  const failure = asFailure(error);
  if (failure === undefined) return exitCodeOf('done');
  standardNotes().failure(failure);
  if (environment().DEBUG !== undefined && error instanceof Error) standardError.write(`${stackOf(error, failure)}\n`);
  return interruption.exitCode ?? exitCodeOf(failure.kind);
}

/** For oclif to make its configuration of: one that is made already it would make anew. */
function configuration({pjson, commands}: Manifest): Interfaces.LoadOptions {
  const plugin = {
    _base: '',
    alias: pjson.name,
    name: pjson.name,
    version: pjson.version,
    type: 'core',
    moduleType: 'module',
    isRoot: true,
    valid: true,
    hasManifest: true,
    hooks: {},
    root: '/',
    pjson,
    options: {root: '/'},
    parent: undefined,
    commandsDir: undefined,
    topics: Object.entries(pjson.oclif.topics ?? {}).map(([name, topic]) => ({name, ...topic})),
    commandIDs: Object.keys(commands),
    commands: Object.entries(commands).map(([id, cached]) => ({...cached, id, load: () => loadCommand(id)})),
    findCommand: (id: string) => loadCommand(id),
    load: async () => {},
  };
  return {root: '/', pjson, plugins: new Map([[pjson.name, plugin as unknown as Interfaces.Plugin]])};
}

async function loadCommand(id: string): Promise<Command.Class> {
  const command = (await commandTable[id]!()).default as unknown as Command.Class;
  command.id = id;
  return command;
}
