/**
 * Asks a person before something is destroyed that is still needed. Invariants: only y or yes is a yes; the end of input
 * and a signal are a no; nothing is asked where standard input or standard error is no terminal. Of what is typed, one line is
 * read: what was pasted behind it is for the program that reads after us.
 */
import {closeSync, constants, openSync, readSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';
import type {Notes} from '../output/notes.js';
import {standardError} from './standard-streams.js';

/** Resolves when `question` is answered with yes. Throws a usage error, which says `nothing`, for any other answer. */
export async function confirm(
  question: string,
  {notes, stopping, nothing}: {notes: Notes; stopping: AbortSignal; nothing: string},
): Promise<void> {
  notes.ask(`${question} [y/N]`);
  const answer = await readAnswer(stopping);
  if (answer !== undefined && !answer.endsWith('\n')) standardError.write('\n');
  if (answer === undefined || !/^y(es)?$/i.test(answer.trim())) throw new StreamlogError('usage', nothing);
}

/** A key that was pressed is noticed so soon. */
const PAUSE_MS = 20;

/** A line with its newline, or what was typed before the end of input; undefined after `stopping`. */
async function readAnswer(stopping: AbortSignal): Promise<string | undefined> {
  const fd = openAnew();
  try {
    let typed = '';
    while (!stopping.aborted) {
      const more = readNow(fd);
      if (more === undefined) await sleep(PAUSE_MS, undefined, {signal: stopping}).catch(() => {});
      else typed += more;
      if (more === '' || typed.endsWith('\n')) return typed;
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** The terminal of standard input with flags of its own, so that no thread has to wait in read(2), which no signal would end. */
function openAnew(): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  try {
    return openSync('/proc/self/fd/0', flags);
  } catch {
    return openSync('/dev/tty', flags);
  }
}

/** What read(2) gives: of a terminal, a line at most. Undefined while there is nothing, empty at the end of input. */
function readNow(fd: number): string | undefined {
  const buffer = Buffer.alloc(4096);
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, null));
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EINTR') return undefined;
    if (code === 'EIO') return '';
    throw error;
  }
}
