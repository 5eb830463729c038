/**
 * What is refused, and why: counted by code, and said on standard error when it
 * begins and when it is over, for those reasons that an operator can do something
 * about. Knows no HTTP. Invariant: no refusal goes without a count, and however
 * many there are of one reason, they are said twice.
 */

import type {ConnectionEnd} from './connections.js';
import {REFUSALS, type RefusalCode} from './responses.js';

/** Without another for so long, it is over. */
const QUIET_MS = 10_000;
/** What succeeds so soon after a refusal may have been on another node of a cluster. */
const SETTLED_MS = 1_000;
const LOOK_MS = 1_000;

/** Those that are said as they begin and end, and how. */
const SAID: Partial<Record<RefusalCode | ConnectionEnd, string>> = {
  overloaded: 'requests are refused (overloaded): as many, or as large ones, are under way as there is room for',
  too_many_readers:
    'readers are refused (too_many_readers): there are --max-readers of them, or one client has its share',
  too_many_connections: 'connections are ended (too_many_connections): there are more than there is room for',
  too_many_pipelined: 'connections are ended (too_many_pipelined): a client sends too many requests without waiting',
  unread_answers: 'connections are ended (unread_answers): clients do not read what they asked for',
};

interface Episode {
  readonly startMs: number;
  lastMs: number;
  count: number;
}

export interface RefusalNotes {
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
}

export class RefusalLog {
  readonly #notes: RefusalNotes;
  readonly #counts = new Map<string, number>();
  readonly #episodes = new Map<string, Episode>();
  /** The word of Redis that is in `#episodes`. */
  #redisWord: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(notes: RefusalNotes) {
    this.#notes = notes;
  }

  /** Counts one; `code` is that of an answer, or says why a connection was ended. */
  count(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const text = SAID[code as RefusalCode];
    if (text !== undefined) this.#go(code, text);
  }

  /** Redis refused something; `word` is its own, and `reason` says what can be done. */
  redisRefused(word: string, reason: string): void {
    if (this.#redisWord !== word) {
      this.#end(`redis ${this.#redisWord}`, `Redis refuses no more with ${this.#redisWord}`);
      this.#redisWord = word;
    }
    this.#go(`redis ${word}`, `Redis refuses entries (${word}): ${reason}`);
  }

  /** Redis took something. */
  redisTook(): void {
    if (this.#redisWord === undefined) return;
    const key = `redis ${this.#redisWord}`;
    const episode = this.#episodes.get(key);
    if (episode === undefined || performance.now() - episode.lastMs < SETTLED_MS) return;
    this.#end(key, `Redis takes entries again (after ${this.#redisWord})`);
    this.#redisWord = undefined;
  }

  /** The word of Redis while it refuses, as far as is known. */
  get redisWord(): string | undefined {
    return this.#redisWord;
  }

  /** How many there were of each code. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Ends the watch. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #go(key: string, text: string): void {
    const nowMs = performance.now();
    const episode = this.#episodes.get(key);
    if (episode !== undefined) {
      episode.count++;
      episode.lastMs = nowMs;
      return;
    }
    this.#episodes.set(key, {startMs: nowMs, lastMs: nowMs, count: 1});
    this.#notes.warn(text);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #end(key: string, text: string): void {
    const episode = this.#episodes.get(key);
    if (episode === undefined) return;
    this.#episodes.delete(key);
    const seconds = Math.round((episode.lastMs - episode.startMs) / 1_000);
    this.#notes.note(`${text}: ${episode.count} were refused in ${seconds}s`);
  }

  #look(): void {
    const nowMs = performance.now();
    for (const [key, {lastMs}] of this.#episodes) {
      if (nowMs - lastMs < QUIET_MS) continue;
      if (key === `redis ${this.#redisWord}`) this.#redisWord = undefined;
      this.#end(key, `nothing was refused (${key}) for ${QUIET_MS / 1_000}s`);
    }
    if (this.#episodes.size === 0) this.close();
  }
}

/** Every code that is counted, so that a series is there before it is needed. */
export const REFUSAL_CODES: readonly string[] = [
  ...Object.keys(REFUSALS),
  'too_many_connections',
  'too_many_pipelined',
  'unread_answers',
];
