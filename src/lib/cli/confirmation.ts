/**
 * Asks a person before something is destroyed that somebody still needs. Invariants: only y or yes is a yes; the end of input
 * and a signal are a no; nobody is asked where standard input or standard error is no terminal.
 */
import {isatty} from 'node:tty';
import {StreamlogError} from '../errors.js';
import type {Notes} from '../output/notes.js';
import {unlessAborted} from '../waiting.js';
import {standardError} from './standard-streams.js';

/** Whether a person can read a question and answer it. */
export const canAsk = (): boolean => isatty(0) && standardError.isTTY;

/** Resolves when `question` is answered with yes. Throws a usage error, which says `nothing`, for any other answer. */
export async function confirm(
  question: string,
  {notes, stopping, nothing}: {notes: Notes; stopping: AbortSignal; nothing: string},
): Promise<void> {
  notes.ask(`${question} [y/N] `);
  const answer = await unlessAborted(readAnswer(), stopping);
  process.stdin.pause();
  process.stdin.unref();
  if (answer === '') standardError.write('\n');
  if (answer === undefined || !/^y(es)?$/i.test(answer.trim())) throw new StreamlogError('usage', nothing);
}

/** A line with its newline; what was typed before the end of input, else. */
function readAnswer(): Promise<string> {
  const {stdin} = process;
  let typed = '';
  return new Promise((resolve, reject) => {
    stdin.on('data', (chunk: Buffer | string) => {
      typed += chunk.toString();
      if (typed.includes('\n')) resolve(typed.slice(0, typed.indexOf('\n') + 1));
    });
    stdin.once('end', () => resolve(typed));
    stdin.once('error', reject);
  });
}
