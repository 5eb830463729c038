/** A program that prints a password. Invariant: it is run without a shell, and nothing that it prints is ever shown. */
import {spawn} from 'node:child_process';
import {StreamlogError} from '../errors.js';
import {InputCut} from '../input/source.js';
import {environmentForOthers} from './environment.js';

/** The user may have to touch a key, or type. */
const LIMIT_MS = 60_000;
const MOST_BYTES = 64 * 1024;

/**
 * The first line of what it prints. Throws `configuration` if it cannot be run, fails or takes too long, and InputCut when `stopping` is
 * aborted; it is ended then.
 */
export function passwordOf(command: readonly string[], stopping: AbortSignal, limitMs = LIMIT_MS): Promise<string> {
  const [program, ...args] = command as [string, ...string[]];
  const failure = (reason: string): StreamlogError =>
    new StreamlogError('configuration', `the password command ${program} ${reason}`, {
      hint: 'run it in a shell to see why: nothing that it prints is shown here',
    });
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {env: environmentForOthers(), stdio: ['ignore', 'pipe', 'ignore']});
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (error: Error): void => {
      child.kill('SIGKILL');
      // What it started may hold its output open.
      child.stdout.destroy();
      reject(error);
    };
    const stop = (): void => end(new InputCut());
    // A signal may end this process at once.
    const atExit = (): void => void child.kill('SIGKILL');
    process.once('exit', atExit);
    const timer = setTimeout(() => end(failure(`took longer than ${limitMs / 1_000} s`)), limitMs);
    stopping.addEventListener('abort', stop, {once: true});
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) end(failure('printed more than 64 KB'));
      else chunks.push(chunk);
    });
    const forget = (): void => {
      clearTimeout(timer);
      process.off('exit', atExit);
      stopping.removeEventListener('abort', stop);
    };
    child.once('error', ({code}: NodeJS.ErrnoException) => {
      forget();
      reject(failure(code === 'ENOENT' ? 'does not exist' : `cannot be run (${code})`));
    });
    child.once('close', (code, signal) => {
      forget();
      const [line = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1);
      if (code !== 0) reject(failure(`failed (${code === null ? signal : `exit code ${code}`})`));
      else if (line === '') reject(failure('printed no password'));
      else resolve(line);
    });
    if (stopping.aborted) stop();
  });
}
