/**
 * One run of a user's command for one record or one batch. The records reach it
 * as NDJSON on its standard input and, where it is one, by name in its
 * environment; they are never part of the command line, so no data can become a
 * command. Invariant: when `run` settles, the process and its group are gone or
 * have been told to go, and `done` means exit code 0 with all output taken.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {recordToJson, type StreamRecord} from '../entry.js';
import {StreamlogError} from '../errors.js';
import {Deadline, type DeadlineOptions} from './deadline.js';
import {Output, type OutputOptions} from './output.js';

export type HandlerOutcome =
  | {kind: 'done'}
  /** It says that the record can never be processed (exit code 65, EX_DATAERR). */
  | {kind: 'rejected'; reason: string}
  /** Anything else: to be tried again. */
  | {kind: 'failed'; reason: string};

export interface HandlerOptions extends DeadlineOptions, OutputOptions {
  /** Run by `sh -c`. */
  command: string;
  /** What a process gets besides the STREAMLOG_ variables. */
  environment: Record<string, string | undefined>;
  /** Told of the group of each process that runs, until `onEnd`. */
  onStart: (pid: number) => void;
  onEnd: (pid: number) => void;
}

/** EX_DATAERR of sysexits.h. */
const REJECTED_CODE = 65;

/**
 * Runs the command on `records`, which are not empty. `giveUp` ends it early,
 * with SIGTERM and then SIGKILL to its process group; it then has failed.
 * Throws what `writeOut` and `writeErr` throw, and `temporary` when no process
 * can be started: that says nothing about the records.
 */
export async function runHandler(
  records: readonly StreamRecord[],
  options: HandlerOptions,
  giveUp: AbortSignal,
): Promise<HandlerOutcome> {
  const child = spawn('sh', ['-c', options.command], {
    detached: true,
    env: {...options.environment, ...recordEnvironment(records)},
    // Pipes, never our own: a child that shares our standard output can make it blocking for us.
    stdio: 'pipe',
  });
  const exited = outcomeOf(child);
  // Without a process there may be no pipes either.
  const {pid} = child;
  if (pid === undefined) return exited;
  options.onStart(pid);
  // A handler may have seen enough before it has read all.
  child.stdin.on('error', () => {});
  child.stdin.end(records.map((record) => `${recordToJson(record)}\n`).join(''));

  const deadline = new Deadline(child, options, giveUp);
  try {
    const output = new Output(child, options, () => deadline.end('its output could not be written'));
    const outcome = await exited;
    await output.complete();
    return deadline.reason === undefined ? outcome : {kind: 'failed', reason: deadline.reason};
  } finally {
    deadline.clear();
    options.onEnd(pid);
    // A child that was left behind may never read it.
    child.stdin.destroy();
  }
}

function recordEnvironment(records: readonly StreamRecord[]): Record<string, string> {
  const [{stream, id, group, deliveries}] = records as [StreamRecord];
  const shared = {STREAMLOG_STREAM: stream, STREAMLOG_GROUP: group ?? ''};
  if (records.length > 1) return {...shared, STREAMLOG_COUNT: String(records.length)};
  return {...shared, STREAMLOG_ID: id, STREAMLOG_DELIVERIES: String(deliveries ?? 1), STREAMLOG_COUNT: '1'};
}

function outcomeOf(child: ChildProcess): Promise<HandlerOutcome> {
  return new Promise((resolve, reject) => {
    child.once('error', ({code, name}: NodeJS.ErrnoException) => {
      reject(
        new StreamlogError('temporary', `cannot start a handler: ${code ?? name}`, {
          code,
          hint: 'its entries stay pending; fewer handlers at a time (-P) need fewer processes and open files',
        }),
      );
    });
    child.once('exit', (code, signal) => {
      if (code === 0) resolve({kind: 'done'});
      else if (code === REJECTED_CODE) resolve({kind: 'rejected', reason: `exit code ${REJECTED_CODE}`});
      else resolve({kind: 'failed', reason: signal === null ? `exit code ${code}` : `signal ${signal}`});
    });
  });
}
