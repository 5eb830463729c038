/**
 * One run of a user's command for one record or one batch, which it gets as NDJSON
 * on standard input, and in its environment the ID of a single one. No data is
 * part of the command line. Invariant: when `runHandler` settles, the process
 * group has ended or was signalled; `done` means exit code 0 and all output taken.
 */
import {type ChildProcess, type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {StreamlogError} from '../errors.js';
import {recordToJson, type StreamRecord} from '../records/entry.js';
import {encodeName} from '../records/names.js';
import {Output, type OutputOptions} from './handler-output.js';
import {Deadline, type DeadlineOptions} from './handler-timeout.js';

export type HandlerOutcome =
  | {kind: 'done'}
  /** The record can never be processed (exit code 65, EX_DATAERR). */
  | {kind: 'rejected'; reason: string}
  /** Anything else: to be tried again. */
  | {kind: 'failed'; reason: string}
  | CannotRun;

/**
 * The command could not be run. That no process can be started (no shell, E2BIG, ENOMEM, EAGAIN, EMFILE) is always the
 * fault of the set-up: an entry adds only its ID and two numbers to what a process starts with. A shell's 126 and 127
 * may be the entry's, where its data is made an argument.
 */
export interface CannotRun {
  kind: 'cannotRun';
  reason: string;
  /** What the reason means, for people. */
  detail: string;
  hint: string;
  /** Whether it can be nothing but the set-up. */
  isSetup: boolean;
  /** Whether the records are larger than one argument may be. */
  isTooLarge: boolean;
}

export interface HandlerOptions extends DeadlineOptions, OutputOptions {
  /** Run by `sh -c`. */
  command: string;
  /** Without the STREAMLOG_ variables of the record. */
  environment: Record<string, string | undefined>;
  /** Called with the process group of each run, and `onEnd` with the same at its end. */
  onStart: (pid: number) => void;
  onEnd: (pid: number) => void;
}

/** EX_DATAERR of sysexits.h. */
const REJECTED_CODE = 65;
/** Linux takes no longer argument (MAX_ARG_STRLEN in execve(2)). */
const LONGEST_ARGUMENT_BYTES = 128 * 1024;

/** POSIX, sh: the exit status of a program that was found and could not be executed, and of one that was not found. */
const CANNOT_RUN: Record<number, Pick<CannotRun, 'reason' | 'detail' | 'hint'>> = {
  126: {
    reason: 'exit code 126',
    detail: 'a program that it names cannot be executed',
    hint: 'see whether that program is executable (chmod +x) and its arguments are not too long; the entries stay pending',
  },
  127: {
    reason: 'exit code 127',
    detail: 'a program that it names was not found',
    hint: 'check the path of the program in --exec, or PATH; the entries stay pending',
  },
};

/** The failure that ends the work: as it is, no entry can be handled. */
export const handlerCannotRun = ({reason, detail, hint}: CannotRun): StreamlogError =>
  new StreamlogError('configuration', `the handler cannot be run: ${detail} (${reason})`, {hint});

/**
 * Runs the command on `records`, which are not empty. `giveUp` ends it early,
 * with SIGTERM and then SIGKILL to its process group; it then has failed.
 * Throws what `writeOut` and `writeErr` throw.
 */
export async function runHandler(
  records: readonly StreamRecord[],
  options: HandlerOptions,
  giveUp: AbortSignal,
): Promise<HandlerOutcome> {
  const input = records.map((record) => `${recordToJson(record)}\n`).join('');
  const isTooLarge = Buffer.byteLength(input) >= LONGEST_ARGUMENT_BYTES;
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn('sh', ['-c', options.command], {
      detached: true,
      env: {...options.environment, ...recordEnvironment(records)},
      // Pipes, never our own descriptors: O_NONBLOCK belongs to the open file description (open(2)), so a child that
      // shares ours can change it for us.
      stdio: 'pipe',
    });
  } catch (error) {
    // Where Node emits 'error' (https://nodejs.org/api/child_process.html#event-error), Bun may throw
    // (https://bun.sh/docs/runtime/nodejs-compat).
    return notStarted(error as NodeJS.ErrnoException);
  }
  const exited = outcomeOf(child, isTooLarge);
  const {pid} = child;
  if (pid === undefined) return exited;
  options.onStart(pid);
  // A handler may end before it has read all.
  child.stdin.on('error', () => {});
  child.stdin.end(input);

  const deadline = new Deadline(child, options, giveUp);
  try {
    const output = new Output(child, options, () => deadline.end('its output could not be written'));
    const outcome = await exited;
    await output.complete();
    return deadline.reason === undefined ? outcome : {kind: 'failed', reason: deadline.reason};
  } finally {
    deadline.clear();
    options.onEnd(pid);
    // A child that it left behind may never read it.
    child.stdin.destroy();
  }
}

function recordEnvironment(records: readonly StreamRecord[]): Record<string, string> {
  const [{stream, id, group, deliveries}] = records as [StreamRecord];
  const shared = {STREAMLOG_STREAM: variableOf(stream), STREAMLOG_GROUP: variableOf(group ?? '')};
  if (records.length > 1) return {...shared, STREAMLOG_COUNT: String(records.length)};
  return {...shared, STREAMLOG_ID: id, STREAMLOG_DELIVERIES: String(deliveries ?? 1), STREAMLOG_COUNT: '1'};
}

/** A name that no variable can hold as `{"$b64":"…"}`, which --stream and --group accept. */
function variableOf(name: string): string {
  const bytes = encodeName(name);
  if (typeof bytes === 'string' && !bytes.includes('\0')) return bytes;
  return JSON.stringify({$b64: Buffer.from(bytes as string).toString('base64')});
}

function outcomeOf(child: ChildProcess, isTooLarge: boolean): Promise<HandlerOutcome> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(notStarted(error)));
    child.once('exit', (code, signal) => {
      const cannotRun = code === null ? undefined : CANNOT_RUN[code];
      if (code === 0) resolve({kind: 'done'});
      else if (code === REJECTED_CODE) resolve({kind: 'rejected', reason: `exit code ${REJECTED_CODE}`});
      else if (cannotRun !== undefined) resolve({kind: 'cannotRun', ...cannotRun, isSetup: false, isTooLarge});
      else resolve({kind: 'failed', reason: signal === null ? `exit code ${code}` : `signal ${signal}`});
    });
  });
}

/** No shell was started. */
function notStarted({code, name}: NodeJS.ErrnoException): CannotRun {
  return {
    kind: 'cannotRun',
    reason: code ?? name,
    detail: 'no shell can be started',
    hint: HINT_BY_CODE[code ?? ''] ?? 'see what the system says of this error; the entries stay pending',
    isSetup: true,
    isTooLarge: false,
  };
}

const FEWER = 'fewer handlers at a time (-P) need fewer processes, open files and memory; the entries stay pending';
const HINT_BY_CODE: Record<string, string> = {
  EAGAIN: FEWER,
  EMFILE: FEWER,
  ENFILE: FEWER,
  ENOMEM: FEWER,
  E2BIG: 'the command of --exec or the environment is too long: put the command into a file; the entries stay pending',
  ENOENT: '--exec is run by sh, which has to be in PATH, in a directory that exists; the entries stay pending',
};
