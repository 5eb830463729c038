/**
 * Checks the type of replies. Invariant: a reply of another type than the command has is a failure (exit code 69), never a
 * value.
 */
import {NOT_REDIS, StreamlogError} from '../errors.js';
import {isEntryId} from '../records/stream-id.js';
import type {Reply} from './command-connection.js';

export const notRedis = (): StreamlogError =>
  new StreamlogError('unreachable', 'the server there is not Redis: its reply does not fit the command', {
    code: NOT_REDIS,
    hint: 'does --url name the right host and port?',
  });

export function listOf(reply: Reply | undefined): Reply[] {
  if (!Array.isArray(reply)) throw notRedis();
  return reply;
}

/** A list of exactly, or of at least, so many elements. */
export function tupleOf(reply: Reply | undefined, length: number): Reply[] {
  const list = listOf(reply);
  if (list.length < length) throw notRedis();
  return list;
}

/** What one of our scripts means by `word`, which is one of `words`. */
export function wordOf<T>(words: Readonly<Record<string, T>>, word: string): T {
  if (!Object.hasOwn(words, word)) throw notRedis();
  return words[word]!;
}

/** `items`, when there are so many: one for each that was asked about. */
export function exactly<T>(count: number, items: readonly T[]): T[] {
  if (items.length !== count) throw notRedis();
  return [...items];
}

/** Names and values, one after the other. */
export function flatPairsOf(reply: Reply | undefined): Reply[] {
  const list = listOf(reply);
  if (list.length % 2 !== 0) throw notRedis();
  return list;
}

export function bytesOf(reply: Reply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw notRedis();
  return reply;
}

/** A number, or its digits. */
export function numberOf(reply: Reply | undefined): number {
  if (typeof reply === 'number' && Number.isFinite(reply)) return reply;
  const text = typeof reply === 'string' ? reply : bytesOf(reply).toString('latin1');
  if (!/^-?\d{1,20}$/.test(text)) throw notRedis();
  return Number(text);
}

/** 1 or 0, as commands and scripts say that something was done or not. */
export function yesOf(reply: Reply | undefined): boolean {
  if (reply !== 0 && reply !== 1) throw notRedis();
  return reply === 1;
}

/** TIME, in Unix milliseconds. */
export function timeOf(reply: Reply | undefined): number {
  const [seconds, microseconds] = tupleOf(reply, 2).map(numberOf);
  return seconds! * 1_000 + Math.floor(microseconds! / 1_000);
}

export function idOf(reply: Reply | undefined): string {
  const id = bytesOf(reply).toString('latin1');
  if (!isEntryId(id)) throw notRedis();
  return id;
}
